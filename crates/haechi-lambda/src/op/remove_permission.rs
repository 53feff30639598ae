//! `RemovePermission`.

use haechi_wire::shape::Unit;

use crate::configuration::revision;
use crate::reference::Reference;
use crate::words::not_found;
use crate::{Lambda, policy};
use haechi_core::{Batch, Cx, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::RemovePermission;
use haechi_lambda_model::shapes::RemovePermissionRequest;

impl Handle<RemovePermission> for Lambda {
    async fn handle(&self, cx: &Cx, input: RemovePermissionRequest) -> Result<Unit, Error> {
        let given = (input.function_name.as_str(), input.qualifier.as_deref());
        let reference = Reference::of(cx, given.0, given.1)?;
        let arn = reference.arn();
        let found = self.qualified(cx, reference, cx.operation.action).await;
        let mut function = match found {
            Ok(function) => function,
            Err(Error::ResourceNotFoundException(..)) => {
                return Err(not_found(format!("No policy found for: {arn}")));
            }
            Err(error) => return Err(error),
        };
        self.takes_policy(&function).await?;
        let key = policy::key(function.reference.qualifier.as_deref()).to_owned();
        let Some(policy) = function.record.policies.get(&key) else {
            return Err(not_found("No policy is associated with the given resource."));
        };
        if let Some(given) = input.revision_id.as_deref().filter(|given| *given != policy.revision)
        {
            self.check_policy_revision(&function, given).await?;
        }
        let id = Some(input.statement_id.as_str());
        let has_id = |one: &String| policy::sid(one).as_deref() == id;
        if !policy.statements.iter().any(has_id) {
            return Err(not_found(format!(
                "Statement {} is not found in resource policy.",
                input.statement_id
            )));
        }
        let revision = revision(cx)?;
        if let Some(policy) = function.record.policies.get_mut(&key) {
            policy.statements.retain(|one| !has_id(one));
            policy.principals.remove(&input.statement_id);
            policy.revision = revision.clone();
        }
        function.policy_changed(revision);
        function.record.policies.retain(|_, policy| !policy.statements.is_empty());
        let mut batch = Batch::new();
        function.save(&mut batch);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
