//! `DeleteParameters`.

use haechi_core::{Cx, Handle};
use haechi_ssm_model::Error;
use haechi_ssm_model::ops::DeleteParameters;
use haechi_ssm_model::shapes::{DeleteParametersRequest, DeleteParametersResult};
use haechi_wire::Fault;

use crate::Ssm;

/// How often a parameter is read anew when another request changes it.
const ATTEMPTS: usize = 8;

impl Handle<DeleteParameters> for Ssm {
    async fn handle(
        &self,
        cx: &Cx,
        input: DeleteParametersRequest,
    ) -> Result<DeleteParametersResult, Error> {
        // All are decided before the first goes.
        for name in &input.names {
            match self.own(cx, name).await {
                Ok(_) | Err(Error::ParameterNotFound(_)) => {}
                Err(other) => return Err(other),
            }
        }
        let (mut deleted, mut missing) = (Vec::new(), Vec::new());
        for name in input.names {
            // As GetParameters names what it has found.
            let found = name.trim().to_owned();
            // Each is a transaction of its own, as in AWS; together they would be too large for one.
            if self.delete_named(cx, &name).await? {
                deleted.push(found);
            } else if !deleted.contains(&found) {
                missing.push(name);
            }
        }
        Ok(DeleteParametersResult {
            deleted_parameters: Some(deleted),
            invalid_parameters: Some(missing),
        })
    }
}

impl Ssm {
    /// Deletes a parameter if it is there. What is gone stays gone, so a conflict over one of many
    /// must not begin the whole call again.
    async fn delete_named(&self, cx: &Cx, name: &str) -> Result<bool, Error> {
        for _ in 0..ATTEMPTS {
            let loaded = match self.own(cx, name).await {
                Ok((_, loaded)) => loaded,
                Err(Error::ParameterNotFound(_)) => None,
                Err(other) => return Err(other),
            };
            let Some(loaded) = loaded else { return Ok(false) };
            match self.delete(cx, &loaded).await {
                Ok(()) => return Ok(true),
                Err(Fault::Conflict) => {}
                Err(other) => return Err(other.into()),
            }
        }
        Err(Error::TooManyUpdates("There are concurrent updates for this resource.".to_owned()))
    }
}
