//! Feeds [`mager_fuzz::worlds`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mager_fuzz::worlds(data));
