// Takes its input into the arena and prints it from there; then ends as it is told: `echo CODE` or `echo signal N`.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "vm_app.h"

int main(int argc, char **argv) {
    char *page = static_cast<char *>(vm_map(nullptr, 0));
    int length = 0;
    for (int c = std::getchar(); c != EOF; c = std::getchar()) {
        page[length++] = static_cast<char>(c);
    }
    for (int i = 0; i < length; ++i) {
        std::putchar(page[i]);
    }
    std::fflush(stdout);
    std::fputs("to standard error\n", stderr);
    if (argc > 2 && std::strcmp(argv[1], "signal") == 0) {
        std::raise(std::atoi(argv[2]));
    }
    return argc > 1 ? std::atoi(argv[1]) : 0;
}
