/* What a program may expect of its forks, whoever holds the memory. Each child says by its status what it found. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define CHECK(what)                                                                                     \
    do {                                                                                                \
        if (!(what)) {                                                                                  \
            printf("line %d: %s (errno %d)\n", __LINE__, #what, errno);                                 \
            exit(1);                                                                                    \
        }                                                                                               \
    } while (0)

static int status_of(pid_t child) {
    int status;
    while (waitpid(child, &status, 0) < 0) CHECK(errno == EINTR);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

/* Handlers of forks: they take the lock under which two pages agree, and one of them stores. */
struct pair {
    pthread_mutex_t lock;
    volatile long *a, *b;
    volatile int ends;
    volatile long *forks;
} pair = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void lock(void) {
    pthread_mutex_lock(&pair.lock);
    (*pair.forks)++;
}

static void unlock(void) { pthread_mutex_unlock(&pair.lock); }

static void *keep_equal(void *nothing) {
    for (long value = 1; !pair.ends; value++) {
        pthread_mutex_lock(&pair.lock);
        *pair.a = value;
        for (volatile int pause = 0; pause < 2000; pause++) {}
        *pair.b = value;
        pthread_mutex_unlock(&pair.lock);
    }
    return nothing;
}

static void what_handlers_of_forks_do(void) {
    pair.a = calloc(1, 8192), pair.b = calloc(1, 8192), pair.forks = calloc(1, 8192);
    pthread_atfork(lock, unlock, unlock);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, keep_equal, NULL) == 0);
    double begun = seconds();
    for (int time = 1; time <= 12; time++) {
        pid_t child = fork();
        if (child == 0) _exit(*pair.a != *pair.b ? 1 : *pair.forks != time ? 2 : 0);
        CHECK(status_of(child) == 0);
    }
    CHECK(seconds() - begun < 6);
    pair.ends = 1;
    pthread_join(thread, NULL);
}

static void *forks(void *times) {
    for (long time = 0; time < (long)times; time++) {
        pid_t child = fork();
        if (child == 0) _exit(7);
        CHECK(status_of(child) == 7);
    }
    return NULL;
}

static void map_and_unmap(void) {
    char *new = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(new != MAP_FAILED);
    new[0] = 1;
    CHECK(munmap(new, 1 << 20) == 0);
}

static void *maps(void *ends) {
    while (!*(volatile int *)ends) map_and_unmap();
    return NULL;
}

static void forks_of_several_threads(void) {
    pthread_t threads[4], mapper;
    volatile int *ends = calloc(1, sizeof *ends);
    CHECK(pthread_create(&mapper, NULL, maps, (void *)ends) == 0);
    for (int i = 0; i < 4; i++) CHECK(pthread_create(&threads[i], NULL, forks, (void *)25) == 0);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    *ends = 1;
    pthread_join(mapper, NULL);
}

static volatile sig_atomic_t handled;

static void forks_and_maps(int number) {
    (void)number;
    int before = errno;
    pid_t child = fork();
    if (child == 0) _exit(5);
    CHECK(status_of(child) == 5);
    map_and_unmap();
    handled++;
    errno = before;
}

static void a_handler_that_forks_and_maps(void) {
    struct itimerval often = {{0, 3000}, {0, 3000}}, never = {0};
    signal(SIGALRM, forks_and_maps);
    setitimer(ITIMER_REAL, &often, NULL);
    while (handled < 100) map_and_unmap();
    setitimer(ITIMER_REAL, &never, NULL);
    signal(SIGALRM, SIG_DFL);
}

static void all_signals_blocked(void) {
    sigset_t all, before, after;
    sigfillset(&all);
    FILE *open = fopen("/dev/null", "w");
    fputc('x', open);
    sigprocmask(SIG_BLOCK, &all, &before);
    pid_t child = fork();
    if (child == 0) {
        sigprocmask(SIG_SETMASK, NULL, &after);
        _exit(sigismember(&after, SIGSEGV) && sigismember(&after, SIGTERM) ? 3 : 4);
    }
    CHECK(status_of(child) == 3);
    sigprocmask(SIG_SETMASK, &before, &after);
    CHECK(sigismember(&after, SIGSEGV) && sigismember(&after, SIGTERM));
    fclose(open);
}

/* Blocked, it waits for who asks for it, whoever of the threads it is sent to. */
static void a_signal_that_waits(void) {
    sigset_t abort, before;
    sigemptyset(&abort);
    sigaddset(&abort, SIGABRT);
    sigprocmask(SIG_BLOCK, &abort, &before);
    pthread_kill(pthread_self(), SIGABRT);
    pid_t child = fork();
    if (child == 0) _exit(3);
    CHECK(status_of(child) == 3);
    CHECK(sigwaitinfo(&abort, NULL) == SIGABRT);
    sigprocmask(SIG_SETMASK, &before, NULL);
}

static void *flushes(void *ends) {
    FILE *open = fopen("/dev/null", "w");
    while (!*(volatile int *)ends) {
        fputc('x', open);
        fflush(NULL);
    }
    fclose(open);
    return NULL;
}

/* The list of streams has a lock of the C library's, in which another thread stores. */
static void streams_of_another_thread(void) {
    volatile int *ends = calloc(1, sizeof *ends);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, flushes, (void *)ends) == 0);
    double begun = seconds();
    for (int time = 0; time < 50; time++) {
        int ends_of_pipe[2];
        char word[8] = {0};
        CHECK(pipe(ends_of_pipe) == 0);
        pid_t child = fork();
        if (child == 0) {
            dup2(ends_of_pipe[1], 1);
            printf("hello");
            exit(0);
        }
        close(ends_of_pipe[1]);
        CHECK(status_of(child) == 0);
        CHECK(read(ends_of_pipe[0], word, 8) == 5 && strcmp(word, "hello") == 0);
        close(ends_of_pipe[0]);
    }
    CHECK(seconds() - begun < 10);
    *ends = 1;
    pthread_join(thread, NULL);
}

static ucontext_t main_context, other_context;
static int found;

static void on_another_stack(void) {
    volatile int mine = 41;
    pid_t child = fork();
    if (child == 0) {
        mine++;
        _exit(mine);
    }
    found = status_of(child);
}

static void with_a_terminal(void) {
    volatile int mine = 41, terminal;
    pid_t child = forkpty((int *)&terminal, NULL, NULL, NULL);
    if (child == 0) {
        mine++;
        _exit(mine);
    }
    found = status_of(child);
    close(terminal);
}

static void a_stack_from_malloc(void (*forks)(void)) {
    char *stack = malloc(256 << 10);
    getcontext(&other_context);
    other_context.uc_stack.ss_sp = stack;
    other_context.uc_stack.ss_size = 256 << 10;
    other_context.uc_link = &main_context;
    for (int time = 0; time < 3; time++) {
        found = 0;
        makecontext(&other_context, forks, 0);
        swapcontext(&main_context, &other_context);
        CHECK(found == 42);
    }
    free(stack);
}

/* More than half of swap is this process's: there is none for a child. Smaller, it forks again. */
static void a_fork_that_cannot_be(void) {
    size_t len = 40 << 20;
    char *much = malloc(len);
    CHECK(much);
    memset(much, 7, len);
    FILE *open = fopen("/dev/null", "w");
    fputc('x', open);
    for (int time = 0; time < 3; time++) {
        errno = 0;
        CHECK(fork() == -1 && errno == ENOMEM);
        CHECK(waitpid(-1, NULL, 0) == -1 && errno == ECHILD);
    }
    for (size_t at = 0; at < len; at += 4096) CHECK(much[at] == 7);
    free(much);
    pid_t child = fork();
    if (child == 0) _exit(6);
    CHECK(status_of(child) == 6);
    fclose(open);
}

static int *counted;

static void count_one(void) { (*counted)++; }

/* Registered before there is anything in memory. */
static void handlers_that_came_first(void) {
    pthread_atfork(count_one, NULL, NULL);
    counted = malloc(sizeof *counted);
    *counted = 5;
    for (int time = 0; time < 10; time++) {
        pid_t child = fork();
        if (child == 0) _exit(*counted);
        CHECK(status_of(child) == 6 + time);
    }
}

int main(int count, char **words) {
    handlers_that_came_first();
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (count > 1 && strcmp(words[1], "refused") == 0) {
        a_fork_that_cannot_be();
        puts("as promised");
        return 0;
    }
    forks_of_several_threads();
    a_handler_that_forks_and_maps();
    all_signals_blocked();
    a_signal_that_waits();
    a_stack_from_malloc(on_another_stack);
    a_stack_from_malloc(with_a_terminal);
    streams_of_another_thread();
    what_handlers_of_forks_do();
    puts("as promised");
    return 0;
}
