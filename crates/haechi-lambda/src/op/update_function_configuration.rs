//! `UpdateFunctionConfiguration`.

use crate::configuration::{Shown, revision, show};
use crate::function::Named;
use crate::{Lambda, words};
use haechi_core::{Batch, Cx, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::UpdateFunctionConfiguration;
use haechi_lambda_model::shapes::{FunctionConfiguration, UpdateFunctionConfigurationRequest};

impl Handle<UpdateFunctionConfiguration> for Lambda {
    async fn handle(
        &self,
        cx: &Cx,
        input: UpdateFunctionConfigurationRequest,
    ) -> Result<FunctionConfiguration, Error> {
        let mut function = self.function(cx, Named::Whole(&input.function_name)).await?;
        let latest = &function.record.latest;
        if input.revision_id.as_ref().is_some_and(|given| *given != latest.revision) {
            return Err(words::revision("GetFunction/GetAlias"));
        }
        if let Some(role) = input.role.as_ref().filter(|role| **role != latest.role) {
            self.accept_role(cx, &function.reference, role).await?;
        }
        let latest = &mut function.record.latest;
        self.change(cx, latest, input)?;
        latest.modified_ms = cx.now().millis();
        latest.revision = revision(cx)?;
        // The answer's revision is that of a change that is still being made.
        let mut shown = latest.clone();
        shown.revision = revision(cx)?;
        let mut batch = Batch::new();
        function.save(&mut batch);
        self.database.commit(batch).await?;
        let arn = function.reference.function_arn();
        Ok(show(&function.record, &shown, arn, Shown::Updating))
    }
}
