//! Passwords of users: what the account's policy asks of them, and how they are kept.
//!
//! Only Argon2id hashes are kept, also of the 24 passwords before. Hashing is meant to be slow, so
//! it runs on threads of its own, two at a time at most.

use std::sync::Arc;

use haechi_core::{AccountId, Ask, Cx, Env, Loaded, NoContext};
use haechi_crypto::PasswordHash;
use haechi_iam_model::Error;
use haechi_iam_model::shapes::{LoginProfile, PasswordPolicy};
use haechi_policy::{Kind, Principal, ResourceRule};
use haechi_wire::{Fault, SecretString, Timestamp};
use tokio::sync::Semaphore;

use crate::Iam;
use crate::store::{LoginRecord, PasswordPolicyRecord, UserRecord, login_path};

/// Passwords that a user had before, as many as `PasswordReusePrevention` can ask for.
const PREVIOUS_MAX: usize = 24;

/// Hashes that are computed at the same time, 19 MiB each.
const HASHES_AT_ONCE: usize = 2;

/// What `RequireSymbols` counts (API reference).
const SYMBOLS: &str = "!@#$%^&*()_+-=[]{}|'";

/// Characters of a password where the account has no policy.
const LENGTH_DEFAULT: usize = 8;

/// Kinds of characters of a password where the account has no policy.
const KINDS_DEFAULT: usize = 3;

/// Computes hashes.
pub(crate) struct Passwords(Arc<Semaphore>);

impl Default for Passwords {
    fn default() -> Self {
        Passwords(Arc::new(Semaphore::new(HASHES_AT_ONCE)))
    }
}

impl Passwords {
    /// Whether any of these is the hash of `password`.
    pub(crate) async fn any_matches(
        &self,
        hashes: Vec<PasswordHash>,
        password: &SecretString,
    ) -> Result<bool, Fault> {
        let password = password.clone();
        self.run(move || {
            for hash in hashes {
                if hash.matches(password.0.as_bytes()).map_err(Fault::internal)? {
                    return Ok(true);
                }
            }
            Ok(false)
        })
        .await
    }

    /// The hash of a new password.
    pub(crate) async fn hash(
        &self,
        env: &Env,
        password: &SecretString,
    ) -> Result<PasswordHash, Fault> {
        let (random, password) = (Arc::clone(&env.random), password.clone());
        let create = move || PasswordHash::create(password.0.as_bytes(), &*random);
        self.run(move || create().map_err(Fault::internal)).await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let permit = Arc::clone(&self.0).acquire_owned().await.map_err(Fault::internal)?;
        let task = tokio::task::spawn_blocking(move || {
            let outcome = work();
            drop(permit);
            outcome
        });
        task.await.map_err(Fault::internal)?
    }
}

/// The error for a password that the policy does not accept.
fn violation(message: &str) -> Error {
    Error::PasswordPolicyViolationException(message.to_owned())
}

/// Refuses a password that the account's policy does not accept, its history aside.
fn check(policy: Option<&PasswordPolicyRecord>, password: &str) -> Result<(), Error> {
    let has = |is: fn(char) -> bool| password.chars().any(is);
    let upper = has(|character| character.is_ascii_uppercase());
    let lower = has(|character| character.is_ascii_lowercase());
    let digit = has(|character| character.is_ascii_digit());
    let symbol = has(|character| SYMBOLS.contains(character));
    let length = password.chars().count();
    let accepted = match policy {
        None => {
            let kinds = [upper, lower, digit, symbol].into_iter().filter(|has| *has).count();
            length >= LENGTH_DEFAULT && kinds >= KINDS_DEFAULT
        }
        Some(policy) => {
            length >= usize::try_from(policy.length_min).unwrap_or_default()
                && (upper || !policy.requires_uppercase)
                && (lower || !policy.requires_lowercase)
                && (digit || !policy.requires_numbers)
                && (symbol || !policy.requires_symbols)
        }
    };
    if accepted {
        return Ok(());
    }
    Err(violation("Password does not conform to the account password policy."))
}

impl PasswordPolicyRecord {
    /// As AWS shows it.
    pub(crate) fn shown(&self) -> PasswordPolicy {
        PasswordPolicy {
            minimum_password_length: Some(self.length_min),
            require_symbols: Some(self.requires_symbols),
            require_numbers: Some(self.requires_numbers),
            require_uppercase_characters: Some(self.requires_uppercase),
            require_lowercase_characters: Some(self.requires_lowercase),
            allow_users_to_change_password: Some(self.lets_users_change),
            expire_passwords: Some(self.age_days_max.is_some()),
            max_password_age: self.age_days_max,
            password_reuse_prevention: self.reuse_prevention,
            hard_expiry: self.hard_expiry,
        }
    }
}

impl LoginRecord {
    /// As AWS shows it.
    pub(crate) fn shown(&self, user_name: &str) -> LoginProfile {
        LoginProfile {
            user_name: user_name.to_owned(),
            create_date: Timestamp::from_millis(self.created_ms),
            password_reset_required: Some(self.is_reset_required),
        }
    }
}

/// The error for a user without a password.
pub(crate) fn login_not_found(user_name: &str) -> Error {
    Error::NoSuchEntityException(format!("Login Profile for User {user_name} cannot be found."))
}

impl Iam {
    /// Decides whether the caller may change its own password, or see what is asked of a new one: a
    /// policy allows it, or the account's password policy lets users do so and none denies it.
    pub(crate) async fn authorize_of_password(&self, cx: &Cx, arn: &str) -> Result<(), Error> {
        let decided = cx.decide(&Ask {
            action: cx.operation.action,
            resource: arn,
            resource_account: cx.account().as_str(),
            policy: None,
            rule: ResourceRule::Union,
            context: &NoContext,
        });
        let Err(denied) = decided else { return Ok(()) };
        let is_silent = !denied.denial.is_explicit() && denied.denial.kind() == Kind::Identity;
        let is_user = matches!(cx.caller.principal, Principal::User { .. });
        let lets_users_change = is_silent
            && is_user
            && self.password_policy(cx).await?.is_some_and(|policy| policy.lets_users_change);
        if lets_users_change { Ok(()) } else { Err(Fault::from(denied).into()) }
    }

    /// The login profile of a user that was authorised.
    pub(crate) async fn login(
        &self,
        account: &AccountId,
        user: &UserRecord,
    ) -> Result<Loaded<LoginRecord>, Error> {
        let found = self.database.load(&login_path(account, &user.id)).await?;
        found.ok_or_else(|| login_not_found(&user.name))
    }

    /// What the account asks of passwords.
    pub(crate) async fn password_policy(
        &self,
        cx: &Cx,
    ) -> Result<Option<PasswordPolicyRecord>, Error> {
        Ok(self.account_record(cx).await?.value.password_policy)
    }

    /// The hash of a first password, if the account's policy accepts it.
    pub(crate) async fn first_password(
        &self,
        cx: &Cx,
        password: &SecretString,
    ) -> Result<PasswordHash, Error> {
        check(self.password_policy(cx).await?.as_ref(), &password.0)?;
        Ok(self.passwords.hash(&cx.env, password).await?)
    }

    /// A login profile with another password, if the account's policy accepts it.
    pub(crate) async fn next_password(
        &self,
        cx: &Cx,
        login: &LoginRecord,
        password: &SecretString,
    ) -> Result<LoginRecord, Error> {
        let policy = self.password_policy(cx).await?;
        check(policy.as_ref(), &password.0)?;
        let prevention = policy.and_then(|policy| policy.reuse_prevention).unwrap_or_default();
        let prevention = usize::try_from(prevention).unwrap_or_default();
        let known = std::iter::once(&login.hash).chain(&login.previous);
        let known: Vec<PasswordHash> = known.take(prevention).cloned().collect();
        if self.passwords.any_matches(known, password).await? {
            return Err(violation(
                "Policy constraint violation with password reuse prevention during password change.",
            ));
        }
        let previous = std::iter::once(&login.hash).chain(&login.previous);
        Ok(LoginRecord {
            hash: self.passwords.hash(&cx.env, password).await?,
            previous: previous.take(PREVIOUS_MAX).cloned().collect(),
            changed_ms: cx.now().millis(),
            ..login.clone()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> PasswordPolicyRecord {
        PasswordPolicyRecord { length_min: 6, ..PasswordPolicyRecord::default() }
    }

    #[test]
    fn without_a_policy_eight_characters_of_three_kinds_are_asked_for() {
        for good in ["Abcdefg1", "abcdef1!", "ABCDEF1!", "Abcdefg!"] {
            assert!(check(None, good).is_ok(), "{good}");
        }
        for bad in ["Abcdef1", "abcdefg1", "ABCDEFG1", "abcdefg!", "12345678", "Äbcdefgh"] {
            assert!(check(None, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn each_requirement_of_a_policy_counts_by_itself() {
        assert!(check(Some(&policy()), "aaaaaa").is_ok());
        assert!(check(Some(&policy()), "aaaaa").is_err());
        let numbers = PasswordPolicyRecord { requires_numbers: true, ..policy() };
        let symbols = PasswordPolicyRecord { requires_symbols: true, ..policy() };
        let upper = PasswordPolicyRecord { requires_uppercase: true, ..policy() };
        let lower = PasswordPolicyRecord { requires_lowercase: true, ..policy() };
        for (policy, good, bad) in [
            (numbers, "aaaaa1", "aaaaaa"),
            (symbols, "aaaaa|", "aaaaa\""),
            (upper, "aaaaaA", "aaaaaa"),
            (lower, "AAAAAa", "AAAAAA"),
        ] {
            assert!(check(Some(&policy), good).is_ok(), "{good}");
            assert!(check(Some(&policy), bad).is_err(), "{bad}");
        }
    }
}
