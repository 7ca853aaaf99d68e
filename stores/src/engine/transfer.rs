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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Home;
    use crate::engine::{Job, OpenFile};
    use crate::sys::Staging;
    use std::sync::Arc;

    const PAGES: usize = 4;

    /// A file of `bytes`, and a run over its first four pages.
    fn run(staging: &mut Staging, file: &Arc<OpenFile>, toward: Toward) -> Run {
        let job = |page: usize| Job {
            tag: Some(0),
            home: Home::Swap(0),
            file: Arc::clone(file),
            offset: crate::place::wide(page) * 4096,
            length: 4096,
            tries: 0,
            span: staging.lend(page, toward),
        };
        Run { jobs: (0..PAGES).map(job).collect() }
    }

    fn file(bytes: &[u8]) -> Arc<OpenFile> {
        let file = tempfile::tempfile().unwrap();
        std::os::unix::fs::FileExt::write_all_at(&file, bytes, 0).unwrap();
        Arc::new(OpenFile { file, direct: false })
    }

    fn pattern(length: usize) -> Vec<u8> {
        (0..length).map(|at| u8::try_from(at * 31 % 251).unwrap()).collect()
    }

    #[test]
    fn a_read_that_stopped_anywhere_goes_on_there() {
        let all = pattern(PAGES * 4096);
        for done in [0, 1, 4095, 4096, 6000, 8192, 16_383] {
            let file = file(&all);
            let mut staging = Staging::new(4096, PAGES).unwrap();
            let mut run = run(&mut staging, &file, Toward::Memory);
            assert_eq!(transfer(&mut run, done).unwrap(), all.len());
            let got: Vec<u8> = run.jobs.iter().flat_map(|job| job.span.bytes().to_vec()).collect();
            assert!(got[done..] == all[done..] && got[..done].iter().all(|&byte| byte == 0), "{done}");
        }
    }

    #[test]
    fn a_write_that_stopped_anywhere_goes_on_there() {
        let all = pattern(PAGES * 4096);
        for done in [0, 1, 4095, 4096, 6000, 8192, 16_383] {
            let file = file(&vec![0; all.len()]);
            let mut staging = Staging::new(4096, PAGES).unwrap();
            for (page, bytes) in all.chunks(4096).enumerate() {
                staging.bytes_mut(page).copy_from_slice(bytes);
            }
            let mut run = run(&mut staging, &file, Toward::Store);
            assert_eq!(transfer(&mut run, done).unwrap(), all.len());
            let mut got = vec![1; all.len()];
            std::os::unix::fs::FileExt::read_exact_at(&file.file, &mut got, 0).unwrap();
            assert!(got[done..] == all[done..] && got[..done].iter().all(|&byte| byte == 0), "{done}");
        }
    }

    #[test]
    fn a_read_ends_where_the_file_ends() {
        let file = file(&pattern(5000));
        let mut staging = Staging::new(4096, PAGES).unwrap();
        let mut run = run(&mut staging, &file, Toward::Memory);
        assert_eq!(transfer(&mut run, 0).unwrap(), 5000);
        let shares: Vec<usize> = (0..PAGES).map(|index| run.share(index, 5000)).collect();
        assert_eq!(shares, [4096, 904, 0, 0]);
    }
}
