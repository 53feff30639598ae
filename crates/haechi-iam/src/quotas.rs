//! How much an account may have: AWS's default quotas ("IAM and AWS STS quotas").
//!
//! How many there are of a kind is counted once and remembered, so that the thousandth costs no
//! more than the first; before anything is refused it is counted anew. Calls that come at the very
//! same moment may pass a quota by their number: nothing waits for another because of a count.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use haechi_core::{AccountId, Path, Record};
use haechi_iam_model::Error;

use crate::Iam;
use crate::store::{
    GroupRecord, PolicyRecord, ProfileRecord, RoleRecord, UserRecord, groups_path, policies_path,
    profiles_path, roles_path, users_path,
};

/// What is counted.
pub(crate) trait Counted: Record {
    /// AWS's name of the quota.
    const QUOTA: &'static str;
    /// How many an account may have.
    const MAX: usize;
    /// Where all of an account's lie.
    fn all(account: &AccountId) -> Path;
}

macro_rules! counted {
    ($($record:ty, $quota:literal, $max:literal, $all:ident;)*) => {$(
        impl Counted for $record {
            const QUOTA: &'static str = $quota;
            const MAX: usize = $max;
            fn all(account: &AccountId) -> Path {
                $all(account)
            }
        }
    )*};
}

counted! {
    UserRecord, "UsersPerAccount", 5000, users_path;
    GroupRecord, "GroupsPerAccount", 300, groups_path;
    RoleRecord, "RolesPerAccount", 1000, roles_path;
    PolicyRecord, "PoliciesPerAccount", 1500, policies_path;
    ProfileRecord, "InstanceProfilesPerAccount", 1000, profiles_path;
}

/// How many there are, by account and quota.
#[derive(Default)]
pub(crate) struct Counts(Mutex<HashMap<(AccountId, &'static str), usize>>);

impl Counts {
    fn with<T>(&self, act: impl FnOnce(&mut HashMap<(AccountId, &'static str), usize>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// One was made.
    pub(crate) fn made<T: Counted>(&self, account: &AccountId) {
        self.with(|counts| {
            if let Some(count) = counts.get_mut(&(account.clone(), T::QUOTA)) {
                *count = count.saturating_add(1);
            }
        });
    }

    /// One was deleted.
    pub(crate) fn deleted<T: Counted>(&self, account: &AccountId) {
        self.with(|counts| {
            if let Some(count) = counts.get_mut(&(account.clone(), T::QUOTA)) {
                *count = count.saturating_sub(1);
            }
        });
    }
}

impl Iam {
    /// Refuses one more than the account may have.
    pub(crate) async fn check_quota<T: Counted>(&self, account: &AccountId) -> Result<(), Error> {
        let key = (account.clone(), T::QUOTA);
        let known = self.counts.with(|counts| counts.get(&key).copied());
        // Other nodes make and delete some, too.
        if self.database.is_alone() && known.is_some_and(|count| count < T::MAX) {
            return Ok(());
        }
        let count = self.database.list_all::<T>(&T::all(account)).await?.len();
        self.counts.with(|counts| counts.insert(key, count));
        if count < T::MAX {
            return Ok(());
        }
        let message = format!("Cannot exceed quota for {}: {}", T::QUOTA, T::MAX);
        Err(Error::LimitExceededException(message))
    }
}

/// As `GetAccountSummary` tells them.
pub(crate) const SUMMARY: &[(&str, i32)] = &[
    ("UsersQuota", 5000),
    ("GroupsQuota", 300),
    ("RolesQuota", 1000),
    ("InstanceProfilesQuota", 1000),
    ("PoliciesQuota", 1500),
    ("PolicyVersionsInUseQuota", 10_000),
    ("ServerCertificatesQuota", 20),
    ("GroupsPerUserQuota", 10),
    ("AccessKeysPerUserQuota", 2),
    ("SigningCertificatesPerUserQuota", 2),
    ("VersionsPerPolicyQuota", 5),
    ("AttachedPoliciesPerUserQuota", 10),
    ("AttachedPoliciesPerGroupQuota", 10),
    ("AttachedPoliciesPerRoleQuota", 10),
    ("UserPolicySizeQuota", 2048),
    ("GroupPolicySizeQuota", 5120),
    ("RolePolicySizeQuota", 10_240),
    ("AssumeRolePolicySizeQuota", 2048),
    ("PolicySizeQuota", 6144),
];
