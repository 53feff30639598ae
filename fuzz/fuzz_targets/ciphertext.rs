//! Placeholder: the owner of this part writes the target.
#![no_main]
libfuzzer_sys::fuzz_target!(|_data: &[u8]| {});
