// File pages: memory that is a block of a file.
//
//   mager course cxx file_pages.cpp -o file_pages
//   mager course run -m 4 --log - -- ./file_pages
//
// Watch for: the file's name lies in the arena, so the pager reads it there,
// page by page (here it straddles two pages). Mapping reads nothing; the first
// access does. What is written goes home when the page is evicted, or when the
// pager ends. The last map, of a block the file does not have, succeeds: only
// touching it would end the program.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "vm_app.h"

static const char name[] = "file_pages.dat";
static const unsigned blocks = 4;

static void make_file() {
    std::FILE *file = std::fopen(name, "wb");
    if (file == nullptr) {
        std::perror(name);
        std::exit(EXIT_FAILURE);
    }
    for (unsigned block = 0; block < blocks; ++block) {
        for (unsigned i = 0; i < VM_PAGESIZE; ++i) {
            std::fputc('0' + static_cast<int>(block), file);
        }
    }
    std::fclose(file);
}

int main() {
    make_file();
    char *first = static_cast<char *>(vm_map(nullptr, 0));
    char *second = static_cast<char *>(vm_map(nullptr, 0));
    if (first == nullptr || second == nullptr) {
        std::puts("swap is full");
        return EXIT_FAILURE;
    }
    char *filename = second - 5;
    std::strcpy(filename, name);

    char *page[blocks];
    for (unsigned block = 0; block < blocks; ++block) {
        page[block] = static_cast<char *>(vm_map(filename, block));
        std::printf("block %u starts with %.4s\n", block, page[block]);
        page[block][0] = 'x';
        page[block][1] = static_cast<char>('a' + block);
    }
    for (unsigned block = 0; block < blocks; ++block) {
        std::printf("block %u starts with %.4s\n", block, page[block]);
    }
    char *beyond = static_cast<char *>(vm_map(filename, 1000));
    std::printf("a block beyond the end is mapped: %s\n", beyond == nullptr ? "no" : "yes");
    return EXIT_SUCCESS;
}
