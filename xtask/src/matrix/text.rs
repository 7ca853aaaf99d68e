//! Text to work on: lines of a key and words, the same for every run.

use crate::random::Random;
use mager_linux_stage::{At, Error};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// Writes at least `mib` MiB there.
pub fn write(path: &Path, mib: u32) -> Result<(), Error> {
    let mut random = Random(1);
    let words: Vec<Vec<u8>> = (0..20_000).map(|_| word(&mut random)).collect();
    let mut file = BufWriter::new(File::create(path).at(path)?);
    let (mut line, mut written) = (Vec::new(), 0);
    while written < u64::from(mib) << 20 {
        fill(&mut line, &words, &mut random);
        file.write_all(&line).at(path)?;
        written += line.len() as u64;
    }
    file.flush().at(path)
}

fn word(random: &mut Random) -> Vec<u8> {
    (0..2 + random.below(9)).map(|_| b"etaoinshrdlucmfwypvbgkjqxz"[random.below(26)]).collect()
}

/// A line of up to 500 bytes; some words are much more frequent than others.
fn fill(line: &mut Vec<u8>, words: &[Vec<u8>], random: &mut Random) {
    line.clear();
    line.extend(format!("{:016x}", random.next()).into_bytes());
    let length = 60 + random.below(420);
    while line.len() < length {
        let few = 1 + random.below(words.len());
        line.push(b' ');
        line.extend(&words[random.below(few)]);
    }
    line.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_each_time_and_as_much_as_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let texts = ["a", "b"].map(|name| {
            let path = dir.path().join(name);
            write(&path, 1).unwrap();
            std::fs::read(path).unwrap()
        });
        assert_eq!(texts[0], texts[1]);
        assert!(texts[0].len() >= 1 << 20 && texts[0].ends_with(b"\n"));
    }
}
