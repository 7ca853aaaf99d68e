// Running out of swap: refused when asked for, never in the middle of a run.
//
//   mager course cxx swap_full.cpp -o swap_full
//   mager course run -m 4 -s 10 --log - -- ./swap_full
//
// Watch for: every swap page reserves a block when it is mapped, though it is
// assigned one only when it is first written out. So the eleventh map returns
// null and consumes nothing, and a fork, which would reserve as many again, is
// refused: fork returns -1, vm_create -1, and nothing has changed. A child
// forked while there was room returns what it reserved when it ends.
#include <cstdio>
#include <cstdlib>
#include <sys/wait.h>
#include <unistd.h>

#include "vm_app.h"

static pid_t try_fork(const char *when) {
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        _exit(EXIT_SUCCESS);
    }
    std::printf("fork %s: %s\n", when, child < 0 ? "refused" : "granted");
    if (child > 0) {
        waitpid(child, nullptr, 0);
    }
    return child;
}

int main() {
    char *first = static_cast<char *>(vm_map(nullptr, 0));
    if (first == nullptr) {
        std::puts("there is no swap at all");
        return EXIT_FAILURE;
    }
    try_fork("with one page");
    unsigned count = 1;
    while (char *page = static_cast<char *>(vm_map(nullptr, 0))) {
        page[0] = static_cast<char>(count);
        ++count;
    }
    std::printf("%u pages were granted\n", count);
    try_fork("with all of them");
    unsigned intact = 0;
    for (unsigned i = 0; i < count; ++i) {
        intact += first[i * VM_PAGESIZE] == static_cast<char>(i) ? 1 : 0;
    }
    std::printf("%u pages are intact\n", intact);
    return intact == count ? EXIT_SUCCESS : EXIT_FAILURE;
}
