//! `include/mager.h` is what the source says. After a change: `MAGER_GOLDEN=write cargo test -p mager-capi`.

use std::path::Path;

#[test]
fn the_header_is_what_the_source_says() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(here.join("cbindgen.toml")).expect("its configuration");
    let sources = ["failure.rs", "pager.rs", "arena.rs"].map(|file| here.join("src/sys").join(file));
    let builder = sources.iter().fold(cbindgen::Builder::new(), |builder, source| builder.with_src(source));
    let mut made = Vec::new();
    builder.with_config(config).generate().expect("a header").write(&mut made);
    let path = here.join("include/mager.h");
    if std::env::var_os("MAGER_GOLDEN").is_some_and(|value| value == "write") {
        std::fs::write(&path, &made).expect("it is written");
    }
    let kept = std::fs::read(&path).unwrap_or_default();
    assert!(made == kept, "include/mager.h is not what the source says: MAGER_GOLDEN=write makes it anew");
}
