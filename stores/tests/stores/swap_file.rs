//! Making a swap file: private, alone, and with all its room; else an error that says which of it is not so.

use mager_stores::{Existing, OpenError, Store, SwapFile};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

fn create(path: &Path, existing: Existing) -> Result<SwapFile, OpenError> {
    SwapFile::create(path, 4096, 100, existing)
}

#[test]
fn it_is_private_and_has_all_its_room() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("swap");
    let mut swap = create(&path, Existing::Refuse).unwrap();
    let data = fs::metadata(&path).unwrap();
    assert_eq!((data.permissions().mode() & 0o777, data.len()), (0o600, 409_600));
    assert!(data.blocks() * 512 >= 409_600, "its room is taken");
    swap.discard(0, 100).unwrap();
    assert!(fs::metadata(&path).unwrap().blocks() * 512 >= 409_600, "and stays taken");
    swap.unlink().unwrap();
    assert!(!path.exists());
    swap.write(3, &[1; 4096]).unwrap();
}

#[test]
fn somebody_elses_file_is_not_overwritten_unless_that_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("thesis");
    fs::write(&path, "years of work").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(create(&path, Existing::Refuse), Err(OpenError::Exists(_))));
    assert_eq!(fs::read(&path).unwrap(), b"years of work");
    let mut swap = create(&path, Existing::Overwrite).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let mut page = [1; 4096];
    swap.read(0, &mut page).unwrap();
    assert_eq!(page, [0; 4096]);
}

#[test]
fn two_pagers_do_not_share_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("swap");
    let mut first = create(&path, Existing::Refuse).unwrap();
    first.write(1, &[9; 4096]).unwrap();
    assert!(matches!(create(&path, Existing::Overwrite), Err(OpenError::InUse(_))));
    let mut page = [0; 4096];
    first.read(1, &mut page).unwrap();
    assert_eq!(page, [9; 4096]);
}

#[test]
fn what_is_no_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(create(dir.path(), Existing::Overwrite), Err(OpenError::NotAFile(_))));
    let link = dir.path().join("link");
    symlink(dir.path().join("elsewhere"), &link).unwrap();
    assert!(matches!(create(&link, Existing::Overwrite), Err(OpenError::NotAFile(_))));
    assert!(!dir.path().join("elsewhere").exists(), "links are not followed");
    assert!(matches!(create(&dir.path().join("no/swap"), Existing::Refuse), Err(OpenError::Io { .. })));
}

/// A file system of 1 MiB, for as long as this lives.
struct Small(tempfile::TempDir);

impl Small {
    fn mount() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m", "mager-test"])
            .arg(dir.path())
            .output();
        status.is_ok_and(|it| it.status.success()).then_some(Small(dir))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).output();
    }
}

#[test]
fn a_disk_too_small_is_found_when_the_file_is_made() {
    let Some(small) = Small::mount() else {
        println!("SKIPPED: a_disk_too_small_is_found_when_the_file_is_made needs the right to mount a tmpfs");
        return;
    };
    let path = small.0.path().join("swap");
    let error = SwapFile::create(&path, 4096, 1000, Existing::Refuse).unwrap_err();
    assert!(matches!(error, OpenError::DiskFull { bytes: 4_096_000, .. }), "{error}");
    assert!(!path.exists(), "nothing is left behind");
    assert!(matches!(SwapFile::unnamed(small.0.path(), 4096, 1000), Err(OpenError::DiskFull { .. })));
    let mut swap = SwapFile::create(&path, 4096, 200, Existing::Refuse).unwrap();
    let _ = fs::write(small.0.path().join("rest"), vec![1; 1 << 20]);
    for block in 0..200 {
        swap.write(block, &[7; 4096]).unwrap();
    }
}
