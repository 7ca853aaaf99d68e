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

int main(int argc, char **argv) {
    struct { const char *name; void (*tries)(void); } doors[] = {
        {"handlers", handlers}, {"flags", flags}, {"direct", direct}, {"started", started}, {"numbers", numbers},
    };
    for (size_t i = 0; i < sizeof doors / sizeof *doors; i++)
        if (argc == 2 && !strcmp(argv[1], doors[i].name)) { doors[i].tries(); puts("as promised"); return 0; }
    fputs("doors: which?\n", stderr);
    return 2;
}
