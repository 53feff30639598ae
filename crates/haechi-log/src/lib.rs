//! An append-only log on local disk whose answer means: it is on the disk.
//!
//! The audit trail goes here. A request's record must survive power loss before the request is
//! answered, at tens of thousands of requests a second; so all records that wait are written as
//! one frame with one `fdatasync` (group commit). Frames form a hash chain and are sealed by the
//! caller's cipher: a changed byte, a removed or moved frame and a missing segment are found and
//! named. What no file alone can show is that its end was cut off whole; for that,
//! [`Log::head`] is to be anchored elsewhere and compared with [`verify`]'s report.
//!
//! ```text
//! append ─► queue (bounded) ─► writer thread: take all ─ seal ─ write ─ fdatasync ─► answer all
//!
//! directory   00000000000000000001-1440938160000.log     first frame, start (Unix milliseconds)
//!             00000000000000004711-1440941760000.log     0600; rotated by size and age
//!             lock                                       held while a writer has it open
//! frame       0  "HLG1"  4 length  8 sequence  16 SHA-256 of the frame before
//!             48 first 16 bytes of SHA-256(0..48)
//!             64 sealed payload (length bytes)
//!             .. SHA-256 of all before: the frame's own hash, 32 bytes
//! payload     (u32 length, record)*          numbers are big-endian
//! ```
//!
//! **When a frame begins.** The writer lets all callers run that can before it takes what waits, since a
//! sync costs as much as tens of records. Where it shares one core with them it leaves a quarter of
//! them to run meanwhile, so that the core does not wait for the disk (`pace`).
//!
//! **Zeros ahead.** Behind the last frame of the segment being written there may be zeros, over which
//! the next frames are written: as many bytes as this process has written so far, at most 1 MiB. A
//! frame that neither changes the file's size nor where its blocks lie is synced with one write
//! instead of two or more. They are cut off when the segment is finished, and by [`Log::open`].
//!
//! **Torn tails.** A crash may leave the last frame cut short, or with disk blocks that were never
//! written and read as zeros. Such a frame was never acknowledged, since `fdatasync` had not
//! returned, and [`Log::open`] cuts it off. An acknowledged frame was whole on the disk, so any
//! other damage is not a crash's doing: opening fails and names segment and frame.
//!
//! **Failure.** After a failed write or sync the log is failed: appends error and
//! [`Log::is_healthy`] is false, until the unacknowledged tail could be cut off and a new segment
//! created and synced, which is tried again and again.

mod backward;
mod cipher;
mod error;
mod frame;
mod io;
mod log;
mod options;
mod pace;
mod queue;
mod reader;
mod recover;
mod scan;
mod segment;
mod verify;
mod writer;

pub use backward::Backward;
pub use cipher::{CipherError, FrameCipher};
pub use error::{Damage, LogError};
pub use frame::ChainHead;
pub use log::Log;
pub use options::{Clock, Options};
pub use reader::{Position, Reader, Record};
pub use verify::{Finding, Report, verify};
