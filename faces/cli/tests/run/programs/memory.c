/* What the C library and the kernel promise of memory, tried under a budget smaller than what is used. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MUST(what) do { if (!(what)) { fprintf(stderr, "%s:%d: not so: %s (%s)\n", __FILE__, __LINE__, #what, strerror(errno)); exit(1); } } while (0)
#define MIB ((size_t)1 << 20)

static void fill(unsigned char *at, size_t len, unsigned seed) {
    for (size_t i = 0; i < len; i += 64) at[i] = (unsigned char)(i / 64 * 31 + i / 4096 + seed);
}
static int holds(const unsigned char *at, size_t len, unsigned seed) {
    for (size_t i = 0; i < len; i += 64) if (at[i] != (unsigned char)(i / 64 * 31 + i / 4096 + seed)) return 0;
    return 1;
}
static int zeros(const unsigned char *at, size_t len) {
    for (size_t i = 0; i < len; i += 64) if (at[i]) return 0;
    return 1;
}

static void allocation(void) {
    unsigned char *blocks[64];
    for (int i = 0; i < 64; i++) { blocks[i] = malloc(300000 + i * 1000); MUST(blocks[i]); fill(blocks[i], 300000, i); }
    for (int i = 0; i < 64; i++) MUST(holds(blocks[i], 300000, i) && malloc_usable_size(blocks[i]) >= 300000);
    for (int i = 0; i < 64; i++) { blocks[i] = realloc(blocks[i], 600000); MUST(blocks[i] && holds(blocks[i], 300000, i)); }
    for (int i = 0; i < 64; i++) free(blocks[i]);
    unsigned char *large = malloc(20 * MIB);
    MUST(large); fill(large, 20 * MIB, 1);
    large = realloc(large, 40 * MIB); MUST(large && holds(large, 20 * MIB, 1));
    large = realloc(large, 18 * MIB); MUST(large && holds(large, 18 * MIB, 1));
    large = realloc(large, 4096); MUST(large && holds(large, 4096, 1));
    free(large);
    large = calloc(5, 8 * MIB); MUST(large && zeros(large, 40 * MIB)); free(large);
    void *aligned;
    for (size_t align = 16; align <= 32 * MIB; align *= 2) {
        MUST(posix_memalign(&aligned, align, 100000) == 0 && (uintptr_t)aligned % align == 0);
        memset(aligned, 1, 100000); free(aligned);
    }
    MUST(posix_memalign(&aligned, 24, 1) == EINVAL);
    volatile size_t huge = (size_t)1 << 40, many = SIZE_MAX / 2;
    errno = 0; MUST(!malloc(huge) && errno == ENOMEM);
    errno = 0; MUST(!calloc(many, 4) && errno == ENOMEM);
    errno = 0; MUST(!reallocarray(NULL, many, 4) && errno == ENOMEM);
    MUST(mmap(0, huge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == ENOMEM);
}

static sigjmp_buf *back;
static void caught(int signal) { (void)signal; siglongjmp(*back, 1); }
static int touches(volatile unsigned char *at, int store) {
    sigjmp_buf here; struct sigaction mine = {.sa_handler = caught}, former; int ok = 1;
    back = &here; MUST(sigaction(SIGSEGV, &mine, &former) == 0);
    if (sigsetjmp(here, 1)) ok = 0; else if (store) *at = 9; else (void)*at;
    MUST(sigaction(SIGSEGV, &former, NULL) == 0);
    return ok;
}

static void mappings(void) {
    size_t len = 24 * MIB;
    unsigned char *at = mmap(0, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    MUST(at != MAP_FAILED && zeros(at, len)); fill(at, len, 3); MUST(holds(at, len, 3));
    MUST(madvise(at + 4 * MIB, 4 * MIB, MADV_DONTNEED) == 0 && zeros(at + 4 * MIB, 4 * MIB));
    MUST(holds(at, 4 * MIB, 3));
    MUST(mprotect(at, MIB, PROT_READ) == 0 && touches(at, 0) && !touches(at, 1) && touches(at + MIB, 0));
    MUST(mprotect(at, MIB, PROT_NONE) == 0 && !touches(at, 0));
    MUST(mprotect(at, MIB, PROT_READ | PROT_WRITE) == 0 && holds(at, 4 * MIB, 3));
    MUST(munmap(at + 8 * MIB, 8 * MIB) == 0 && holds(at, 4 * MIB, 3));
    unsigned char *grown = mremap(at, 8 * MIB, 12 * MIB, MREMAP_MAYMOVE);
    MUST(grown != MAP_FAILED && holds(grown, 4 * MIB, 3) && zeros(grown + 8 * MIB, 4 * MIB));
    grown = mremap(grown, 12 * MIB, 2 * MIB, 0); MUST(grown != MAP_FAILED && holds(grown, 2 * MIB, 3));
    MUST(mmap(grown, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == grown);
    MUST(zeros(grown, MIB));
    int file = open(__FILE__, O_RDONLY); char head[8] = {0};
    MUST(file < 0 || pread(file, head, 7, 0) == 7);
    if (file >= 0) {
        MUST(mmap(grown, 4096, PROT_READ, MAP_PRIVATE | MAP_FIXED, file, 0) == grown && !memcmp(grown, head, 7));
        close(file);
    }
    MUST(munmap(grown, 2 * MIB) == 0 && munmap(at + 16 * MIB, 8 * MIB) == 0);
}

static void *writer(void *at) { for (int i = 0; i < 6; i++) fill(at, 2 * MIB, i); MUST(holds(at, 2 * MIB, 5)); return at; }

static void children(void) {
    pthread_t threads[4]; unsigned char *parts = malloc(8 * MIB), *mine = malloc(6 * MIB);
    fill(mine, 6 * MIB, 7);
    for (int i = 0; i < 4; i++) MUST(pthread_create(&threads[i], NULL, writer, parts + i * 2 * MIB) == 0);
    for (int i = 0; i < 8; i++) {
        pid_t child = fork(); MUST(child >= 0);
        if (!child) {
            MUST(holds(mine, 6 * MIB, 7)); fill(mine, 6 * MIB, 8 + i); MUST(holds(mine, 6 * MIB, 8 + i));
            free(malloc(MIB)); _exit(40 + i);
        }
        int status; MUST(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 40 + i);
    }
    for (int i = 0; i < 4; i++) MUST(pthread_join(threads[i], NULL) == 0);
    MUST(holds(mine, 6 * MIB, 7));
    pid_t bare = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (bare == 0) _exit(mine[64]);
    int status; MUST(bare > 0 && waitpid(bare, &status, 0) == bare);
    MUST(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    free(parts); free(mine);
}

static void descriptors(void) {
    MUST(close_range(3, 5000, 0) == 0);
    for (int fd = 3; fd < 5000; fd++) close(fd);
    closefrom(3);
    int lowest = open("/dev/null", O_RDONLY); MUST(lowest == 3); close(lowest);
    int direct = open("memory.tmp", O_RDWR | O_CREAT | O_DIRECT, 0600); MUST(direct >= 0);
    MUST((fcntl(direct, F_GETFL) & O_DIRECT) == 0);
    MUST(fcntl(direct, F_SETFL, O_DIRECT) == 0 && (fcntl(direct, F_GETFL) & O_DIRECT) == 0);
    close(direct); unlink("memory.tmp");
}

static void placement(void) {
    cpu_set_t all, one, now; MUST(sched_getaffinity(0, sizeof all, &all) == 0);
    unsigned char *work = malloc(20 * MIB);
    for (int i = 0; i < 3; i++) { fill(work, 20 * MIB, i); MUST(holds(work, 20 * MIB, i)); }
    MUST(sched_getaffinity(0, sizeof now, &now) == 0 && CPU_EQUAL(&all, &now));
    CPU_ZERO(&one); for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) if (CPU_ISSET(cpu, &all)) { CPU_SET(cpu, &one); break; }
    MUST(sched_setaffinity(0, sizeof one, &one) == 0);
    fill(work, 20 * MIB, 9); MUST(sched_getaffinity(0, sizeof now, &now) == 0 && CPU_EQUAL(&one, &now));
    MUST(sched_setaffinity(0, sizeof all, &all) == 0); free(work);
}

static pthread_barrier_t all;
static void *block_of_a_thread(void *at) {
    unsigned char *block = *(void **)at = malloc(100);
    pthread_barrier_wait(&all);
    MUST(block && memset(block, 1, 100));
    pthread_barrier_wait(&all);
    free(block);
    return NULL;
}

/* More threads than there are segments in the heap: their memory comes from the arena all the same. */
static void threads(void) {
    enum { MANY = 1100 };
    static pthread_t thread[MANY];
    static void *block[MANY];
    char line[256];
    unsigned long from = 0, to = 0, mine;
    pthread_attr_t small;
    MUST(!pthread_barrier_init(&all, NULL, MANY + 1) && !pthread_attr_init(&small));
    MUST(!pthread_attr_setstacksize(&small, 64 << 10) && (mine = (unsigned long)malloc(100)));
    for (int i = 0; i < MANY; i++) MUST(!pthread_create(&thread[i], &small, block_of_a_thread, &block[i]));
    pthread_barrier_wait(&all);
    FILE *maps = fopen("/proc/self/maps", "r");
    MUST(maps);
    while (fgets(line, sizeof line, maps)) {
        MUST(sscanf(line, "%lx-%lx", &from, &to) == 2);
        if (from <= mine && mine < to) break;
    }
    for (int i = 0; i < MANY; i++) MUST(from <= (unsigned long)block[i] && (unsigned long)block[i] < to);
    fclose(maps);
    pthread_barrier_wait(&all);
    for (int i = 0; i < MANY; i++) MUST(!pthread_join(thread[i], NULL));
}

/* The largest block that is to be had, in MiB. */
static size_t room(void) {
    size_t most = 0;
    for (size_t step = 512; step; step /= 2) {
        void *volatile block = malloc((most + step) * MIB);
        if (block) most += step;
        free(block);
    }
    return most;
}

/* `total` bytes of swap are all that there is, and nearly all of it is to be had and used, in blocks of any
   size: again, when those of another size are freed. */
static void shortage(size_t total, size_t size) {
    void **blocks = NULL, **block;
    size_t count = 0, most = total / size, before = room();
    errno = 0;
    while ((block = malloc(size)) && count <= most) {
        for (size_t at = 0; at < size; at += 65536) ((volatile char *)block)[at] = 1;
        *block = blocks; blocks = block; count++;
    }
    MUST(!block && errno == ENOMEM && count <= most && count > most * 3 / 4);
    for (int i = 0; i < 100; i++) { void *volatile more = malloc(size); MUST(!more); }
    while ((block = blocks)) { blocks = *block; free(block); }
    MUST(room() + 20 >= before);
}

/* Blocks that are refused leave nothing reserved. */
static void refusals(void) {
    size_t before = room();
    for (int i = 0; i < 10; i++) {
        void *volatile most = malloc((room() - 10) * MIB), *volatile more[8];
        size_t count = 0;
        while (count < 8 && (more[count] = malloc(15 * MIB))) count++;
        MUST(most && count < 8);
        free(most);
        while (count) free(more[--count]);
    }
    MUST(room() + 20 >= before);
}

/* An aligned block that is refused or given, never given without memory. */
static void aligned_shortage(size_t total) {
    void *held[128], *volatile block;
    size_t count = 0, most = total / (16 * MIB);
    MUST(most < 128);
    while (count <= most && !posix_memalign(&held[count], 4096, 16 * MIB)) memset(held[count++], 1, 65536);
    MUST(count > most * 3 / 4 && count <= most);
    for (size_t size = 8 * MIB; size >= MIB; size /= 2)
        if ((block = aligned_alloc(MIB, size))) {
            for (size_t at = 0; at < size; at += 4096) ((char *)block)[at] = 1;
            free(block);
        }
    while (count) free(held[--count]);
}

/* `memory`: all promises but those on shortage. `memory MIB`: addresses and swap of so many MiB are used up. */
int main(int argc, char **argv) {
    if (argc > 1) {
        size_t total = strtoul(argv[1], NULL, 10) * MIB;
        refusals(); aligned_shortage(total);
        shortage(total, MIB - 64); shortage(total, 9 * MIB); shortage(total, 40 * MIB);
        shortage(total, 15 * MIB); shortage(total, 8000);
        threads();
    } else {
        allocation(); mappings(); children(); descriptors(); placement();
    }
    puts("as promised");
    return 0;
}
