//! Moving a run by blocking calls: what the inline engine and the threads of the pool do, and the way in which any
//! engine's short transfer is brought to its end.

use super::{MOST_JOINED, Run};
use crate::sys::Toward;
use rustix::io::{pread, preadv, pwrite, pwritev};
use std::array;
use std::io::{self, IoSlice, IoSliceMut};

/// Moves all bytes of the run after the first `done`. Gives the number moved, `done` included: less than all only
/// where a file that is read ends.
pub(crate) fn transfer(run: &mut Run, mut done: usize) -> io::Result<usize> {
    let all = run.length();
    while done < all {
        let moved = match run.first().toward() {
            Toward::Memory => read(run, done),
            Toward::Store => write(run, done),
        };
        match moved {
            Ok(0) if run.first().toward() == Toward::Store => return Err(io::ErrorKind::WriteZero.into()),
            Ok(0) => break,
            Ok(n) => done += n,
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
            // Behind an end that is not at a sector, a direct read is refused instead of empty.
            Err(_) if done > 0 && run.first().toward() == Toward::Memory && run.ends_before(done) => break,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(done)
}

fn read(run: &mut Run, skip: usize) -> rustix::io::Result<usize> {
    let offset = run.offset(skip);
    if let [job] = run.jobs.as_mut_slice() {
        let length = job.length;
        return pread(&job.file.file, &mut job.span.bytes_mut()[skip..length], offset);
    }
    let file = run.first().file.clone();
    let mut parts: [IoSliceMut<'_>; MOST_JOINED] = array::from_fn(|_| IoSliceMut::new(&mut []));
    let mut skip = skip;
    for (part, job) in parts.iter_mut().zip(&mut run.jobs) {
        let from = skip.min(job.length);
        skip -= from;
        let length = job.length;
        *part = IoSliceMut::new(&mut job.span.bytes_mut()[from..length]);
    }
    let count = run_parts(parts.len(), parts.iter().rposition(|part| !part.is_empty()));
    preadv(&file.file, &mut parts[..count], offset)
}

fn write(run: &Run, skip: usize) -> rustix::io::Result<usize> {
    let offset = run.offset(skip);
    if let [job] = run.jobs.as_slice() {
        return pwrite(&job.file.file, &job.span.bytes()[skip..job.length], offset);
    }
    let mut parts: [IoSlice<'_>; MOST_JOINED] = array::from_fn(|_| IoSlice::new(&[]));
    let mut skip = skip;
    for (part, job) in parts.iter_mut().zip(&run.jobs) {
        let from = skip.min(job.length);
        skip -= from;
        *part = IoSlice::new(&job.span.bytes()[from..job.length]);
    }
    let count = run_parts(parts.len(), parts.iter().rposition(|part| !part.is_empty()));
    pwritev(&run.first().file.file, &parts[..count], offset)
}

/// How many of the parts are in use, given the last that is not empty.
fn run_parts(all: usize, last: Option<usize>) -> usize {
    last.map_or(0, |last| last + 1).min(all)
}
