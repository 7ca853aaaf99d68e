// Swap pages: memory that is zero until written, and never lost.
//
//   mager course cxx swap_pages.cpp -o swap_pages
//   mager course run -m 4 --log - -- ./swap_pages
//
// Watch for: a map costs no frame, since every new page shows physical page 0,
// read-only. The first write faults and gets a frame of its own (zero-fill).
// With 4 frames, 3 of them usable, the fourth written page evicts the first:
// file_write to <swap>; reading it again brings it back: file_read.
#include <cstdio>
#include <cstdlib>

#include "vm_app.h"

static const unsigned pages = 8;

int main() {
    char *page[pages];
    for (unsigned i = 0; i < pages; ++i) {
        page[i] = static_cast<char *>(vm_map(nullptr, 0));
        if (page[i] == nullptr) {
            std::puts("swap is full");
            return EXIT_FAILURE;
        }
    }
    // Never written: zeros, without a frame.
    for (unsigned i = 0; i < pages; ++i) {
        std::printf("page %u starts as %d\n", i, page[i][100]);
    }
    for (unsigned i = 0; i < pages; ++i) {
        page[i][0] = static_cast<char>('a' + i);
        page[i][VM_PAGESIZE - 1] = static_cast<char>('A' + i);
    }
    // Read again, and not written: evicting these costs no second write.
    for (unsigned i = 0; i < pages; ++i) {
        std::printf("page %u holds %c..%c\n", i, page[i][0], page[i][VM_PAGESIZE - 1]);
    }
    return EXIT_SUCCESS;
}
