// Thrashing: the same work, once in a good order and once in a bad one.
//
//   mager course cxx thrash.cpp -o thrash
//   mager course run -m 16 -- ./thrash rows
//   mager course run -m 16 -- ./thrash columns
//
// Watch for: the summary at the end. A matrix of 32 pages, one row a page, is
// summed by rows or by columns. By rows each page is needed once; by columns
// every page is needed for every column, and whenever the frames are fewer
// than the pages, almost every step is a page-in. With -m 64 the two are equal.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "vm_app.h"

static const unsigned rows = 32;
static const unsigned columns = 16;

int main(int argc, char **argv) {
    const bool by_columns = argc > 1 && std::strcmp(argv[1], "columns") == 0;
    unsigned *row[rows];
    for (unsigned i = 0; i < rows; ++i) {
        row[i] = static_cast<unsigned *>(vm_map(nullptr, 0));
        if (row[i] == nullptr) {
            std::puts("swap is full");
            return EXIT_FAILURE;
        }
        for (unsigned j = 0; j < columns; ++j) {
            row[i][j] = i * columns + j;
        }
    }
    unsigned long sum = 0;
    const unsigned outer = by_columns ? columns : rows;
    const unsigned inner = by_columns ? rows : columns;
    for (unsigned i = 0; i < outer; ++i) {
        for (unsigned j = 0; j < inner; ++j) {
            sum += by_columns ? row[j][i] : row[i][j];
        }
    }
    std::printf("the sum is %lu\n", sum);
    return EXIT_SUCCESS;
}
