// Touches pages of its arena at random and writes down each touch, in the form of valgrind's lackey: the list by
// which a simulation can be held against the pager. references PAGES TOUCHES SEED FILE
#include "vm_app.h"
#include <cstdio>
#include <cstdlib>

int main(int argc, char **argv) {
    if (argc != 5) {
        std::fputs("usage: references PAGES TOUCHES SEED FILE\n", stderr);
        return 2;
    }
    const unsigned pages = std::strtoul(argv[1], nullptr, 10), touches = std::strtoul(argv[2], nullptr, 10);
    unsigned long long state = std::strtoull(argv[3], nullptr, 10) * 2 + 1;
    std::FILE *list = std::fopen(argv[4], "w");
    if (list == nullptr) {
        std::perror(argv[4]);
        return 1;
    }
    for (unsigned page = 0; page < pages; page++)
        if (vm_map(nullptr, 0) == nullptr) return 1;
    volatile char *arena = reinterpret_cast<volatile char *>(0x600000000);
    for (unsigned touch = 0; touch < touches; touch++) {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        const unsigned high = state >> 33;
        // Skewed: the smaller of two draws, so that policies differ.
        const unsigned first = high % pages, second = (high / 4096) % pages;
        const unsigned long at = 0x600000000UL + 65536UL * (first < second ? first : second);
        if (high % 7 < 2) {
            arena[at - 0x600000000UL] = static_cast<char>(touch);
            std::fprintf(list, " S %lx,1\n", at);
        } else {
            (void)arena[at - 0x600000000UL];
            std::fprintf(list, " L %lx,1\n", at);
        }
    }
    return std::fclose(list) == 0 ? 0 : 1;
}
