//! Sets what the account asks of passwords. What the request leaves out gets its default, whatever
//! it was before.

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::UpdateAccountPasswordPolicy;
use haechi_iam_model::shapes::UpdateAccountPasswordPolicyRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::store::{AccountRecord, PasswordPolicyRecord};

/// Characters of a password, where the request does not say.
const LENGTH_DEFAULT: i32 = 6;

impl Handle<UpdateAccountPasswordPolicy> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: UpdateAccountPasswordPolicyRequest,
    ) -> Result<Unit, Error> {
        cx.authorize_any()?;
        let account = self.account_record(cx).await?;
        let policy = PasswordPolicyRecord {
            length_min: input.minimum_password_length.unwrap_or(LENGTH_DEFAULT),
            requires_symbols: input.require_symbols.unwrap_or_default(),
            requires_numbers: input.require_numbers.unwrap_or_default(),
            requires_uppercase: input.require_uppercase_characters.unwrap_or_default(),
            requires_lowercase: input.require_lowercase_characters.unwrap_or_default(),
            lets_users_change: input.allow_users_to_change_password.unwrap_or_default(),
            age_days_max: input.max_password_age,
            reuse_prevention: input.password_reuse_prevention,
            hard_expiry: input.hard_expiry,
            unknown: Unknown::new(),
        };
        let changed = AccountRecord { password_policy: Some(policy), ..account.value.clone() };
        let mut batch = Batch::new();
        batch.replace(&account, &changed);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
