//! What a program put out, as one number: its standard output and the files in `out`, each with its name.

use mager_linux_stage::{At, Error};
use std::fs::File;
use std::hash::Hasher;
use std::io::Read;
use std::path::{Path, PathBuf};
use twox_hash::XxHash3_64;

/// The hash of a run's directory.
pub fn hash(dir: &Path) -> Result<u64, Error> {
    let out = dir.join("out");
    let entries: Result<Vec<_>, _> = std::fs::read_dir(&out).at(&out)?.collect();
    let mut files: Vec<PathBuf> = entries.at(&out)?.into_iter().map(|entry| entry.path()).collect();
    files.sort();
    files.insert(0, dir.join("stdout"));
    let mut hasher = XxHash3_64::new();
    files.iter().try_for_each(|file| add(&mut hasher, file))?;
    Ok(hasher.finish())
}

fn add(hasher: &mut XxHash3_64, path: &Path) -> Result<(), Error> {
    hasher.write(path.file_name().unwrap_or_default().as_encoded_bytes());
    let mut file = File::open(path).at(path)?;
    let (mut chunk, mut length) = (vec![0; 1 << 20], 0u64);
    loop {
        match file.read(&mut chunk).at(path)? {
            0 => break,
            n => {
                hasher.write(&chunk[..n]);
                length += n as u64;
            }
        }
    }
    hasher.write_u64(length);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::write;

    #[test]
    fn a_byte_or_a_name_makes_another_hash() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("out")).unwrap();
        let is = |stdout: &str, name: &str, text: &str| {
            write(dir.path().join("stdout"), stdout).unwrap();
            let file = dir.path().join("out").join(name);
            write(&file, text).unwrap();
            let hash = hash(dir.path()).unwrap();
            std::fs::remove_file(file).unwrap();
            hash
        };
        let one = is("a", "file", "b");
        assert_eq!(one, is("a", "file", "b"));
        for other in [is("b", "file", "b"), is("a", "elif", "b"), is("a", "file", "c"), is("ab", "file", "")]
        {
            assert_ne!(one, other);
        }
    }
}
