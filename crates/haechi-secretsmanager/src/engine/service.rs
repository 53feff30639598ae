//! Who rotates when nobody calls: the account's service-linked role.

use haechi_core::{AccountId, Cx, Region, ServiceLinkedRole};
use haechi_secretsmanager_model::ops::RotateSecret;
use haechi_wire::Fault;

use crate::SecretsManager;
use crate::secret::SecretRecord;
use crate::vault::region;

const ROLE: ServiceLinkedRole = ServiceLinkedRole {
    service: "secretsmanager",
    linked_to: "secretsmanager",
    name: "AWSServiceRoleForSecretsManager",
    session: "haechi-rotation",
    policy: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
        "Action":["kms:GenerateDataKey","kms:Decrypt","kms:DescribeKey"],"Resource":"*"}]}"#,
};

impl SecretsManager {
    /// The context of work on a secret that nobody called for.
    pub(crate) async fn service_cx(&self, record: &SecretRecord) -> Result<Cx, Fault> {
        let region = region(&record.region)?;
        let account = AccountId::parse(&record.account)
            .ok_or_else(|| Fault::internal("a secret of no account"))?;
        self.service_cx_at(&account, &region).await
    }

    /// The same for an account and Region.
    pub(crate) async fn service_cx_at(
        &self,
        account: &AccountId,
        region: &Region,
    ) -> Result<Cx, Fault> {
        let schema = <RotateSecret as haechi_core::Operation>::SCHEMA;
        Cx::by_service_linked_role(&self.env, &ROLE, (account, region), schema).await
    }
}
