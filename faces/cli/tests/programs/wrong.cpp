// Wrong use of every kind: the first argument says which.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <unistd.h>

#include "vm_app.h"

static char *swap_page() { return static_cast<char *>(vm_map(nullptr, 0)); }

static char *file_page(const char *name, unsigned block) {
    char *page = swap_page();
    std::strcpy(page, name);
    return static_cast<char *>(vm_map(page, block));
}

/* Fills what there is, and says how many pages that was. */
static void map_all(const char *name) {
    int count = name == nullptr ? 0 : 1;
    char *first = name == nullptr ? nullptr : swap_page();
    if (first != nullptr) {
        std::strcpy(first, name);
    }
    while (vm_map(first, 0) != nullptr) {
        ++count;
    }
    std::printf("%d pages\n", count);
}

int main(int, char **argv) {
    const std::string wrong = argv[1];
    if (wrong == "read") {
        std::printf("%c\n", *file_page(argv[2], static_cast<unsigned>(std::atoi(argv[3]))));
    } else if (wrong == "write") {
        *file_page(argv[2], 0) = 'w';
        std::puts("written");
    } else if (wrong == "shrink") {
        // Dirty, then too short for its block, then pushed out by other pages.
        *file_page(argv[2], 0) = 'w';
        if (truncate(argv[2], 100) != 0) {
            std::perror(argv[2]);
        }
        for (int i = 0; i < std::atoi(argv[3]); ++i) {
            *swap_page() = 'x';
        }
        std::puts("done");
    } else if (wrong == "unmapped") {
        swap_page();
        std::printf("%d\n", static_cast<volatile char *>(VM_ARENA_BASEADDR)[5 * VM_PAGESIZE]);
    } else if (wrong == "null") {
        swap_page();
        std::printf("%d\n", *reinterpret_cast<volatile char *>(16));
    } else if (wrong == "swap full") {
        map_all(nullptr);
    } else if (wrong == "arena full") {
        map_all(argv[2]);
    } else if (wrong == "endless name") {
        char *page = swap_page();
        std::memset(page, 'n', VM_PAGESIZE);
        std::puts(vm_map(page, 0) == nullptr ? "null" : "a page");
    } else if (wrong == "fork") {
        swap_page();
        std::puts(fork() < 0 ? "refused" : "granted");
    }
}
