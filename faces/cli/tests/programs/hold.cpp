// Fills two pages and the first block of a file, says so, and lets the others run until a file called "go" is there;
// then looks whether all is as it was.
#include <cstdio>
#include <cstring>
#include <unistd.h>

#include "vm_app.h"

int main() {
    char *page = static_cast<char *>(vm_map(nullptr, 0));
    char *other = static_cast<char *>(vm_map(nullptr, 0));
    std::strcpy(page, "notes");
    std::strcpy(other, "mine");
    char *notes = static_cast<char *>(vm_map(page, 0));
    std::strcpy(notes, "written by hold");
    std::puts("filled");
    std::fflush(stdout);
    while (access("go", F_OK) != 0) {
        usleep(2000);
        vm_yield();
    }
    const bool intact = std::strcmp(other, "mine") == 0 && std::strcmp(notes, "written by hold") == 0;
    std::puts(intact ? "intact" : "MISMATCH");
    return intact ? 0 : 1;
}
