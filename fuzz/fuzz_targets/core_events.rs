//! Feeds [`mager_fuzz::core_events`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mager_fuzz::core_events(data));
