//! `mager course cxx` and `cc`: with libraries of our own that are small enough to be made here, and with the real
//! ones.

use crate::place::real_libraries;
use crate::run::{Ran, command, finish};
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// A directory with both libraries in it: an application's `vm_map` that gives ordinary memory, and a host whose
/// `main` calls the pager's `vm_init`.
fn workshop() -> TempDir {
    let dir = tempfile::tempdir().expect("a directory for temporary files");
    archive(
        dir.path(),
        "libmager_app.a",
        "void *vm_map(const char *name, unsigned block) { static char page[65536]; return name || block ? 0 : page; }
         void vm_yield(void) {}
         char *strcpy(char *to, const char *from) { char *p = to; while ((*p++ = *from++)); to[0]++; return to; }",
    );
    archive(
        dir.path(),
        "libmager_host.a",
        "void _Z7vm_initjj(unsigned, unsigned); void *page_table_base_register;
         int main(int argc, char **argv) { _Z7vm_initjj(argc, 16); (void)argv; return 7; }",
    );
    dir
}

fn archive(dir: &Path, library: &str, text: &str) {
    let (source, object) = (dir.join("library.c"), dir.join("library.o"));
    fs::write(&source, text).expect("the source is written");
    let compiled =
        Command::new("cc").args(["-fno-builtin", "-w", "-c", "-o"]).args([&object, &source]).status();
    assert!(compiled.expect("these tests need a C compiler").success());
    let archived = Command::new("ar").arg("rcs").args([&dir.join(library), &object]).status();
    assert!(archived.expect("these tests need ar").success());
}

/// A directory in which the command can get a second name. A copy would be a file open for writing, which cannot be
/// run as long as a process that another test starts meanwhile has it open too.
fn beside_the_command() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory for temporary files")
}

const APPLICATION: &str = "#include <string.h>\n#include <stdio.h>\n#include \"vm_app.h\"\n
int main(void) {
    char *page = (char *)vm_map(0, 0);
    strcpy(page, \"hello\");
    vm_yield();
    puts(page);
    return page == 0;
}\n";

const PAGER: &str = "#include \"vm_pager.h\"\n#include <cstdio>\n
void vm_init(unsigned int pages, unsigned int blocks) { std::printf(\"%u %u\\n\", pages, blocks); }\n";

fn compile(dir: &Path, language: &str, source: &str, text: &str, more: &[&str]) -> Ran {
    fs::write(dir.join(source), text).expect("the source is written");
    let mut command = command();
    command.args(["course", language]).args(more).args(["-Wall", "-Werror", source]);
    finish(command.current_dir(dir).env("MAGER_LIB", dir).env_remove("CXX").env_remove("CC"))
}

fn runs(dir: &Path, program: &str) -> (String, Option<i32>) {
    let output = Command::new(dir.join(program)).output().expect("the program was made");
    (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code())
}

#[test]
fn applications_in_both_languages_get_headers_library_and_flags() {
    let dir = workshop();
    for (language, source) in [("cxx", "app.cpp"), ("cc", "app.c")] {
        let made = compile(dir.path(), language, source, APPLICATION, &["-g", "-o", "app"]);
        assert_eq!((made.err.as_str(), made.code), ("", Some(0)));
        // The library's strcpy was called, and no builtin in its place.
        assert_eq!(runs(dir.path(), "app"), ("iello\n".to_owned(), Some(0)));
    }
    assert!(dir.path().join("include/vm_app.h").is_file());
}

#[test]
fn a_pager_becomes_a_whole_program_wherever_the_option_stands() {
    let dir = workshop();
    for more in [["--pager", "-o", "pager"], ["-o", "pager", "--pager"]] {
        let made = compile(dir.path(), "cxx", "vm.cpp", PAGER, &more);
        assert_eq!((made.err.as_str(), made.code), ("", Some(0)), "{more:?}");
        assert_eq!(runs(dir.path(), "pager"), ("1 16\n".to_owned(), Some(7)));
        fs::remove_file(dir.path().join("pager")).expect("it was made");
    }
}

#[test]
fn compiling_without_linking_needs_no_main_and_gives_no_warning() {
    let dir = workshop();
    let made =
        compile(dir.path(), "cxx", "part.cpp", "#include \"vm_app.h\"\nint part() { return 0; }\n", &["-c"]);
    assert_eq!((made.err.as_str(), made.code), ("", Some(0)));
    assert!(dir.path().join("part.o").is_file());
}

#[test]
fn the_compilers_complaints_and_exit_code_pass_through() {
    let dir = workshop();
    let made = compile(dir.path(), "cxx", "bad.cpp", "int main() { return nothing; }\n", &[]);
    assert!(made.err.contains("nothing") && made.code == Some(1), "{}", made.err);
}

#[test]
fn headers_that_somebody_installed_are_left_alone() {
    let dir = workshop();
    let include = dir.path().join("include");
    fs::create_dir(&include).expect("a new directory");
    fs::write(include.join("vm_app.h"), "#error theirs\n").expect("the header is written");
    let made = compile(dir.path(), "cc", "app.c", APPLICATION, &["-c"]);
    assert!(made.err.contains("theirs"), "{}", made.err);
}

#[test]
fn a_missing_compiler_is_named() {
    let dir = workshop();
    let mut without = command();
    without.args(["course", "cxx", "x.cpp"]).env("MAGER_LIB", dir.path()).env("CXX", "no-such-compiler -O2");
    let ran = finish(&mut without);
    let expected = "mager: there is no C++ compiler \"no-such-compiler\": install g++ or clang++, or set CXX to the one \
                    you have\n";
    assert_eq!((ran.err.as_str(), ran.code), (expected, Some(2)));
    let mut without = command();
    without
        .args(["course", "cc", "x.c"])
        .env("MAGER_LIB", dir.path())
        .env_remove("CC")
        .env("PATH", dir.path());
    assert!(
        finish(&mut without).err.starts_with("mager: there is no C compiler \"cc\": install gcc or clang")
    );
}

#[test]
fn a_missing_library_names_the_command_that_builds_it() {
    let dir = beside_the_command();
    let (bin, copy) = (dir.path().join("bin"), dir.path().join("bin/mager"));
    fs::create_dir(&bin).expect("a new directory");
    fs::hard_link(env!("CARGO_BIN_EXE_mager"), &copy).expect("the command gets a second name");
    let mut alone = Command::new(&copy);
    let ran = finish(alone.args(["course", "cxx", "x.cpp"]).env_remove("MAGER_LIB"));
    let (beside, installed) = (bin.display(), dir.path().join("lib/mager"));
    let start = format!(
        "mager: libmager_app.a is neither in {beside} nor in {}: build it with `cargo build --release`",
        installed.display()
    );
    assert!(ran.err.starts_with(&start) && ran.code == Some(2), "{}", ran.err);

    let ran = finish(alone.env("MAGER_LIB", "/nowhere"));
    assert_eq!(ran.err, "mager: libmager_app.a is not in /nowhere, which MAGER_LIB names\n");
}

#[test]
fn an_installed_command_finds_the_libraries_below_lib() {
    let (dir, libraries) = (beside_the_command(), workshop());
    let (bin, lib) = (dir.path().join("bin"), dir.path().join("lib/mager"));
    fs::create_dir_all(&bin).and_then(|()| fs::create_dir_all(&lib)).expect("new directories");
    fs::hard_link(env!("CARGO_BIN_EXE_mager"), bin.join("mager")).expect("the command gets a second name");
    fs::copy(libraries.path().join("libmager_app.a"), lib.join("libmager_app.a"))
        .expect("the library is copied");
    fs::write(dir.path().join("app.c"), APPLICATION).expect("the source is written");
    let mut installed = Command::new(bin.join("mager"));
    installed.args(["course", "cc", "-o", "app", "app.c"]).current_dir(dir.path());
    let ran = finish(installed.env_remove("MAGER_LIB").env_remove("CC"));
    assert_eq!((ran.err.as_str(), ran.code), ("", Some(0)));
    assert_eq!(runs(dir.path(), "app").0, "iello\n");
}

/// docs/course.md tells to set a breakpoint there.
#[test]
fn debuggers_find_the_function_that_is_called_before_a_bad_access_ends_a_program() {
    let symbols = Command::new("nm").arg(crate::place::program("wrong")).output();
    let symbols = symbols.expect("these tests need nm").stdout;
    assert!(String::from_utf8_lossy(&symbols).lines().any(|line| line.ends_with(" T mager_bad_access")));
}

#[test]
fn an_example_and_a_pager_are_compiled_run_and_compared() {
    real_libraries();
    let dir = tempfile::tempdir().expect("a directory for temporary files");
    let course = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../machines/course");
    let make = |more: &[&str], source: &str| {
        let mut command = command();
        command.current_dir(dir.path()).args(["course", "cxx"]).args(more).arg(course.join(source));
        let made = finish(&mut command);
        assert_eq!((made.err.as_str(), made.code), ("", Some(0)));
    };
    make(&["-Wall", "-Wextra", "-O1", "-o", "app"], "examples/fork_copy.cpp");
    make(&["--pager", "-o", "pager"], "host/tests/fixtures/pager.cpp");
    let run = |frames: &str, log: &str| {
        let mut pager = Command::new(dir.path().join("pager"));
        pager.args(["--quiet", "-m", frames, "--log", log, "--", "./app"]).current_dir(dir.path());
        let ran = finish(&mut pager);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        ran.out
    };
    assert_eq!(run("4", "first.log"), run("4", "second.log"));
    assert_eq!(run("4", "first.log"), run("32", "ample.log"));
    let diff =
        |right: &str| finish(command().current_dir(dir.path()).args(["course", "diff", "first.log", right]));
    let equal = diff("second.log");
    assert_eq!((equal.err.as_str(), equal.code), ("", Some(0)), "{}", equal.out);
    let ample = diff("ample.log");
    assert!(
        ample.out.contains("\n\nRule 31: Nothing is evicted while a physical page is free."),
        "{}",
        ample.out
    );
}
