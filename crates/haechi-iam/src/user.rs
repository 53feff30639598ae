//! A user as AWS shows it.

use haechi_core::{AccountId, Env};
use haechi_iam_model::shapes::{Tag, User};
use haechi_wire::{Fault, Timestamp};

use crate::PARTITION;
use crate::attachment::shown_boundary;
use crate::entity::Entity;
use crate::store::UserRecord;

/// The path of a user that names none.
pub(crate) const DEFAULT_PATH: &str = "/";

/// 32 characters, as in base32.
pub(crate) const ID_ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Characters behind `AIDA` and its like.
const ID_LENGTH: usize = 17;

/// A new unique id: `prefix` (`AIDA` for users) and random characters.
pub(crate) fn new_id(env: &Env, prefix: &str) -> Result<String, Fault> {
    let random = env.characters(ID_ALPHABET, ID_LENGTH).map_err(Fault::internal)?;
    Ok(format!("{prefix}{random}"))
}

/// `arn:aws:iam::123456789012:root`.
pub(crate) fn root_arn(account: &AccountId) -> String {
    format!("arn:{PARTITION}:iam::{account}:root")
}

impl UserRecord {
    /// As listings show it: without tags.
    pub(crate) fn listed(&self, account: &AccountId) -> User {
        User {
            path: self.path.clone(),
            user_name: self.name.clone(),
            user_id: self.id.clone(),
            arn: self.arn(account),
            create_date: Timestamp::from_millis(self.created_ms),
            ..User::default()
        }
    }

    /// As it is shown alone: with its tags, if it has any.
    pub(crate) fn shown(&self, account: &AccountId) -> User {
        let tags = (!self.tags.is_empty()).then(|| shown_tags(&self.tags));
        let permissions_boundary = shown_boundary(self.boundary.as_deref());
        User { tags, permissions_boundary, ..self.listed(account) }
    }
}

pub(crate) fn shown_tags(tags: &[(String, String)]) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect()
}
