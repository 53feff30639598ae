//! Sessions of roles for services: STS makes them as for anybody who asks, IAM says what they may.

use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::{
    Cx, Env, GuardrailSource, Handle, Identities, Operation as _, Region, RoleSession,
    ServiceRoles, Source,
};
use haechi_iam::Iam;
use haechi_organizations::Organizations;
use haechi_sts::Sts;
use haechi_sts_model::ops::AssumeRole;
use haechi_sts_model::shapes::{AssumeRoleRequest, AssumeRoleResponse};
use haechi_wire::audit::AuditWriter;
use haechi_wire::{Fault, Problem, Schema, Shape};

use crate::recorder::{self, Recorder, Told};

/// STS, IAM and what organizations lay over roles.
pub struct SessionsOfRoles {
    /// Time and randomness.
    pub env: Env,
    /// Makes sessions.
    pub sts: Arc<Sts>,
    /// Knows what they may do.
    pub iam: Arc<Iam>,
    /// Knows what they may not.
    pub organizations: Arc<Organizations>,
    /// Where sessions are recorded.
    pub recorder: Arc<Recorder>,
}

fn redacted(shape: &impl Shape, schema: &'static Schema) -> Vec<u8> {
    let mut writer = AuditWriter::default();
    shape.write(&mut writer, schema);
    writer.finish()
}

#[async_trait]
impl ServiceRoles for SessionsOfRoles {
    async fn assume(
        &self,
        service: &'static str,
        source: &Source,
        region: &Region,
        role_arn: &str,
    ) -> Result<RoleSession, Fault> {
        let cx =
            Cx::by_service(&self.env, region.clone(), service, source.clone(), AssumeRole::SCHEMA)
                .await?;
        let guardrails = self.organizations.guardrails().await?;
        let input = AssumeRoleRequest {
            role_arn: role_arn.to_owned(),
            role_session_name: self.env.uuid().map_err(Fault::internal)?.simple().to_string(),
            ..Default::default()
        };
        self.recorder.check()?;
        let parameters = redacted(&input, AssumeRole::SCHEMA.input);
        let made = Handle::<AssumeRole>::handle(&*self.sts, &cx, input).await;
        let made = made.map_err(Problem::from);
        let written = |made: &AssumeRoleResponse| redacted(made, AssumeRole::SCHEMA.output);
        let told = Told {
            service,
            parameters,
            elements: made.as_ref().map(written).unwrap_or_default(),
            problem: made.as_ref().err().map(recorder::told),
        };
        self.recorder.record(&cx, told).await?;
        let made = made.map_err(|problem| match problem {
            Problem::Fault(fault) => fault,
            refused => Fault::AccessDenied(refused.message()),
        })?;
        let keys = made.credentials.ok_or_else(|| Fault::internal("a session without keys"))?;
        let token = Some(keys.session_token.as_str());
        let found = self.iam.credential(&keys.access_key_id, token).await?;
        let found = found.ok_or_else(|| {
            Fault::AccessDenied(format!("The role {role_arn} has just been deleted."))
        })?;
        let caller = Arc::clone(&found.caller);
        Ok(RoleSession { caller, guardrails, service: service.to_owned() })
    }
}
