//! Feeds [`mager_fuzz::event_log`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mager_fuzz::event_log(data));
