//! A user as AWS shows it.

use haechi_core::{AccountId, Cx, Resource};
use haechi_iam_model::Error;
use haechi_iam_model::shapes::{Tag, User};
use haechi_wire::Timestamp;

use crate::PARTITION;
use crate::store::UserRecord;

/// The path of a user that names none.
pub(crate) const DEFAULT_PATH: &str = "/";

/// 32 characters, as in base32.
pub(crate) const ID_ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Characters behind `AIDA`.
pub(crate) const ID_LENGTH: usize = 17;

/// `arn:aws:iam::123456789012:user/path/name`.
pub(crate) fn arn(account: &AccountId, path: &str, name: &str) -> String {
    format!("arn:{PARTITION}:iam::{account}:user{path}{name}")
}

/// `arn:aws:iam::123456789012:root`.
pub(crate) fn root_arn(account: &AccountId) -> String {
    format!("arn:{PARTITION}:iam::{account}:root")
}

impl UserRecord {
    pub(crate) fn arn(&self, account: &AccountId) -> String {
        arn(account, &self.path, &self.name)
    }

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
        User { tags, ..self.listed(account) }
    }
}

pub(crate) fn shown_tags(tags: &[(String, String)]) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect()
}

/// Notes a user for the audit record.
pub(crate) fn note(cx: &Cx, arn: &str) {
    let account = cx.account().to_string();
    cx.note(Resource { arn: arn.to_owned(), account, kind: "AWS::IAM::User" });
}

/// The error for a user that is not there.
pub(crate) fn not_found(name: &str) -> Error {
    Error::NoSuchEntityException(format!("The user with name {name} cannot be found."))
}

/// The error for a name that is taken.
pub(crate) fn exists(name: &str) -> Error {
    Error::EntityAlreadyExistsException(format!("User with name {name} already exists."))
}
