//! Which records may be written while nodes of different versions run side by side.
//!
//! Fields that a program does not know survive its writes, so a new field needs no gate. What an
//! older program would misread (a new meaning, a new layout) is written only once the format of the
//! cluster is that high: it rises to what *all* living nodes know, and never falls. A program that
//! knows less than the cluster's format does not join.

/// The newest format that this program knows. 1: everything up to now.
pub const FORMAT: u32 = 1;
