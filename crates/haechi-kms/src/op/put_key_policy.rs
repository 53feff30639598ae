//! `PutKeyPolicy`.

use haechi_core::{Batch, Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::PutKeyPolicy;
use haechi_kms_model::shapes::PutKeyPolicyRequest;
use haechi_wire::shape::Unit;

use crate::authz::{Facts, Kinds, admit};
use crate::policy::Proposal;
use crate::{Kms, policy};

impl Handle<PutKeyPolicy> for Kms {
    async fn handle(&self, cx: &Cx, input: PutKeyPolicyRequest) -> Result<Unit, Error> {
        let bypass = input.bypass_policy_lockout_safety_check;
        let found = self.draft(cx, &input.key_id).await?;
        let facts = Facts { bypass, ..Facts::default() };
        let (mut key, permit) = admit(cx, found, facts)?;
        policy::check_name(input.policy_name.as_deref())?;
        let record = &key.as_ref().record;
        let kinds = Kinds { spec: &record.spec, usage: &record.usage, origin: &record.origin };
        let proposal = Proposal {
            text: &input.policy,
            key_arn: &record.arn,
            kinds,
            bypass_lockout_check: bypass == Some(true),
        };
        let accepted = self.check_policy(cx, proposal).await?;
        let record = key.record();
        record.policy = input.policy;
        record.policy_principals = accepted.principals;
        let mut batch = Batch::new();
        key.save(&permit, &mut batch);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
