//! Which version this program is, and which formats of records it knows beside the first: none yet.
//!
//! Built with the feature `next-format`, for the test of two versions side by side, it is the next
//! version: one that writes records behind a byte which the present version takes for damage.

use std::sync::Arc;

use haechi_core::{FORMAT, RecordFormat};

/// What `haechi --version` says of itself: `0.1.0`, or `0.1.0+fips`.
pub const VERSION: &str = if cfg!(feature = "next-format") {
    concat!(env!("CARGO_PKG_VERSION"), "+next")
} else if cfg!(feature = "fips") {
    concat!(env!("CARGO_PKG_VERSION"), "+fips")
} else {
    env!("CARGO_PKG_VERSION")
};

/// The format after the first, where this program knows it.
pub fn next() -> Option<Arc<dyn RecordFormat>> {
    #[cfg(feature = "next-format")]
    return Some(Arc::new(marked::Marked));
    #[cfg(not(feature = "next-format"))]
    None
}

/// The number of the newest format that this program knows.
pub fn newest() -> u32 {
    next().map_or(FORMAT, |next| next.number())
}

/// A record that was opened without a database, in the first format.
pub fn read(stored: &[u8]) -> &[u8] {
    next().map_or(stored, |next| next.read(stored))
}

#[cfg(feature = "next-format")]
mod marked {
    use haechi_core::RecordFormat;
    use zeroize::Zeroizing;

    /// No record of format 1 begins with it: they are maps of CBOR, and this is a number.
    const MARK: u8 = 2;

    /// Format 2: the mark, then what format 1 is.
    pub struct Marked;

    impl RecordFormat for Marked {
        fn number(&self) -> u32 {
            2
        }

        fn write(&self, plain: Zeroizing<Vec<u8>>) -> Zeroizing<Vec<u8>> {
            Zeroizing::new([&[MARK], plain.as_slice()].concat())
        }

        fn read<'a>(&self, stored: &'a [u8]) -> &'a [u8] {
            stored.strip_prefix(&[MARK]).unwrap_or(stored)
        }
    }
}
