//! `GetRandomPassword`, and the passwords of rotations.
//!
//! Source: API Reference, GetRandomPassword.

use haechi_core::Cx;
use haechi_secretsmanager_model::Error;
use haechi_wire::{Fault, SecretString};
use zeroize::Zeroizing;

use crate::words;

const LOWERCASE: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPERCASE: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const NUMBERS: &str = "0123456789";
const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
const SPACE: &str = " ";

/// Characters that connection strings and shells trip over; AWS's templates leave them out too.
const EXCLUDED_IN_ROTATION: &str = "/@\"'\\:%";

/// What a password is to be made of.
pub(crate) struct Recipe {
    pub(crate) length: usize,
    pub(crate) exclude: String,
    pub(crate) lowercase: bool,
    pub(crate) uppercase: bool,
    pub(crate) numbers: bool,
    pub(crate) punctuation: bool,
    pub(crate) space: bool,
    /// Whether each kind is to be there.
    pub(crate) require_each: bool,
}

impl Recipe {
    /// As AWS's rotation templates make passwords.
    pub(crate) fn for_rotation() -> Recipe {
        Recipe {
            length: 32,
            exclude: EXCLUDED_IN_ROTATION.to_owned(),
            lowercase: true,
            uppercase: true,
            numbers: true,
            punctuation: true,
            space: false,
            require_each: true,
        }
    }

    /// What is left of the kinds of characters that can be required.
    fn kinds(&self) -> Vec<Vec<u8>> {
        let kinds = [
            (self.lowercase, LOWERCASE),
            (self.uppercase, UPPERCASE),
            (self.numbers, NUMBERS),
            (self.punctuation, PUNCTUATION),
        ];
        let wanted = kinds.into_iter().filter(|(wanted, _)| *wanted);
        wanted.map(|(_, kind)| self.left_of(kind)).collect()
    }

    fn left_of(&self, kind: &str) -> Vec<u8> {
        kind.bytes().filter(|byte| !self.exclude.as_bytes().contains(byte)).collect()
    }
}

/// An even draw below a bound.
fn below(cx: &Cx, bound: usize) -> Result<usize, Fault> {
    let bound = u64::try_from(bound.max(1)).map_err(Fault::internal)?;
    let limit = u64::MAX - u64::MAX % bound;
    loop {
        let mut bytes = [0; 8];
        cx.env.random.fill(&mut bytes).map_err(Fault::internal)?;
        let drawn = u64::from_le_bytes(bytes);
        if drawn < limit {
            return usize::try_from(drawn % bound).map_err(Fault::internal);
        }
    }
}

/// A password: one character of each kind if that is required, the others of all, shuffled.
pub(crate) fn generate(cx: &Cx, recipe: &Recipe) -> Result<SecretString, Error> {
    let kinds = recipe.kinds();
    if recipe.require_each && kinds.iter().any(Vec::is_empty) {
        return Err(words::parameter("All characters of the desired type have been excluded."));
    }
    let mut all: Vec<u8> = kinds.concat();
    if recipe.space {
        // It may be there, and need not.
        all.extend(recipe.left_of(SPACE));
    }
    if all.is_empty() {
        return Err(words::parameter("All characters have been excluded from selection."));
    }
    if recipe.require_each && recipe.length < kinds.len() {
        return Err(words::parameter("Password length is too short based on the required types."));
    }
    let mut drawn = Zeroizing::new(Vec::with_capacity(recipe.length));
    let first: &[Vec<u8>] = if recipe.require_each { &kinds } else { &[] };
    for kind in first.iter().chain(std::iter::repeat(&all)).take(recipe.length) {
        drawn.extend(kind.get(below(cx, kind.len())?));
    }
    // Fisher and Yates: every order is equally likely.
    for index in (1..drawn.len()).rev() {
        drawn.swap(index, below(cx, index + 1)?);
    }
    let text = String::from_utf8(std::mem::take(&mut *drawn));
    Ok(SecretString(text.map_err(|_| Fault::internal("a password is not text"))?))
}
