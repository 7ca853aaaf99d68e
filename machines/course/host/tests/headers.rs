//! The headers serve C and C++, both dialects of the base register, and programs under AddressSanitizer.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use common::{Place, application, course, fixture, libraries, own_pager, pager, run, run_under, test_pager};
use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

const STRICT: [&str; 5] = ["-Wall", "-Wextra", "-Werror", "-pedantic", "-fno-builtin"];

/// Compiles C with a C compiler.
fn compile_c(text: &str, program: &Path, library: &str) {
    let source = program.with_extension("c");
    std::fs::write(&source, text).unwrap();
    let compiler = std::env::var_os("CC").unwrap_or("cc".into());
    let mut command = Command::new(compiler);
    command.arg("-std=gnu11").args(STRICT).arg("-I").arg(course("include")).arg(source);
    let done = command.arg(libraries().join(library)).arg("-lm").arg("-o").arg(program).output();
    let done = done.expect("these tests need a C compiler");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// A pager in C that knows one page, in the dialect of a pointer to a whole table.
const PAGER: &str = r#"
#define VM_PAGE_TABLE_STRUCT
#include "vm_pager.h"
#include <string.h>
static page_table_t table;
void vm_init(unsigned int pages, unsigned int blocks) { (void)pages; (void)blocks; }
int vm_create(pid_t parent, pid_t child) { (void)parent; (void)child; return 0; }
void vm_switch(pid_t pid) { (void)pid; page_table_base_register = &table; }
int vm_fault(const void *address, bool write) {
    (void)address; (void)write;
    memset((char *)vm_physmem + VM_PAGESIZE, 'c', VM_PAGESIZE);
    table.ptes[0].ppage = 1; table.ptes[0].read_enable = 1; table.ptes[0].write_enable = 1;
    return file_read(0, 0, (char *)vm_physmem + 2 * VM_PAGESIZE);
}
void vm_destroy(void) {}
void *vm_map(const char *name, unsigned int block) { (void)name; (void)block; return VM_ARENA_BASEADDR; }
"#;

const APPLICATION: &str = r#"
#include "vm_app.h"
#include <stdio.h>
int main(void) {
    char *page = vm_map(0, 0);
    vm_yield();
    printf("%c%c %d\n", page[0], page[VM_PAGESIZE - 1], VM_ARENA_SIZE / VM_PAGESIZE == 256);
    return 0;
}
"#;

#[test]
fn a_pager_and_an_application_in_c() {
    let place = Place::new();
    let (pager, application) = (place.beside("c-pager"), place.beside("c-app"));
    compile_c(PAGER, &pager, "libmager_host.a");
    compile_c(APPLICATION, &application, "libmager_app.a");
    let ran = run_under(&pager, &place, &["--quiet"], &[application.as_os_str()]);
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("cc 1\n", ""));
}

#[test]
fn programs_and_pagers_under_address_sanitizer() {
    let place = Place::new();
    let (checked, program) = (place.beside("checked-pager"), place.beside("checked"));
    pager(&fixture("pager.cpp"), &checked, &["-g", "-fsanitize=address"]);
    application(&fixture("fork_stress.cpp"), &program, &["-g", "-fsanitize=address"]);
    for pager in [checked.as_path(), test_pager(), own_pager()] {
        let options = ["-m", "4", "-s", "600", "--quiet"];
        let ran = run_under(pager, &place, &options, &[program.as_os_str(), OsStr::new("3")]);
        assert!(ran.status.success() && !ran.err.contains("Sanitizer"), "{ran:?}");
        assert!(ran.out.contains("done") && !ran.out.contains("MISMATCH"), "{ran:?}");
    }
}

#[test]
fn address_sanitizer_still_finds_what_it_looks_for() {
    let place = Place::new();
    let program = place.beside("overrun");
    let text = r#"
#include "vm_app.h"
int main(int count, char **) { char *p = (char *)vm_map(nullptr, 0); p[0] = 1; volatile int a[4] = {}; return a[count + 4] + p[0]; }
"#;
    common::application_from(text, &program, &["-g", "-fsanitize=address"]);
    let ran = run_under(test_pager(), &place, &[], &[program.as_os_str()]);
    assert!(ran.err.contains("stack-buffer-overflow"), "{ran:?}");
}

/// The library's string and memory functions, against the results that C demands.
#[test]
fn string_and_memory_functions_do_what_c_says() {
    let place = Place::new();
    let program = place.beside("strings");
    let text = r#"
#include "vm_app.h"
#include <cstdio>
#include <cstring>
int main() {
    char *p = (char *)vm_map(nullptr, 0), *q = (char *)vm_map(nullptr, 0);
    char *over = q - 3;
    std::printf("%d", std::strcpy(over, "straddle") == over && std::strcmp(over, "straddle") == 0);
    std::printf("%d", std::strcmp("a", "b") < 0 && std::strcmp("b", "a") > 0 && std::strcmp("\xff", "a") > 0);
    std::printf("%d", std::strncmp("abc", "abd", 2) == 0 && std::strncmp("abc", "abd", 3) < 0 && std::strncmp("a", "b", 0) == 0);
    std::memset(p, 0x17f, 8); std::strncpy(p, "ab", 4);
    std::printf("%d", p[0] == 'a' && p[2] == 0 && p[3] == 0 && p[4] == 0x7f);
    std::printf("%d\n", std::memcpy(p + 100, over, 9) == p + 100 && std::strcmp(p + 100, "straddle") == 0);
}
"#;
    common::application_from(text, &program, &[]);
    let ran = run_under(test_pager(), &place, &[], &[program.as_os_str()]);
    assert_eq!(ran.out, "11111\n", "{ran:?}");
    // What the program links is the library's, not the C library's: only that keeps the order of accesses.
    let symbols = run(nm(&program));
    for name in ["memcpy", "memset", "strcpy", "strncpy", "strcmp", "strncmp"] {
        let defined = symbols.out.lines().any(|line| line.ends_with(&format!(" T {name}")));
        assert!(defined, "{name} is not the library's");
    }
}

fn nm(program: &Path) -> Command {
    let mut command = Command::new("nm");
    command.arg(program);
    command
}
