//! What Organizations asks of IAM: which accounts there are, and a new one.

use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::AccountId;
use haechi_iam::Iam;
use haechi_organizations::Accounts;
use haechi_wire::Fault;

/// Accounts as IAM has them.
pub struct IamAccounts(pub Arc<Iam>);

#[async_trait]
impl Accounts for IamAccounts {
    async fn exists(&self, account: &AccountId) -> Result<bool, Fault> {
        self.0.account_exists(account).await
    }

    async fn create(
        &self,
        account: &AccountId,
        management: &AccountId,
        role_name: &str,
    ) -> Result<(), Fault> {
        if self.0.create_account(account).await? {
            // IAM has no roles yet; `haechi account key` gives the operator a way in.
            tracing::warn!(%account, %management, role_name, "made an account without its role");
        }
        Ok(())
    }
}
