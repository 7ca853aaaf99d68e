/* Fills 64 MiB in 4 MiB of memory and adds it up. cc -o sum sum.c $(pkg-config --cflags --libs magerc) */
#include <errno.h>
#include <mager.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *must(void *got, const char *what) {
    if (got == NULL) {
        fprintf(stderr, "%s: %s: %s\n", what, strerror(errno), mager_last_error());
        exit(1);
    }
    return got;
}

int main(void) {
    mager_options options = {.memory = 4 << 20, .swap = 64 << 20, .policy = "s3-fifo", .in_thread = 1};
    mager_pager *pager = must(mager_start(&options), "a pager");
    mager_arena *arena = must(mager_arena_new(pager), "an arena");
    size_t count = (64 << 20) / sizeof(uint64_t);
    uint64_t *numbers = must(mager_map(arena, count * sizeof *numbers), "memory");
    if (mager_map(arena, 1) != NULL || errno != ENOMEM) {
        return 2; /* all swap is reserved */
    }
    for (size_t i = 0; i < count; i++) {
        numbers[i] = i;
    }
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += numbers[i];
    }
    mager_figures figures;
    if (sum != (uint64_t)count * (count - 1) / 2 || mager_ask(pager, &figures) != 0) {
        return 3;
    }
    if (mager_pin(arena, numbers, 8192) != 0 || mager_unmap(arena, numbers) == 0 || errno != EBUSY) {
        return 4; /* what is pinned stays */
    }
    if (mager_unpin(arena, numbers, 8192) != 0 || mager_discard(arena, numbers, 4096) != 0 || numbers[7] != 0) {
        return 5;
    }
    if (mager_unmap(arena, numbers) != 0 || mager_unmap(arena, numbers) != -1 || errno != EINVAL) {
        return 6; /* unmapped once, and no twice */
    }
    printf("sum %llu, %llu page-ins\n", (unsigned long long)sum, (unsigned long long)figures.page_ins);
    mager_arena_free(arena);
    mager_leave(pager);
    return 0;
}
