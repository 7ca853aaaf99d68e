//! What becomes of processes: however they end, refuse, fork, wait and become other programs.

mod common;

use common::{Outcome, Place, compiled, run_under, test_pager};

fn ran(body: &str) -> Outcome {
    let place = Place::new();
    let program = compiled(&place, "app", body);
    let ran = run_under(test_pager(), &place, &["-m", "4", "-s", "40"], &[program.as_os_str()]);
    assert!(place.left_in_sockets().is_empty(), "sockets are left behind");
    ran
}

#[test]
fn however_a_process_ends_its_parent_goes_on() {
    let ran = ran(r#"
int main() {
    char *p = page(); p[0] = 'p';
    for (int how = 0; how < 4; ++how) {
        std::fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            p[0] = 'c';
            if (how == 0) _exit(3);
            if (how == 1) std::exit(3);
            if (how == 2) raise(SIGKILL);
            *reinterpret_cast<volatile char *>(8) = 1;
        }
        int status = 0;
        if (waitpid(child, &status, 0) != child) return 1;
        std::printf("%d %d %c\n", WEXITSTATUS(status), WTERMSIG(status), p[0]);
    }
}
"#);
    assert_eq!(ran.out, "3 0 p\n3 0 p\n0 9 p\n0 11 p\n", "{ran:?}");
}

#[test]
fn an_access_outside_the_arena_is_an_ordinary_crash() {
    let ran = ran("int main() { page(); *reinterpret_cast<volatile char *>(8) = 1; }");
    assert_eq!(ran.status.code(), Some(128 + 11), "{ran:?}");
    assert!(!ran.err.contains("refused:"), "{ran:?}");
}

#[test]
fn a_refused_access_says_what_and_why_and_ends_as_sigsegv_does() {
    let beyond = ran("int main() { char *p = page(); p[65536 * 3 + 5] = 1; }");
    assert_eq!(beyond.status.code(), Some(128 + 11), "{beyond:?}");
    let sentence = "the write at 0x600030005 (page 3 of the arena, from 0x600030000) was refused";
    assert!(beyond.err.contains(sentence), "{beyond:?}");

    let missing = ran(
        r#"int main() { char *p = page(); std::strcpy(p, "no such file"); char *f = (char *)vm_map(p, 7); return f[1]; }"#,
    );
    let sentence = "was refused: block 7 of file \"no such file\" cannot be read: there is no such file";
    assert!(missing.status.code() == Some(139) && missing.err.contains(sentence), "{missing:?}");

    let directory =
        ran(r#"int main() { char *p = page(); std::strcpy(p, "."); return ((char *)vm_map(p, 0))[1]; }"#);
    assert!(directory.err.contains("cannot be read: it is a directory, not a file"), "{directory:?}");
}

#[test]
fn a_second_thread_is_refused_with_a_message() {
    let ran = ran(r#"
static char *p;
static void *other(void *) { p[0] = 1; return nullptr; }
int main() { p = page(); pthread_t thread; pthread_create(&thread, nullptr, other, nullptr); pthread_join(thread, nullptr); }
"#);
    assert_eq!(ran.status.code(), Some(139), "{ran:?}");
    assert!(
        ran.err.contains("only the first thread of a process that the pager knows may touch the arena"),
        "{ran:?}"
    );
}

#[test]
fn a_system_call_with_an_arena_address_fails_where_the_page_lacks_the_right() {
    let ran = ran(r#"
int main() {
    char *p = page();
    int zero = open("/dev/zero", O_RDONLY);
    long got = read(zero, p, 10);
    std::printf("%ld %d\n", got, errno == EFAULT);
    p[0] = 1;
    std::printf("%ld\n", (long)read(zero, p, 10));
}
"#);
    assert_eq!(ran.out, "-1 1\n10\n", "{ran:?}");
}

#[test]
fn exec_brings_an_arena_of_its_parent_and_a_failed_exec_keeps_the_old_one() {
    let ran = ran(r#"
int main(int argc, char **argv) {
    char *base = static_cast<char *>(VM_ARENA_BASEADDR);
    if (argc > 1) { std::printf("new image sees %c\n", base[9]); base[9] = 'n'; return base[9] == 'n' ? 0 : 1; }
    char *p = page(); p[9] = 'q';
    pid_t child = fork();
    if (child == 0) {
        p[9] = 'o';
        execl("/no/such/program", "x", (char *)nullptr);
        std::printf("after a failed exec %c\n", p[9]); std::fflush(stdout);
        execl(argv[0], argv[0], "again", (char *)nullptr);
    }
    int status = 1;
    waitpid(child, &status, 0);
    std::printf("parent sees %c, status %d\n", p[9], status);
}
"#);
    assert_eq!(ran.out, "after a failed exec o\nnew image sees q\nparent sees q, status 0\n", "{ran:?}");
}

#[test]
fn equal_runs_with_exec_give_equal_logs() {
    let place = Place::new();
    let body = r#"
int main(int argc, char **argv) {
    char *p = page(); p[0] = 1;
    if (argc > 1) { vm_yield(); return p[0] - 1; }
    for (int i = 0; i < 3; ++i) if (fork() == 0) { vm_yield(); execl(argv[0], argv[0], "again", (char *)nullptr); }
    while (wait(nullptr) > 0) p[0] = 2;
}
"#;
    let program = compiled(&place, "app", body);
    let log = || {
        let options = ["-m", "4", "-s", "40", "--log", "-", "--log-pids", "ordinal"];
        run_under(test_pager(), &place, &options, &[program.as_os_str()]).out
    };
    let first = log();
    assert_eq!(first.matches("vm_create\t").count(), 7, "{first}");
    for _ in 0..5 {
        assert!(log() == first, "the log of an equal run differs");
    }
}

#[test]
fn a_child_that_is_no_application_is_waited_for_as_well() {
    let ran = ran(r#"
int main() {
    char *p = page(); p[0] = 'p';
    pid_t child = fork();
    if (child == 0) { execl("/bin/sh", "sh", "-c", "sleep 0.5; exit 4", (char *)nullptr); }
    int status = 0;
    pid_t ended = wait(&status);
    std::printf("%d %d %c\n", ended == child, WEXITSTATUS(status), p[0]);
    pid_t none = wait(nullptr);
    std::printf("%d %d\n", none, errno == ECHILD);
}
"#);
    assert_eq!(ran.out, "1 4 p\n-1 1\n", "{ran:?}");
}

#[test]
fn fork_is_refused_without_a_child_when_swap_has_no_room() {
    let ran = ran(r#"
int main() {
    for (int i = 0; i < 25; ++i) page()[0] = 1;
    pid_t child = fork();
    std::printf("%d %d\n", child, errno == ENOMEM);
    pid_t none = wait(nullptr);
    std::printf("%d %d\n", none, errno == ECHILD);
}
"#);
    assert_eq!(ran.out, "-1 1\n-1 1\n", "{ran:?}");
}
