/* What mmap(2) and its kin promise at the edges: lengths that are none, holes, rights, advice.
   `mappings`: all of it. `mappings CHECK`: one check. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define MUST(what) do { if (!(what)) { fprintf(stderr, "%s:%d: not so: %s (%s)\n", __FILE__, __LINE__, #what, strerror(errno)); exit(1); } } while (0)
#define REFUSED(how, call) do { errno = 0; MUST(!(call) && errno == (how)); } while (0)
#define MIB ((size_t)1 << 20)
#define KIB ((size_t)1 << 10)
#define PAGE ((size_t)4096)
#define RW (PROT_READ | PROT_WRITE)
#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS)
#define FIXED (PRIVATE | MAP_FIXED)

typedef unsigned char *volatile Bytes;

/* Whether the pager has this program's memory: what the pager must do, the kernel need not. */
static int paged;

static unsigned char *fresh(size_t len) {
    unsigned char *at = mmap(0, len, RW, PRIVATE, -1, 0);
    MUST(at != MAP_FAILED);
    return at;
}
static int all(const unsigned char *at, size_t len, int byte) {
    for (size_t i = 0; i < len; i++) if (at[i] != byte) return 0;
    return 1;
}
static sigjmp_buf *back;
static void caught(int signal) { (void)signal; siglongjmp(*back, 1); }
static int touches(volatile unsigned char *at, int store) {
    sigjmp_buf here; struct sigaction mine = {.sa_handler = caught}, former[2]; volatile int ok = 1;
    back = &here;
    MUST(!sigaction(SIGSEGV, &mine, &former[0]) && !sigaction(SIGBUS, &mine, &former[1]));
    if (sigsetjmp(here, 1)) ok = 0; else if (store) *at = 9; else (void)*at;
    MUST(!sigaction(SIGSEGV, &former[0], NULL) && !sigaction(SIGBUS, &former[1], NULL));
    return ok;
}
/* Nothing of the past is in memory any more. */
static void press(void) {
    unsigned char *all_of_it = fresh(40 * MIB);
    memset(all_of_it, 1, 40 * MIB);
    MUST(!munmap(all_of_it, 40 * MIB));
}

/* What is mapped before anything is allocated counts, too. Nothing is allocated here. */
static void first(void) {
    static char status[8192];
    Bytes at = fresh(48 * MIB);
    memset(at, 7, 48 * MIB);
    int file = open("/proc/self/status", O_RDONLY);
    MUST(file >= 0 && read(file, status, sizeof status - 1) > 0);
    close(file);
    char *anonymous = strstr(status, "RssAnon:");
    MUST(anonymous && (!paged || strtoul(anonymous + 8, NULL, 10) < 16 << 10));
    MUST(all(at, 48 * MIB, 7) && !munmap(at, 48 * MIB));
}

static void sizes(void) {
    volatile size_t most = SIZE_MAX, huge = SIZE_MAX - 2 * PAGE + 1, nothing = 0;
    Bytes block = malloc(32 * MIB), at = fresh(MIB);
    MUST(block); memset(block, 3, 32 * MIB); memset(at, 4, MIB);
    void *volatile grown;
    REFUSED(ENOMEM, grown = realloc(block, most));
    REFUSED(ENOMEM, grown = realloc(block, huge));
    MUST(all(block, 32 * MIB, 3));
    MUST(mremap(at, MIB, huge, MREMAP_MAYMOVE) == MAP_FAILED && mremap(at, MIB, huge, 0) == MAP_FAILED);
    MUST(mremap(at, MIB, most, MREMAP_MAYMOVE) == MAP_FAILED);
    REFUSED(EINVAL, mremap(at, MIB, nothing, MREMAP_MAYMOVE) != MAP_FAILED);
    REFUSED(EINVAL, mremap(at + 1, MIB, 2 * MIB, MREMAP_MAYMOVE) != MAP_FAILED);
    REFUSED(EINVAL, !munmap(at, huge));
    MUST(mprotect(at, huge, PROT_READ) && mprotect(block + 1, PAGE, PROT_READ) && mprotect(at + 1, PAGE, PROT_READ));
    MUST(all(at, MIB, 4) && touches(at, 1) && at[0] == 9);
    grown = realloc(block, 40 * MIB); MUST(grown && all(grown, 32 * MIB, 3)); free(grown);
    MUST(!munmap(at, MIB));
}

static void fixed_lengths(void) {
    Bytes at = fresh(MIB);
    memset(at, 255, MIB);
    MUST(mmap(at, 100, RW, FIXED, -1, 0) == at && all(at, PAGE, 0) && all(at + PAGE, MIB - PAGE, 255));
    MUST(mmap(at + 2 * PAGE, PAGE + 1, PROT_READ, FIXED, -1, 0) == at + 2 * PAGE);
    MUST(all(at + 2 * PAGE, 2 * PAGE, 0) && !touches(at + 3 * PAGE, 1) && at[4 * PAGE] == 255);
    REFUSED(EINVAL, mmap(at + 1, PAGE, RW, FIXED, -1, 0) != MAP_FAILED);
    MUST(mmap(at, SIZE_MAX - PAGE + 1, RW, FIXED, -1, 0) == MAP_FAILED && at[MIB - 1] == 255);
    MUST(!munmap(at, MIB));
}

static void fixed_over_holes(void) {
    Bytes at = fresh(MIB), other;
    memset(at, 1, MIB);
    MUST(!munmap(at, MIB) && mmap(at, MIB, RW, FIXED, -1, 0) == at && all(at, MIB, 0));
    memset(at, 2, MIB);
    other = fresh(MIB); memset(other, 3, MIB); MUST(all(at, MIB, 2));
    MUST(!munmap(at + 256 * KIB, 128 * KIB) && !munmap(at + 512 * KIB, 128 * KIB));
    MUST(mmap(at + 128 * KIB, 640 * KIB, PROT_READ, FIXED, -1, 0) == at + 128 * KIB);
    MUST(all(at, 128 * KIB, 2) && all(at + 128 * KIB, 640 * KIB, 0) && all(at + 768 * KIB, 256 * KIB, 2));
    MUST(!touches(at + 300 * KIB, 1) && !mprotect(at, MIB, RW));
    memset(at, 4, MIB); MUST(all(other, MIB, 3));
    press(); MUST(all(at, MIB, 4) && all(other, MIB, 3));
    MUST(!munmap(at, MIB) && !munmap(other, MIB));
}

/* Holes for which there is no swap stay what they are. */
static void fixed_without_swap(void) {
    void **blocks = NULL, **block;
    size_t mib = 0;
    if (!paged) return;
    Bytes at = fresh(9 * MIB);
    memset(at, 1, 9 * MIB); MUST(!munmap(at + 4 * MIB, 4 * MIB));
    while ((block = malloc(MIB - 64)) && mib++ < 200) { *block = blocks; blocks = block; }
    MUST(!block);
    REFUSED(ENOMEM, mmap(at + 3 * MIB, 6 * MIB, RW, FIXED, -1, 0) != MAP_FAILED);
    MUST(all(at, 4 * MIB, 1) && all(at + 8 * MIB, MIB, 1) && !touches(at + 4 * MIB, 0));
    while ((block = blocks)) { blocks = *block; free(block); }
    void *volatile large = malloc(20 * MIB); MUST(large); free(large);
    Bytes next = fresh(4 * MIB);
    memset(next, 2, 4 * MIB); MUST(all(at, 4 * MIB, 1) && all(at + 8 * MIB, MIB, 1));
    MUST(!munmap(next, 4 * MIB) && !munmap(at, 9 * MIB));
}

static void fixed_in_the_heap(void) {
    Bytes block = memalign(PAGE, MIB), at = block + PAGE;
    MUST(block); memset(block, 1, MIB);
    MUST(mmap(at, 2 * PAGE, RW, FIXED, -1, 0) == at && all(at, 2 * PAGE, 0));
    at[0] = 5; press(); MUST(at[0] == 5 && block[0] == 1 && at[2 * PAGE] == 1);
    MUST(mmap(at, 100, PROT_NONE, FIXED, -1, 0) == at && !touches(at, 0) && touches(at + PAGE, 1));
    MUST(!mprotect(at, PAGE, RW) && all(at, PAGE, 0) && at[PAGE] == 9 && at[2 * PAGE] == 1);
    free(block);
}

/* A file that ends in its second page, over whatever was there. */
static void file_over(unsigned char *at) {
    int file = open("mappings.tmp", O_RDWR | O_CREAT | O_TRUNC, 0600), writes;
    static char bytes[5000];
    memset(bytes, 6, sizeof bytes); memset(at, 255, 4 * PAGE);
    MUST(file >= 0 && write(file, bytes, sizeof bytes) == sizeof bytes);
    MUST((writes = open("mappings.tmp", O_WRONLY)) >= 0);
    REFUSED(EACCES, mmap(at, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, writes, 0) != MAP_FAILED);
    REFUSED(EBADF, mmap(at, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, 555, 0) != MAP_FAILED);
    REFUSED(EINVAL, mmap(at, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, file, 1) != MAP_FAILED);
    MUST(all(at, 4 * PAGE, 255));
    MUST(mmap(at, 6000, PROT_READ, MAP_PRIVATE | MAP_FIXED, file, 0) == at);
    MUST(all(at, 5000, 6) && all(at + 5000, 2 * PAGE - 5000, 0) && all(at + 2 * PAGE, 2 * PAGE, 255) && !touches(at, 1));
    MUST(mmap(at + 2 * PAGE, 100, RW, MAP_PRIVATE | MAP_FIXED, file, 0) == at + 2 * PAGE && all(at + 2 * PAGE, PAGE, 6));
    MUST(mmap(at, PAGE, RW, MAP_PRIVATE | MAP_FIXED, file, PAGE) == at);
    MUST(all(at, 5000 - PAGE, 6) && all(at + 5000 - PAGE, 2 * PAGE - 5000, 0));
    MUST(!mprotect(at, 2 * PAGE, RW));
    close(file); close(writes); unlink("mappings.tmp");
}
static void fixed_files(void) {
    Bytes at = fresh(MIB), block = memalign(PAGE, MIB);
    file_over(at); file_over(block);
    free(block); MUST(!munmap(at, MIB));
}

static void rights_over_holes(void) {
    Bytes at = fresh(MIB);
    MUST(!munmap(at + 512 * KIB, 512 * KIB));
    REFUSED(ENOMEM, !mprotect(at, MIB, PROT_READ));
    MUST(touches(at, 0) && !touches(at, 1));
    REFUSED(ENOMEM, !mprotect(at + 512 * KIB, 512 * KIB, PROT_NONE));
    Bytes next = fresh(512 * KIB);
    memset(next, 1, 512 * KIB);
    MUST(!munmap(next, 512 * KIB) && !munmap(at, 512 * KIB));
    next = fresh(MIB); memset(next, 1, MIB); MUST(!munmap(next, MIB));
}

static int dies_in_a_child(volatile unsigned char *at, int store) {
    pid_t child = fork(); MUST(child >= 0);
    if (!child) { signal(SIGSEGV, SIG_DFL); if (store) *at = 1; else (void)*at; _exit(0); }
    int status; MUST(waitpid(child, &status, 0) == child);
    MUST(WIFSIGNALED(status) ? WTERMSIG(status) == SIGSEGV : WEXITSTATUS(status) == 0);
    return WIFSIGNALED(status);
}
static int are(unsigned char *at, const int *rights, int pages) {
    for (int i = 0; i < pages; i++) {
        if (touches(at + i * PAGE, 0) != !!(rights[i] & PROT_READ)) return 0;
        if (touches(at + i * PAGE, 1) != !!(rights[i] & PROT_WRITE)) return 0;
    }
    return 1;
}
/* Any rights of any pages, in any order. */
static void mixed_rights(unsigned char *at) {
    enum { PAGES = 24 };
    const int some[] = {PROT_NONE, PROT_READ, RW};
    int rights[PAGES], status;
    unsigned seed = 1;
    for (int i = 0; i < PAGES; i++) rights[i] = RW;
    for (int round = 1; round <= 300; round++) {
        seed = seed * 1103515245 + 12345;
        int from = (seed >> 8) % PAGES, count = 1 + (seed >> 13) % (PAGES - from), given = some[(seed >> 20) % 3];
        MUST(!mprotect(at + from * PAGE, count * PAGE, given));
        for (int i = from; i < from + count; i++) rights[i] = given;
        if (round % 30) continue;
        MUST(are(at, rights, PAGES));
        pid_t child = fork(); MUST(child >= 0);
        if (!child) _exit(are(at, rights, PAGES));
        MUST(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 1);
    }
    MUST(!mprotect(at, PAGES * PAGE, RW) && touches(at, 1));
}
static void rights_in_a_child(void) {
    Bytes block = memalign(PAGE, 16 * PAGE), at = fresh(MIB);
    memset(block, 1, 16 * PAGE);
    MUST(!mprotect(block, 2 * PAGE, PROT_NONE) && !mprotect(block + 2 * PAGE, PAGE, PROT_READ));
    MUST(!mprotect(at, PAGE, PROT_NONE) && !mprotect(at + PAGE, PAGE, PROT_READ));
    MUST(dies_in_a_child(block, 0) && dies_in_a_child(block + PAGE, 0) && dies_in_a_child(at, 0));
    MUST(dies_in_a_child(block + 2 * PAGE, 1) && !dies_in_a_child(block + 2 * PAGE, 0));
    MUST(dies_in_a_child(at + PAGE, 1) && !dies_in_a_child(at + PAGE, 0));
    MUST(!mprotect(block + PAGE, PAGE, RW) && !dies_in_a_child(block + PAGE, 1) && dies_in_a_child(block, 0));
    MUST(!dies_in_a_child(block + 3 * PAGE, 1) && !mprotect(block, 4 * PAGE, RW) && !dies_in_a_child(block, 1));
    MUST(all(block, 16 * PAGE, 1) && !mprotect(at, MIB, RW)); free(block);
    block = memalign(PAGE, 24 * PAGE); MUST(block);
    mixed_rights(block); mixed_rights(at);
    free(block); MUST(!munmap(at, MIB));
}

static void moves(void) {
    Bytes at = fresh(2 * MIB), grown;
    memset(at, 1, MIB); memset(at + MIB, 2, MIB);
    MUST(!mprotect(at, MIB, PROT_NONE));
    grown = mremap(at, MIB, 4 * MIB, MREMAP_MAYMOVE);
    MUST(grown != MAP_FAILED && grown != at && !touches(grown, 0) && !touches(grown + 3 * MIB, 0));
    MUST(!mprotect(grown, 4 * MIB, RW) && all(grown, MIB, 1) && all(grown + MIB, 3 * MIB, 0) && all(at + MIB, MIB, 2));
    MUST(!munmap(grown, 4 * MIB) && !munmap(at, 2 * MIB));
    at = fresh(4 * MIB); memset(at, 3, MIB);
    MUST(!munmap(at + MIB, 3 * MIB) && !mprotect(at, MIB, PROT_READ));
    grown = mremap(at, MIB, 2 * MIB, MREMAP_MAYMOVE);
    MUST(grown != MAP_FAILED && !touches(grown, 1) && !touches(grown + MIB, 1) && !touches(grown + 2 * MIB - 1, 1));
    MUST(all(grown, MIB, 3) && all(grown + MIB, MIB, 0) && !munmap(grown, 2 * MIB));
    at = fresh(MIB); memset(at, 5, MIB); MUST(!munmap(at + 512 * KIB, 128 * KIB));
    REFUSED(EFAULT, mremap(at, MIB, 2 * MIB, MREMAP_MAYMOVE) != MAP_FAILED);
    MUST(all(at, 512 * KIB, 5) && all(at + 640 * KIB, 384 * KIB, 5));
    MUST(!munmap(at, MIB));
    at = fresh(MIB); memset(at, 7, MIB);
    Bytes small = fresh(16 * PAGE);
    int there = MREMAP_MAYMOVE | MREMAP_FIXED;
    if (paged) REFUSED(ENOMEM, mremap(small, 16 * PAGE, 16 * PAGE, there, at + PAGE) != MAP_FAILED);
    MUST(all(at, MIB, 7) && !munmap(small, 16 * PAGE) && !munmap(at, MIB));
    at = fresh(2 * MIB); at[PAGE - 1] = 6; grown = mremap(at, 100, MIB, MREMAP_MAYMOVE);
    MUST(grown != MAP_FAILED && grown[PAGE - 1] == 6 && !munmap(grown, MIB) && !munmap(at + PAGE, 2 * MIB - PAGE));
}

static void code(void) {
#ifdef __x86_64__
    Bytes at = fresh(MIB), block = memalign(PAGE, MIB);
    at[0] = 0xc3; block[PAGE] = 0xc3;
    MUST(!mprotect(at, MIB, PROT_READ | PROT_EXEC) && !mprotect(block + PAGE, PAGE, RW | PROT_EXEC));
    ((void (*)(void))at)(); ((void (*)(void))(block + PAGE))();
    MUST(!touches(at, 1) && touches(block + PAGE, 1));
    pid_t child = fork(); MUST(child >= 0);
    if (!child) { ((void (*)(void))at)(); _exit(0); }
    int status; MUST(waitpid(child, &status, 0) == child && WIFEXITED(status));
    MUST(!mprotect(block, MIB, RW)); free(block); MUST(!munmap(at, MIB));
#endif
}

static void advised(unsigned char *at) {
    const int hints[] = {0, 1, 2, 3, 11, 12, 13, 14, 15, 16, 17, 19, 20, 21, 22, 23, 25}, none[] = {9, 10, 18, 102, 103};
    memset(at, 1, 8 * PAGE);
    MUST(!madvise(at + PAGE, PAGE, 24) && all(at + PAGE, PAGE, 0) && at[2 * PAGE] == 1);
    MUST(!madvise(at + 4 * PAGE, 1, MADV_DONTNEED) && all(at + 4 * PAGE, PAGE, 0) && at[5 * PAGE] == 1);
    REFUSED(EINVAL, !madvise(at, PAGE, 9999));
    REFUSED(EINVAL, !madvise(at + 1, PAGE, MADV_DONTNEED));
    REFUSED(EINVAL, !madvise(at + 1, PAGE, MADV_WILLNEED));
    REFUSED(EINVAL, !madvise(at, SIZE_MAX, MADV_DONTNEED));
    MUST(posix_madvise(at, PAGE, 9999) == EINVAL && !posix_madvise(at, PAGE, POSIX_MADV_DONTNEED) && at[0] == 1);
    for (size_t i = 0; paged && i < sizeof hints / sizeof *hints; i++) MUST(!madvise(at, 8 * PAGE, hints[i]));
    for (size_t i = 0; paged && i < sizeof none / sizeof *none; i++) REFUSED(EINVAL, !madvise(at, PAGE, none[i]));
    MUST(all(at, PAGE, 1) && all(at + 5 * PAGE, 3 * PAGE, 1) && touches(at, 1));
}
static void advice(void) {
    Bytes at = fresh(MIB), block = memalign(PAGE, MIB);
    advised(at); advised(block); free(block);
    memset(at, 1, MIB); MUST(!munmap(at + 512 * KIB, 256 * KIB));
    REFUSED(ENOMEM, !madvise(at, MIB, MADV_DONTNEED));
    MUST(all(at, 512 * KIB, 0) && all(at + 768 * KIB, 256 * KIB, 0) && !munmap(at, MIB));
}

static const struct { const char *name; void (*check)(void); } checks[] = {
    {"first", first}, {"sizes", sizes}, {"fixed_lengths", fixed_lengths}, {"fixed_over_holes", fixed_over_holes},
    {"fixed_without_swap", fixed_without_swap}, {"fixed_in_the_heap", fixed_in_the_heap}, {"fixed_files", fixed_files},
    {"rights_over_holes", rights_over_holes}, {"rights_in_a_child", rights_in_a_child}, {"moves", moves}, {"code", code},
    {"advice", advice},
};

int main(int argc, char **argv) {
    paged = getenv("MAGER_RUN_SOCKET") != NULL;
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        if (argc > 1 && strcmp(argv[1], checks[i].name)) continue;
        void *volatile one = i ? malloc(1) : NULL;
        free(one);
        checks[i].check();
    }
    puts("as promised");
    return 0;
}
