//! Feeds [`mager_fuzz::protocol`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mager_fuzz::protocol(data));
