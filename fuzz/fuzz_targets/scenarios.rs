//! Feeds [`mager_fuzz::scenarios`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mager_fuzz::scenarios(data));
