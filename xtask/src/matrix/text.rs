//! Text to work on: lines of a key and words, the same for every run.

use mager_linux_stage::{At, Error};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Some number below `end`.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap_or(0)
    }

    fn word(&mut self) -> Vec<u8> {
        (0..2 + self.below(9)).map(|_| b"etaoinshrdlucmfwypvbgkjqxz"[self.below(26)]).collect()
    }
}

/// Writes at least `mib` MiB there.
pub fn write(path: &Path, mib: u32) -> Result<(), Error> {
    let mut random = Random(1);
    let words: Vec<Vec<u8>> = (0..20_000).map(|_| random.word()).collect();
    let mut file = BufWriter::new(File::create(path).at(path)?);
    let (mut line, mut written) = (Vec::new(), 0);
    while written < u64::from(mib) << 20 {
        fill(&mut line, &words, &mut random);
        file.write_all(&line).at(path)?;
        written += line.len() as u64;
    }
    file.flush().at(path)
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
