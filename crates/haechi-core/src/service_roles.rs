//! What services do in the name of a role that a user gave them: EventBridge with a target's
//! `RoleArn`, EventBridge Scheduler with a schedule's.

use std::net::Ipv4Addr;
use std::sync::Arc;

use async_trait::async_trait;
use haechi_wire::{Fault, OperationSchema};

use crate::{Caller, Cx, Env, Guardrails, Region, RequestInfo, Source};

/// Makes sessions of roles for services; the binary implements it with STS and IAM.
#[async_trait]
pub trait ServiceRoles: Send + Sync + 'static {
    /// A session of a role for a service (`events`) that acts on behalf of `source`, if the role's
    /// trust policy lets the service assume it.
    ///
    /// # Errors
    /// [`Fault::AccessDenied`] if it does not, or if there is no such role; others if the store
    /// fails.
    async fn assume(
        &self,
        service: &'static str,
        source: &Source,
        region: &Region,
        role_arn: &str,
    ) -> Result<RoleSession, Fault>;
}

/// A session of a role.
#[derive(Clone)]
pub struct RoleSession {
    /// Who calls with it.
    pub caller: Arc<Caller>,
    /// What the role's organization lays over its calls.
    pub guardrails: Arc<Guardrails>,
    /// The service that made it, as in service principals.
    pub service: String,
}

impl RoleSession {
    /// The context of a call that the service makes with it.
    ///
    /// # Errors
    /// If randomness fails.
    pub fn cx(
        &self,
        env: &Env,
        region: Region,
        operation: &'static OperationSchema,
    ) -> Result<Cx, Fault> {
        let request = RequestInfo {
            id: env.uuid().map_err(Fault::internal)?.to_string(),
            source_ip: Ipv4Addr::LOCALHOST.into(),
            user_agent: Some(format!("{}.amazonaws.com", self.service)),
            host: None,
            referer: None,
            trace: None,
            secure_transport: true,
            time: env.now(),
        };
        let cx = Cx::new(env.clone(), request, region, Arc::clone(&self.caller), operation);
        cx.guard(Arc::clone(&self.guardrails));
        Ok(cx)
    }
}
