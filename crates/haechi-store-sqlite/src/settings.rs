//! How a store is opened.

use haechi_store::Options;

/// How a store is opened; made from [`Options`] when the defaults will do.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What every engine needs: clock and history.
    pub options: Options,
    /// How many connections read at the same time.
    pub readers: u32,
    /// A quota for the database file, in bytes; beyond it writes fail with `DiskFull`.
    pub bytes_max: Option<u64>,
}

impl From<Options> for Settings {
    fn from(options: Options) -> Self {
        Self { options, readers: 4, bytes_max: None }
    }
}
