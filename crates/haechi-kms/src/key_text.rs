//! What each Region of a multi-Region key has of its own, and what may be long: its policy, tags,
//! aliases and description.
//!
//! ```text
//! /kms/<account>/<region>/key-text/<key id>/<version>       KeyText, if it is not in the KeyRecord
//! ```
//! What the Regions have in common changes in all their rows at once, and a transaction takes a
//! mebibyte: the policies of thirty Regions would not fit. So long text lies beside the key's row,
//! which names its version. A version is written once; the key's row is written with it.

use std::collections::{BTreeMap, BTreeSet};

use haechi_core::database::Unknown;
use haechi_core::{Batch, Database, Loaded, Path, PrincipalIds, Record};
use haechi_wire::Fault;
use serde::{Deserialize, Serialize};

use crate::store::{KeyRecord, root};

/// Bytes of text that stay in the key's row.
const INLINE_BYTES_MAX: usize = 1024;

/// How often a key is read again whose text was changed between the two reads.
const ATTEMPTS: usize = 8;

/// Where the text of a key is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Aside {
    /// Grows with each change.
    version: u32,
    /// Whether it lies in a row of its own.
    there: bool,
}

impl Aside {
    /// Whether the text never left the key's row.
    pub(crate) fn is_unused(&self) -> bool {
        *self == Aside::default()
    }
}

/// The text, as it is stored beside the key's row.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct KeyText {
    description: String,
    policy: String,
    policy_principals: PrincipalIds,
    tags: BTreeMap<String, String>,
    aliases: BTreeSet<String>,
    /// Fields of the future.
    #[serde(flatten)]
    unknown: Unknown,
}

impl Record for KeyText {}

impl KeyText {
    fn bytes(&self) -> usize {
        let pairs = self.policy_principals.iter().chain(&self.tags);
        let pairs = pairs.flat_map(|(name, value)| [name, value]);
        let all = [&self.description, &self.policy].into_iter().chain(pairs).chain(&self.aliases);
        all.map(String::len).sum()
    }
}

/// A key that is about to be changed, as it is stored, and all its text.
pub(crate) struct Read {
    pub(crate) row: Loaded<KeyRecord>,
    pub(crate) text: KeyText,
}

impl Read {
    /// The key with its text.
    pub(crate) fn whole(&self) -> KeyRecord {
        let mut record = self.row.value.clone();
        record.put_text(self.text.clone());
        record
    }

    /// Adds the change to a batch.
    pub(crate) fn replace(&self, record: &KeyRecord, batch: &mut Batch) {
        let was = self.row.value.aside;
        let mut stored = record.clone();
        let text = KeyText { unknown: self.text.unknown.clone(), ..stored.take_text() };
        let there = stored.wants_aside(&text);
        let changed = text != self.text || there != was.there;
        stored.aside = Aside { version: was.version.saturating_add(u32::from(changed)), there };
        if changed && was.there {
            batch.delete(record.text_path(was));
        }
        if !there {
            stored.put_text(text);
        } else if changed {
            batch.create(record.text_path(stored.aside), &text);
        }
        batch.replace(&self.row, &stored);
    }

    /// Removes the key.
    pub(crate) fn remove(&self, batch: &mut Batch) {
        let record = &self.row.value;
        if record.aside.there {
            batch.delete(record.text_path(record.aside));
        }
        batch.remove(&self.row);
    }
}

/// The key at `path`, with its text.
pub(crate) async fn read(database: &Database, path: &Path) -> Result<Option<Read>, Fault> {
    for _ in 0..ATTEMPTS {
        let Some(row) = database.load::<KeyRecord>(path).await? else { return Ok(None) };
        let record = &row.value;
        if !record.aside.there {
            let text = record.clone().take_text();
            return Ok(Some(Read { row, text }));
        }
        let text = database.load::<KeyText>(&record.text_path(record.aside)).await?;
        if let Some(text) = text {
            return Ok(Some(Read { row, text: text.value }));
        }
    }
    Err(Fault::internal("a key without its policy"))
}

impl KeyRecord {
    fn text_path(&self, aside: Aside) -> Path {
        let under = root(&self.account, &self.region, "key-text").part(&self.id);
        under.part(&aside.version.to_string())
    }

    fn wants_aside(&self, text: &KeyText) -> bool {
        self.multi_region.is_some() && text.bytes() > INLINE_BYTES_MAX
    }

    fn take_text(&mut self) -> KeyText {
        KeyText {
            description: std::mem::take(&mut self.description),
            policy: std::mem::take(&mut self.policy),
            policy_principals: std::mem::take(&mut self.policy_principals),
            tags: std::mem::take(&mut self.tags),
            aliases: std::mem::take(&mut self.aliases),
            unknown: Unknown::new(),
        }
    }

    fn put_text(&mut self, text: KeyText) {
        self.description = text.description;
        self.policy = text.policy;
        self.policy_principals = text.policy_principals;
        self.tags = text.tags;
        self.aliases = text.aliases;
    }

    /// Adds the rows of a new key to a batch.
    pub(crate) fn create(&self, batch: &mut Batch) {
        let mut stored = self.clone();
        let text = stored.take_text();
        let there = stored.wants_aside(&text);
        stored.aside = Aside { version: 0, there };
        if there {
            batch.create(self.text_path(stored.aside), &text);
        } else {
            stored.put_text(text);
        }
        batch.create(self.path(), &stored);
    }
}
