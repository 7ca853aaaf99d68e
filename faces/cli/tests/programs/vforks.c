/* A child that still has its parent's memory (vfork) touches it when the file "go" is there. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(void)
{
    volatile char *memory = malloc(64 << 20);
    puts("ready");
    fflush(stdout);
    if (vfork() == 0) {
        while (access("go", F_OK) != 0)
            usleep(10000);
        memory[32 << 20] = 1;
        _exit(0);
    }
    puts("gone on");
    return 0;
}
