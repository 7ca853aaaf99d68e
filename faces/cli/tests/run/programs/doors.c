/* What the C library promises at doors that few programs come in by. `doors NAME` tries one of them; it is to pass
   without a pager, too. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MUST(what) do { if (!(what)) { fprintf(stderr, "%s:%d: not so: %s (%s)\n", __FILE__, __LINE__, #what, strerror(errno)); exit(1); } } while (0)
#define MIB ((size_t)1 << 20)

extern int __sigaction(int, const struct sigaction *, struct sigaction *);
static int managed(void) { return getenv("MAGER_RUN_SOCKET") != NULL; }

/* What a child comes to: its exit status, or its signal and 1000. */
static int end_of(pid_t child) {
    int status;
    MUST(child > 0 && waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}
static int in_child(void (*work)(void)) {
    pid_t child = fork();
    if (child) return end_of(child);
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    work(); _exit(0);
}
static void leave(void) { _exit(3); }

/* SIGSEGV: whoever sets a handler, by whatever name, is called for its own bad touches and for no others. */
static volatile sig_atomic_t calls;
static volatile char *volatile wrong;
static sigjmp_buf back;
static void bad(int signal) { calls++; siglongjmp(back, signal); }
static void says_what(int signal) { _exit(signal == SIGSEGV ? 77 : 78); }
static void touch(void) { *wrong = 1; }
static void quiet(void) {
    /* fork(3) itself looks at every open stream in the child. */
    FILE *stream = fopen("/dev/null", "w");
    MUST(stream && fputs("x", stream) > 0);
    MUST(in_child(leave) == 3);
    MUST(fclose(stream) == 0);
}
static void handled(sighandler_t before) {
    struct sigaction now;
    MUST(before == SIG_DFL);
    MUST(sigaction(SIGSEGV, NULL, &now) == 0 && now.sa_handler == says_what);
    quiet();
    MUST(in_child(touch) == 77);
    MUST(signal(SIGSEGV, SIG_DFL) == says_what);
    MUST(in_child(touch) == 1000 + SIGSEGV);
}
static void handlers(void) {
    struct sigaction mine = {.sa_handler = says_what}, former;
    handled(signal(SIGSEGV, says_what));
    handled(__sysv_signal(SIGSEGV, says_what));
    handled(sysv_signal(SIGSEGV, says_what));
    handled(ssignal(SIGSEGV, says_what));
    MUST(__sigaction(SIGSEGV, &mine, &former) == 0);
    handled(former.sa_handler);
    handled(sigset(SIGSEGV, says_what));
    /* What is ignored is ignored if somebody sends it. */
    MUST(sigignore(SIGSEGV) == 0);
    quiet();
    MUST(raise(SIGSEGV) == 0 && in_child(touch) == 1000 + SIGSEGV);
    MUST(sigset(SIGSEGV, SIG_HOLD) == SIG_IGN && sigset(SIGSEGV, SIG_HOLD) == SIG_HOLD);
    quiet();
    MUST(sigset(SIGSEGV, SIG_DFL) == SIG_HOLD && sigset(SIGSEGV, SIG_DFL) == SIG_DFL);
    errno = 0; MUST(signal(SIGSEGV, SIG_ERR) == SIG_ERR && errno == EINVAL);
    errno = 0; MUST(sysv_signal(SIGSEGV, SIG_ERR) == SIG_ERR && errno == EINVAL);
    /* Other signals are none of our business. */
    MUST(sysv_signal(SIGUSR1, bad) == SIG_DFL && sigset(SIGUSR2, bad) == SIG_DFL);
    if (!sigsetjmp(back, 1)) raise(SIGUSR1);
    MUST(calls == 1 && signal(SIGUSR1, SIG_DFL) == SIG_DFL);
    MUST(sigset(SIGUSR2, SIG_HOLD) == bad && sigset(SIGUSR2, SIG_DFL) == SIG_HOLD);
}

/* Flags and mask of a handler of SIGSEGV hold while it runs, and no longer. */
static volatile sig_atomic_t blocked, others;
static void returns(int signal) { (void)signal; if (++calls > 1000) _exit(9); }
static void looks(int signal) {
    sigset_t now;
    MUST(sigprocmask(SIG_BLOCK, NULL, &now) == 0);
    blocked = sigismember(&now, SIGSEGV); others = sigismember(&now, SIGUSR1);
    siglongjmp(back, signal);
}
static void again(int signal) { (void)signal; if (++calls > 1) _exit(4); *wrong = 2; }
static void forks(int signal) { (void)signal; quiet(); _exit(5); }
static void with(int flags, void (*handler)(int), int other) {
    struct sigaction mine = {.sa_handler = handler, .sa_flags = flags};
    sigemptyset(&mine.sa_mask);
    if (other) sigaddset(&mine.sa_mask, other);
    calls = 0;
    MUST(sigaction(SIGSEGV, &mine, NULL) == 0);
}
static void is_blocked(int flags, int other, int segv) {
    sigset_t now;
    with(flags, looks, other);
    blocked = others = -1;
    if (!sigsetjmp(back, 1)) touch();
    MUST(blocked == segv && others == (other == SIGUSR1));
    MUST(sigprocmask(SIG_BLOCK, NULL, &now) == 0 && !sigismember(&now, SIGSEGV) && !sigismember(&now, SIGUSR1));
}
static void sends(void) { raise(SIGSEGV); raise(SIGSEGV); }
static void flags(void) {
    struct sigaction now;
    sigset_t mask;
    with(SA_RESETHAND, returns, 0);
    MUST(in_child(touch) == 1000 + SIGSEGV);
    MUST(in_child(sends) == 1000 + SIGSEGV);
    MUST(raise(SIGSEGV) == 0 && calls == 1);
    MUST(sigaction(SIGSEGV, NULL, &now) == 0 && now.sa_handler == SIG_DFL);
    MUST(sigprocmask(SIG_BLOCK, NULL, &mask) == 0 && !sigismember(&mask, SIGSEGV));
    quiet();
    with(SA_RESETHAND | SA_NODEFER, again, 0); MUST(in_child(touch) == 1000 + SIGSEGV);
    with(SA_NODEFER, again, 0); MUST(in_child(touch) == 4);
    with(0, again, 0); MUST(in_child(touch) == 1000 + SIGSEGV);
    MUST(__sysv_signal(SIGSEGV, returns) == again && in_child(touch) == 1000 + SIGSEGV);
    is_blocked(0, 0, 1); is_blocked(0, SIGUSR1, 1);
    is_blocked(SA_NODEFER, 0, 0); is_blocked(SA_NODEFER, SIGUSR1, 0); is_blocked(SA_RESETHAND, SIGUSR1, 1);
    /* A handler may fork, and so may who has blocked everything. */
    with(0, forks, 0); MUST(in_child(touch) == 5);
    sigset_t all, before, after;
    sigfillset(&all);
    MUST(sigprocmask(SIG_SETMASK, &all, &before) == 0);
    quiet();
    MUST(sigprocmask(SIG_SETMASK, &before, &after) == 0 && sigismember(&after, SIGSEGV) == 1);
    MUST(signal(SIGSEGV, SIG_DFL) == forks);
}

/* O_DIRECT, by flags that the compiler does not know: those are checked, and opened by another door. */
static volatile int known = O_RDWR;
static int is_direct(int file) {
    int now = fcntl(file, F_GETFL);
    MUST(file >= 0 && now >= 0 && close(file) == 0);
    return (now & O_DIRECT) != 0;
}
static void creates(void) { known |= O_CREAT; close(2); open("direct.tmp", known); }
static void direct(void) {
    int file = open("direct.tmp", O_RDWR | O_CREAT, 0600);
    MUST(file >= 0 && close(file) == 0);
    known |= O_DIRECT;
    file = open("direct.tmp", known);
    if (file < 0 && errno == EINVAL) { fputs("SKIPPED: no O_DIRECT in this directory\n", stderr); return; }
    int kept = !managed();
    MUST(is_direct(file) == kept);
    MUST(is_direct(open64("direct.tmp", known)) == kept);
    MUST(is_direct(openat(AT_FDCWD, "direct.tmp", known)) == kept);
    MUST(is_direct(openat64(AT_FDCWD, "direct.tmp", known)) == kept);
    MUST(in_child(creates) == 1000 + SIGABRT);
    MUST(unlink("direct.tmp") == 0);
}

/* The CPUs that a program is started with: those that this one was, however busy it has been. */
static cpu_set_t cpus;
static void busy(void) {
    static volatile char *work;
    size_t len = 40 * MIB;
    cpu_set_t now;
    CPU_ZERO(&now);
    if (!managed()) return;
    if (!work) MUST(work = malloc(len));
    for (int round = 0; round < 40; round++) {
        for (size_t at = 0; at < len; at += 4096) work[at]++;
        /* The kernel's word: the C library's is of what the program believes. */
        MUST(syscall(SYS_sched_getaffinity, 0, sizeof now, &now) > 0);
        if (CPU_COUNT(&now) < CPU_COUNT(&cpus)) return;
    }
    fputs("SKIPPED: never pulled to another CPU\n", stderr);
}
static int number(FILE *from) {
    int count = -1;
    MUST(from && fscanf(from, "%d", &count) == 1);
    return count;
}
static int by_popen(int door) {
    (void)door;
    FILE *from = popen("nproc", "r");
    int count = number(from);
    MUST(pclose(from) == 0);
    return count;
}
static int by_system(int door) {
    (void)door;
    MUST(system("nproc > nproc.tmp") == 0);
    FILE *from = fopen("nproc.tmp", "r");
    int count = number(from);
    MUST(fclose(from) == 0 && unlink("nproc.tmp") == 0);
    return count;
}
static void replaced(int door) {
    char *words[] = {"nproc", NULL};
    char path[] = "/usr/bin/nproc";
    if (door == 0) execl(path, "nproc", "--ignore", "0", NULL);
    if (door == 1) execlp("nproc", "nproc", "--ignore", "0", "--ignore", "0", "--ignore", "0", NULL);
    if (door == 2) execle(path, "nproc", NULL, environ);
    if (door == 3) execle(path, "nproc", "--ignore", "0", "--ignore", "0", "--ignore", "0", NULL, environ);
    if (door == 4) fexecve(open(path, O_RDONLY), words, environ);
    if (door == 5) execveat(AT_FDCWD, path, words, environ, 0);
    _exit(127);
}
/* Not by fork(3), which would let go of the child. */
static int by_vfork(int door) {
    int ends[2];
    MUST(pipe(ends) == 0);
    pid_t child = vfork();
    if (child == 0) { dup2(ends[1], 1); replaced(door); }
    close(ends[1]);
    FILE *from = fdopen(ends[0], "r");
    int count = number(from);
    MUST(fclose(from) == 0 && end_of(child) == 0);
    return count;
}
/* A page that comes back just then may have the thread pulled once more: now and then, not every time. */
static int all_cpus(int (*door)(int), int which) {
    for (int tries = 0; tries < 8; tries++) {
        busy();
        if (door(which) == CPU_COUNT(&cpus)) return 1;
    }
    return 0;
}
static void started(void) {
    free(malloc(1000));
    MUST(sched_getaffinity(0, sizeof cpus, &cpus) == 0);
    if (CPU_COUNT(&cpus) < 2) fputs("SKIPPED: one CPU\n", stderr);
    MUST(all_cpus(by_popen, 0) && all_cpus(by_system, 0) && system(NULL) != 0);
    for (int door = 0; door < 6; door++) if (!all_cpus(by_vfork, door)) { fprintf(stderr, "by door %d\n", door); exit(1); }
    /* A refusal comes back, with its reason, and the caller's frame as it was. */
    errno = 0; MUST(execl("/nowhere", "a", "b", "c", "d", "e", "f", "g", NULL) == -1 && errno == ENOENT);
    errno = 0; MUST(execle("/nowhere", "a", "b", "c", "d", "e", "f", NULL, environ) == -1 && errno == ENOENT);
    errno = 0; MUST(execlp("no-such-program", "a", NULL) == -1 && errno == ENOENT);
}

/* No number of a descriptor is a way to take away what the memory lives by. */
static void numbers(void) {
    struct rlimit most;
    MUST(getrlimit(RLIMIT_NOFILE, &most) == 0);
    char *block = malloc(20 * MIB);
    int null = open("/dev/null", O_RDWR), last = most.rlim_cur < 2000 ? (int)most.rlim_cur : 2000;
    MUST(null >= 0 && dup2(null, 50) == 50 && dup2(50, 50) == 50 && dup3(null, 51, O_CLOEXEC) == 51);
    MUST(fcntl(51, F_GETFD) == FD_CLOEXEC && fcntl(50, F_GETFD) == 0);
    errno = 0; MUST(dup2(999999999, 50) == -1 && errno == EBADF);
    errno = 0; MUST(dup3(null, null, 0) == -1 && errno == EINVAL);
    int ours = 0;
    for (int fd = 60; fd < last; fd++) {
        int twice = dup2(null, fd), thrice = dup3(null, fd, O_CLOEXEC);
        MUST(twice == thrice && (twice == fd || errno == EBADF));
        ours += twice < 0;
        if (twice == fd) close(fd);
    }
    MUST(managed() ? ours > 0 && ours < 20 : ours == 0);
    MUST(block && memset(block, 1, 20 * MIB) && block[10 * MIB] == 1);
    MUST(in_child(leave) == 3);
    quiet();
    free(block);
}

/* Blocks: of nothing, of too much, aligned to anything, as this C library gives them. */
static void blocks(void) {
    volatile size_t nothing = 0, most = SIZE_MAX, half = SIZE_MAX / 2 + 1;
    size_t sizes[] = {1, 1000, MIB, 15 * MIB, 17 * MIB, 64 * MIB};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        void *block = malloc(sizes[i]);
        MUST(block && realloc(block, nothing) == NULL);
        MUST((block = malloc(sizes[i])) && reallocarray(block, nothing, 8) == NULL);
    }
    /* Were they not freed, there would not be as much. */
    for (int i = 0; i < 64; i++) { void *volatile block = malloc(20 * MIB); MUST(block && !realloc(block, nothing)); }
    void *block = realloc(NULL, nothing); MUST(block); free(block);
    size_t aligns[] = {0, 1, 3, 8, 24, 100, 4096, 5000, 65537, 3 * MIB};
    for (size_t i = 0; i < sizeof aligns / sizeof *aligns; i++) {
        size_t align = 16;
        while (align < aligns[i]) align *= 2;
        for (size_t j = 0; j < 5; j++) {
            MUST((block = memalign(aligns[i], sizes[j])) && (uintptr_t)block % align == 0);
            MUST(malloc_usable_size(block) >= sizes[j]); memset(block, 1, sizes[j] < 4096 ? sizes[j] : 4096); free(block);
        }
        MUST((block = memalign(aligns[i], nothing)) && (uintptr_t)block % align == 0); free(block);
    }
    /* C libraries from 2.38 on refuse what is no power of two. */
    MUST((block = aligned_alloc(64, 100)) && (uintptr_t)block % 64 == 0); free(block);
    if ((block = aligned_alloc(24, 100))) MUST((uintptr_t)block % 32 == 0);
    free(block);
    errno = 0; MUST(!memalign(half + 1, 1) && errno == EINVAL);
    errno = 0; MUST(!memalign(half, 1) && errno == ENOMEM);
    for (size_t less = 0; less < 9000; less += 7) {
        errno = 0; MUST(!malloc(most - less) && errno == ENOMEM);
        errno = 0; MUST(!pvalloc(most - less) && errno == ENOMEM);
        errno = 0; MUST(!valloc(most - less) && errno == ENOMEM);
        errno = 0; MUST(!memalign(64, most - less) && errno == ENOMEM);
        errno = 0; MUST(!calloc(1, most - less) && errno == ENOMEM);
        MUST(posix_memalign(&block, 64, most - less) == ENOMEM);
    }
    errno = 0; MUST(!calloc(half, 2) && errno == ENOMEM);
    errno = 0; MUST(!calloc(half + 1, 2) && errno == ENOMEM);
    char *kept = malloc(100); strcpy(kept, "kept");
    errno = 0; MUST(!reallocarray(kept, half, 2) && errno == ENOMEM && !strcmp(kept, "kept"));
    errno = 0; MUST(!reallocarray(kept, half + 8, 2) && errno == ENOMEM && !strcmp(kept, "kept"));
    errno = 0; MUST(!realloc(kept, most - 5) && errno == ENOMEM && !strcmp(kept, "kept"));
    free(kept);
    MUST((block = pvalloc(1)) && (uintptr_t)block % 4096 == 0 && malloc_usable_size(block) >= 4096); free(block);
    MUST((block = pvalloc(nothing)) && (uintptr_t)block % 4096 == 0); free(block);
    MUST((block = valloc(5000)) && (uintptr_t)block % 4096 == 0); free(block);
    MUST(posix_memalign(&block, 0, 8) == EINVAL && posix_memalign(&block, 24, 8) == EINVAL && posix_memalign(&block, 4, 8) == EINVAL);
}

int main(int argc, char **argv) {
    struct { const char *name; void (*tries)(void); } doors[] = {
        {"handlers", handlers}, {"flags", flags}, {"direct", direct}, {"started", started}, {"numbers", numbers}, {"blocks", blocks},
    };
    for (size_t i = 0; i < sizeof doors / sizeof *doors; i++)
        if (argc == 2 && !strcmp(argv[1], doors[i].name)) { doors[i].tries(); puts("as promised"); return 0; }
    fputs("doors: which?\n", stderr);
    return 2;
}
