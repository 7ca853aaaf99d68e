//! What a pager sees of a backing.

use mager_stores::{Backing, Buffers, EngineKind, Home, Options, SwapOptions, SwapPlace};

#[test]
fn pages_come_back_from_the_swap_file() {
    let dir = tempfile::tempdir().unwrap();
    let swap = SwapOptions { place: SwapPlace::Unnamed(dir.path().to_owned()), blocks: 100 };
    let options = Options { swap: Some(swap), engine: EngineKind::Inline, ..Options::new(4096) };
    let mut backing = Backing::new(options).unwrap();
    let mut buffers = Buffers::new(4096, 8).unwrap();
    let out: Vec<_> = (0..8).map(|_| buffers.take().unwrap()).collect();
    for (n, &buffer) in (0u32..).zip(&out) {
        let page = buffers.bytes_mut(buffer);
        page.fill(u8::try_from(n).unwrap());
        page[0] = 99;
        backing.write(n, Home::Swap(n * n), buffer, &mut buffers);
    }
    backing.submit(&mut buffers);
    for _ in 0..8 {
        backing.finished().unwrap().result.unwrap();
    }
    assert!(backing.finished().is_none());
    for (n, &buffer) in (0u32..).zip(&out) {
        backing.read(n, Home::Swap(n * n), buffer, &mut buffers);
        backing.submit(&mut buffers);
        backing.finished().unwrap().result.unwrap();
        assert_eq!(buffers.bytes(buffer)[4095], u8::try_from(n).unwrap());
        assert_eq!(buffers.bytes(buffer)[0], 99);
    }
    println!("{}: {:?}", backing.describe(), backing.figures());
}
