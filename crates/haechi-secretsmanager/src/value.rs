//! What a request may give as a value.

use std::collections::BTreeSet;

use haechi_secretsmanager_model::Error;
use haechi_wire::{SecretBlob, SecretString};
use subtle::ConstantTimeEq;

use crate::secret::CURRENT;
use crate::words;

/// Bytes of a value (quota).
pub(crate) const BYTES_MAX: usize = 65_536;

/// The plaintext of a value.
pub(crate) enum Plain {
    /// `SecretString`.
    Text(SecretString),
    /// `SecretBinary`.
    Binary(SecretBlob),
}

impl Plain {
    /// The value of a request, if it has one; it may have one at the most.
    pub(crate) fn of(
        text: Option<SecretString>,
        binary: Option<SecretBlob>,
    ) -> Result<Option<Plain>, Error> {
        let plain = match (text, binary) {
            (Some(_), Some(_)) => {
                return Err(words::parameter(
                    "You can't specify both a binary secret value and a string secret value in \
                     the same secret.",
                ));
            }
            (Some(text), None) => Plain::Text(text),
            (None, Some(binary)) => Plain::Binary(binary),
            (None, None) => return Ok(None),
        };
        if plain.bytes().len() > BYTES_MAX {
            let message = format!("The secret value is longer than {BYTES_MAX} bytes.");
            return Err(words::parameter(message));
        }
        Ok(Some(plain))
    }

    /// As bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Plain::Text(text) => text.0.as_bytes(),
            Plain::Binary(bytes) => &bytes.0,
        }
    }

    pub(crate) fn is_binary(&self) -> bool {
        matches!(self, Plain::Binary(_))
    }

    /// Whether both are the same value.
    pub(crate) fn equals(&self, other: &Plain) -> bool {
        let same: bool = self.bytes().ct_eq(other.bytes()).into();
        same && self.is_binary() == other.is_binary()
    }

    /// As the two members of an answer.
    pub(crate) fn members(self) -> (Option<SecretString>, Option<SecretBlob>) {
        match self {
            Plain::Text(text) => (Some(text), None),
            Plain::Binary(bytes) => (None, Some(bytes)),
        }
    }
}

/// The id of the version that a request makes: its token, which clients make if nobody else does.
pub(crate) fn version_id(token: Option<&String>) -> Result<String, Error> {
    token.cloned().ok_or_else(|| words::request(words::NO_TOKEN))
}

/// The labels that a request asks for; none is `AWSCURRENT`.
pub(crate) fn stages(asked: Option<Vec<String>>) -> BTreeSet<String> {
    match asked {
        Some(stages) if !stages.is_empty() => stages.into_iter().collect(),
        _ => BTreeSet::from([CURRENT.to_owned()]),
    }
}
