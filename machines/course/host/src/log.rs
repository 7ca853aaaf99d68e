//! The log: one line a call, so that two runs can be compared.

use crate::options::{LogPids, Sink};
use mager_course_abi::{ARENA_BASE, Entry, PAGE_SIZE, PageTable};
use std::collections::HashMap;
use std::fmt;
use std::io::Write;

/// Where calls are written down, if anywhere.
pub(crate) struct Log {
    sink: Option<Sink>,
    lines: String,
    pids: LogPids,
    seen: HashMap<i32, i32>,
    complaint: Option<String>,
}

impl Log {
    pub(crate) fn new(sink: Option<Sink>, pids: LogPids) -> Log {
        Log { sink, lines: String::new(), pids, seen: HashMap::new(), complaint: None }
    }

    pub(crate) fn create(&mut self, parent: i32, child: i32) {
        let (parent, child) = (self.pid(parent), self.pid(child));
        self.line(format_args!("vm_create\t({parent}, {child})"));
    }

    pub(crate) fn switch(&mut self, pid: i32) {
        let pid = self.pid(pid);
        self.line(format_args!("vm_switch\t({pid})"));
    }

    pub(crate) fn map(&mut self, filename: usize, block: u32) {
        self.line(format_args!("vm_map\t\t({filename:#x}, {block})"));
    }

    pub(crate) fn fault(&mut self, address: usize, write: bool) {
        let access = if write { "write" } else { "read" };
        self.line(format_args!("vm_fault\t({address:#x}, {access})"));
    }

    pub(crate) fn destroy(&mut self) {
        self.line(format_args!("vm_destroy"));
    }

    /// The result of a call, in the form this call has.
    pub(crate) fn returned(&mut self, call: &str, result: fmt::Arguments<'_>) {
        self.line(format_args!("{call} returned {result}"));
    }

    /// `file_read` or `file_write`, with the reason if it failed.
    pub(crate) fn file(&mut self, call: &str, name: Option<&[u8]>, block: u32, failure: Option<&str>) {
        if self.sink.is_none() {
            return;
        }
        let name = shown(name);
        match failure {
            None => self.line(format_args!("{call}\t({name}, {block})")),
            Some(why) => self.line(format_args!("{call}\t({name}, {block})\t{why}")),
        }
    }

    /// The rights with which control returns to an application.
    pub(crate) fn table(&mut self, pid: i32, table: &PageTable) {
        if self.sink.is_none() {
            return;
        }
        let pid = self.pid(pid);
        self.line(format_args!("\t\t\t\t\treturning to ({pid}) with r|w pages:"));
        for (page, entry) in table.iter().enumerate().filter(|(_, entry)| **entry != Entry::NONE) {
            let rights = if entry.write() { "rw" } else { "r" };
            let (vpage, ppage) = (ARENA_BASE / PAGE_SIZE + page, entry.frame());
            if entry.effective() != Entry::NONE {
                self.line(format_args!("\t\t\t\t\t{rights}\tvpage {vpage:#x}\tppage {ppage:#x}"));
            }
        }
    }

    /// Writes out what was said. A log that cannot be written is given up, with a complaint.
    pub(crate) fn flush(&mut self) {
        if let Some(sink) = &mut self.sink
            && !self.lines.is_empty()
        {
            let written = sink.write_all(self.lines.as_bytes()).and_then(|()| sink.flush());
            self.lines.clear();
            if let Err(error) = written {
                self.complaint = Some(format!("the log cannot be written any more: {error}"));
                self.sink = None;
            }
        }
    }

    /// Why the log was given up, said once.
    pub(crate) fn complaint(&mut self) -> Option<String> {
        self.complaint.take()
    }

    fn pid(&mut self, pid: i32) -> i32 {
        match self.pids {
            LogPids::Raw => pid,
            LogPids::Ordinal => {
                let next = i32::try_from(self.seen.len()).unwrap_or(i32::MAX - 1) + 1;
                *self.seen.entry(pid).or_insert(next)
            }
        }
    }

    fn line(&mut self, line: fmt::Arguments<'_>) {
        if self.sink.is_some() {
            fmt::write(&mut self.lines, line).expect("writing to a string cannot fail");
            self.lines.push('\n');
        }
    }
}

/// A file's name as users read it: unprintable bytes escaped, swap in brackets.
pub(crate) fn shown(name: Option<&[u8]>) -> String {
    let Some(name) = name else { return "<swap>".to_owned() };
    let mut text = String::new();
    for chunk in name.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character.is_control() {
                true => text.extend(character.escape_default()),
                false => text.push(character),
            }
        }
        text.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_line_is_as_the_contract_has_it() {
        let sink = Shared::default();
        let mut log = Log::new(Some(Box::new(sink.clone())), LogPids::Ordinal);
        log.create(700, 701);
        log.returned("vm_create", format_args!("{}", 0));
        log.switch(701);
        log.map(0, 5);
        log.returned("vm_map", format_args!("{:#x}", 0x6_0000_0000_u64));
        log.fault(0x6_0000_0007, true);
        log.file("file_read", Some(b"a\xff"), 2, Some("there is no such file"));
        log.file("file_write", None, 9, None);
        let mut table = [Entry::NONE; 256];
        table[1] = Entry::new(3, true, true);
        table[2] = Entry::new(4, false, false);
        log.table(701, &table);
        log.destroy();
        log.flush();
        let text = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
        assert_eq!(
            text,
            "vm_create\t(1, 2)\nvm_create returned 0\nvm_switch\t(2)\nvm_map\t\t(0x0, 5)\n\
             vm_map returned 0x600000000\nvm_fault\t(0x600000007, write)\n\
             file_read\t(a\\xff, 2)\tthere is no such file\nfile_write\t(<swap>, 9)\n\
             \t\t\t\t\treturning to (2) with r|w pages:\n\t\t\t\t\trw\tvpage 0x60001\tppage 0x3\nvm_destroy\n"
        );
    }

    struct Full;

    impl Write for Full {
        fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
            Err(io::Error::other("full"))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_log_that_cannot_be_written_complains_once() {
        let mut log = Log::new(Some(Box::new(Full)), LogPids::Raw);
        log.destroy();
        log.flush();
        log.flush();
        assert_eq!(log.complaint().as_deref(), Some("the log cannot be written any more: full"));
        assert_eq!(log.complaint(), None);
    }
}
