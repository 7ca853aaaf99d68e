// Fork with copy-on-write: parent and child share every page until one writes.
//
//   mager course cxx fork_copy.cpp -o fork_copy
//   mager course run -m 4 --log - -- ./fork_copy
//
// Watch for: vm_create copies nothing, but both lose the right to write (look
// for "r" where "rw" stood). The first write of either makes a copy; the other
// then has the page alone and may write it without one. An untouched page is
// not copied but zero-filled. The parent's waitpid lets the child run.
#include <cstdio>
#include <cstdlib>
#include <sys/wait.h>
#include <unistd.h>

#include "vm_app.h"

static const unsigned pages = 5;
static char *page[pages];

static void show(const char *who) {
    std::printf("%s sees:", who);
    for (char *at : page) {
        std::printf(" %c", at[0] == 0 ? '-' : at[0]);
    }
    std::puts("");
    std::fflush(stdout);
}

int main() {
    for (unsigned i = 0; i < pages; ++i) {
        page[i] = static_cast<char *>(vm_map(nullptr, 0));
        if (page[i] == nullptr) {
            std::puts("swap is full");
            return EXIT_FAILURE;
        }
        if (i < 4) {
            page[i][0] = static_cast<char>('a' + i);
        }
    }
    show("before the fork, the parent");
    const pid_t child = fork();
    if (child < 0) {
        std::puts("no room for a child");
        return EXIT_FAILURE;
    }
    if (child == 0) {
        show("the child");
        page[0][0] = 'A';
        page[4][0] = 'E';
        vm_yield();
        show("the child, having written,");
        return EXIT_SUCCESS;
    }
    page[1][0] = '!';
    vm_yield();
    show("the parent, having written,");
    int status = 0;
    waitpid(child, &status, 0);
    show("the parent, alone again,");
    return status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
