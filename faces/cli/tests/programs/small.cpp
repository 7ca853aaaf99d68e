// A few calls of every kind, for a log that can be read line by line.
#include <cstring>
#include <sys/wait.h>
#include <unistd.h>

#include "vm_app.h"

int main() {
    char *page = static_cast<char *>(vm_map(nullptr, 0));
    std::strcpy(page, "f");
    volatile char *file = static_cast<char *>(vm_map(page, 0));
    const pid_t child = fork();
    if (child == 0) {
        page[3] = 'x';
        _exit(0);
    }
    waitpid(child, nullptr, 0);
    return file[5] == 'f' ? 0 : 1;
}
