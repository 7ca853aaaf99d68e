// Sharing a file: processes that map the same block of the same file see the
// same page, without fork and without copies.
//
//   mager course cxx share_file.cpp -o share_file
//   mager course run -m 4 --log - -- ./share_file
//
// Watch for: the child maps the block by name, as any process could; it finds
// the page resident, so there is neither a fault nor a file_read: the table
// shows the same physical page in both. The last one to leave it does not
// write it: it stays as a ghost, and goes home when it is evicted or when the
// pager ends.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/wait.h>
#include <unistd.h>

#include "vm_app.h"

static const char name[] = "share_file.dat";

static void make_file() {
    std::FILE *file = std::fopen(name, "wb");
    if (file == nullptr) {
        std::perror(name);
        std::exit(EXIT_FAILURE);
    }
    for (unsigned i = 0; i < VM_PAGESIZE; ++i) {
        std::fputc('.', file);
    }
    std::fclose(file);
}

static char *map_board() {
    char *filename = static_cast<char *>(vm_map(nullptr, 0));
    if (filename == nullptr) {
        std::puts("swap is full");
        std::exit(EXIT_FAILURE);
    }
    std::strcpy(filename, name);
    return static_cast<char *>(vm_map(filename, 0));
}

int main() {
    make_file();
    const pid_t child = fork();
    if (child < 0) {
        std::puts("no room for a child");
        return EXIT_FAILURE;
    }
    char *board = map_board();
    const char *who = child == 0 ? "child" : "parent";
    // In turns: each writes a letter where the other can see it.
    for (unsigned turn = 0; turn < 4; ++turn) {
        std::printf("the %s reads %.8s\n", who, board);
        std::fflush(stdout);
        board[turn * 2 + (child == 0 ? 1 : 0)] = child == 0 ? 'c' : 'P';
        vm_yield();
    }
    if (child == 0) {
        return EXIT_SUCCESS;
    }
    int status = 0;
    waitpid(child, &status, 0);
    std::printf("at the end: %.8s\n", board);
    return status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
