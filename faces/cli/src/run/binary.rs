//! Whether the dynamic linker will load the agent's library into a binary, and the binary use it.

use super::refusal::Refusal;
use object::elf::{DT_NEEDED, EM_X86_64, FileHeader64};
use object::read::elf::{Dyn, FileHeader, ProgramHeader};
use object::{Endianness, FileKind, ReadCache, ReadRef};
use rustix::fs::{Mode, fgetxattr, fstat};
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

type Header = FileHeader64<Endianness>;

/// The dynamic linker of the C library that the agent's library is linked with.
const LINKER: &str = "ld-linux-x86-64.so.2";

/// Refuses what would run without the agent, and so outside its budget.
pub(super) fn check(path: &Path) -> Result<(), Refusal> {
    let file = File::open(path).map_err(|why| Refusal::of(path, &why))?;
    gains_rights(path, &file)?;
    let data = ReadCache::new(file);
    match FileKind::parse(&data) {
        Ok(FileKind::Elf64) => {}
        Ok(FileKind::Elf32) => {
            return Err(Refusal::Machine { program: path.into(), what: "a 32-bit program" });
        }
        Ok(_) => return Err(Refusal::Machine { program: path.into(), what: "for another system" }),
        Err(_) => {
            let why = "it is neither a binary nor a script: a script begins with #! and its interpreter, \
                       as in #!/bin/sh";
            return Err(Refusal::cannot(path, why));
        }
    }
    let looked = look(&data).map_err(|why| Refusal::cannot(path, format!("it is damaged: {why}")))?;
    looked.judge(path)
}

/// The dynamic linker takes no library from the environment into a program that has rights its user has not.
fn gains_rights(path: &Path, file: &File) -> Result<(), Refusal> {
    let refused = |how| Err(Refusal::Rights { program: path.into(), how });
    let found = fstat(file).map_err(|why| Refusal::cannot(path, why))?;
    let mode = Mode::from_raw_mode(found.st_mode);
    let user = rustix::process::geteuid();
    if mode.contains(Mode::SUID) && found.st_uid != user.as_raw() {
        return refused("is setuid");
    }
    // Without permission to execute for the group the bit means something else.
    if mode.contains(Mode::SGID | Mode::XGRP) && found.st_gid != rustix::process::getegid().as_raw() {
        return refused("is setgid");
    }
    let capabilities = fgetxattr(file, "security.capability", &mut [0; 64]);
    if capabilities.is_ok() && !user.is_root() { refused("has file capabilities") } else { Ok(()) }
}

/// What decides it.
struct Looked {
    machine: u16,
    linker: Option<Vec<u8>>,
    libraries: usize,
}

fn look<'data, R: ReadRef<'data>>(data: R) -> object::Result<Looked> {
    let header = Header::parse(data)?;
    let endian = header.endian()?;
    let mut looked = Looked { machine: header.e_machine(endian), linker: None, libraries: 0 };
    for segment in header.program_headers(endian, data)? {
        if let Some(linker) = segment.interpreter(endian, data)? {
            looked.linker = Some(linker.to_owned());
        }
        let entries = segment.dynamic(endian, data)?.unwrap_or_default();
        looked.libraries += entries.iter().filter(|entry| entry.tag32(endian) == Some(DT_NEEDED)).count();
    }
    Ok(looked)
}

impl Looked {
    fn judge(&self, path: &Path) -> Result<(), Refusal> {
        let program = path.to_owned();
        if self.machine != EM_X86_64 {
            return Err(Refusal::Machine { program, what: "for another processor" });
        }
        let Some(linker) = &self.linker else { return Err(Refusal::Static { program }) };
        let linker = Path::new(OsStr::from_bytes(linker));
        if linker.file_name() != Some(OsStr::new(LINKER)) {
            return Err(Refusal::OtherLibrary { program, linker: linker.to_owned() });
        }
        if self.libraries == 0 { Err(Refusal::NoLibrary { program }) } else { Ok(()) }
    }
}
