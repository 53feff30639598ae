//! Access key ids, which name their account as AWS's do.
//!
//! ```text
//! AKIA  Q  ·······  ·       …
//! kind  │  └─ 40 bits: the account, 39 bits: random ─┘   (16 base32 characters = 80 bits)
//!       └ the highest bit is set
//! ```
//! So `sts:GetAccessKeyInfo` answers without a store, also for keys that are gone, as AWS does.
//! An account id is no secret. The layout is known from published ids; a test holds one of them.

use haechi_crypto::{CryptoError, Random};

use crate::AccountId;

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const CHARACTERS: u32 = 16;
const RANDOM_BITS: u32 = 39;
const ACCOUNT_MASK: u128 = (1 << 40) - 1;
const NEW_FORM: u128 = 1 << 79;

/// A new id of an account: `prefix` (`AKIA` for long-term keys) and 16 characters.
///
/// # Errors
/// If randomness fails.
pub fn create(
    prefix: &str,
    account: &AccountId,
    random: &dyn Random,
) -> Result<String, CryptoError> {
    let mut bytes = [0; 8];
    random.fill(&mut bytes)?;
    let drawn = u128::from(u64::from_be_bytes(bytes)) & ((1 << RANDOM_BITS) - 1);
    let digits: u128 = account.as_str().parse().unwrap_or(0);
    let bits = NEW_FORM | (digits << RANDOM_BITS) | drawn;
    let characters = (0..CHARACTERS).rev().filter_map(|place| {
        let index = usize::try_from((bits >> (5 * place)) & 31).ok()?;
        ALPHABET.get(index).map(|byte| char::from(*byte))
    });
    Ok(prefix.chars().chain(characters).collect())
}

/// The account that an id names; `None` if it is not of this form.
pub fn account(id: &str) -> Option<AccountId> {
    let (prefix, rest) = id.split_at_checked(4)?;
    if !matches!(prefix, "AKIA" | "ASIA") || rest.len() != 16 {
        return None;
    }
    let mut bits: u128 = 0;
    for byte in rest.bytes() {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'2'..=b'7' => byte - b'2' + 26,
            _ => return None,
        };
        bits = (bits << 5) | u128::from(digit);
    }
    if bits & NEW_FORM == 0 {
        return None;
    }
    // By hand, and of 64 bits instead of 128: it is done for each request.
    let mut number = u64::try_from((bits >> RANDOM_BITS) & ACCOUNT_MASK).ok()?;
    let mut digits = [b'0'; 12];
    for digit in digits.iter_mut().rev() {
        *digit += u8::try_from(number % 10).ok()?;
        number /= 10;
    }
    if number > 0 {
        return None;
    }
    AccountId::parse(str::from_utf8(&digits).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_published_id_names_its_account() {
        let named = account("ASIAQNZGKIQY56JQ7WML").unwrap();
        assert_eq!(named.as_str(), "029608264753");
    }

    #[test]
    fn a_new_id_names_the_account_it_was_made_for() {
        let random = haechi_crypto::SystemRandom::new();
        for digits in ["000000000000", "123456789012", "999999999999"] {
            let owner = AccountId::parse(digits).unwrap();
            let id = create("AKIA", &owner, &random).unwrap();
            assert_eq!(id.len(), 20);
            assert_eq!(account(&id), Some(owner));
        }
    }

    #[test]
    fn what_is_not_of_the_form_names_none() {
        for id in ["", "AKI", "AKIAIOSFODNN7EXAMPLE", "AKIAQNZGKIQY56JQ7WM", "AKIA0NZGKIQY56JQ7WML"]
        {
            assert_eq!(account(id), None, "{id}");
        }
        assert_eq!(account("AIDAQNZGKIQY56JQ7WML"), None);
        assert_eq!(account("ÄÖÜQNZGKIQY56JQ7WML"), None);
        assert_eq!(account("AKIA7777777777777777"), None, "beyond twelve digits");
    }
}
