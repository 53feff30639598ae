//! `UpdateAlias`.

use crate::configuration::revision;
use crate::function::Named;
use crate::op::create_alias::{check_shares, show_alias};
use crate::words::not_found;
use crate::{Lambda, words};
use haechi_core::{Batch, Cx, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::UpdateAlias;
use haechi_lambda_model::shapes::{
    AliasConfiguration, AliasRoutingConfiguration, UpdateAliasRequest,
};

impl Handle<UpdateAlias> for Lambda {
    async fn handle(
        &self,
        cx: &Cx,
        input: UpdateAliasRequest,
    ) -> Result<AliasConfiguration, Error> {
        check_shares(input.routing_config.as_ref())?;
        let function = self.function(cx, Named::Whole(&input.function_name)).await?;
        let arn = function.reference.version_arn(&input.name);
        let Some(found) = self.alias(&function, &input.name).await? else {
            return Err(not_found(format!("Alias not found: {arn}")));
        };
        let mut record = found.value.clone();
        if input.revision_id.is_some_and(|given| given != record.revision) {
            return Err(words::revision("GetFunction/GetAlias"));
        }
        record.version = input.function_version.unwrap_or(record.version);
        let kept = Some(std::mem::take(&mut record.weights));
        let kept = AliasRoutingConfiguration { additional_version_weights: kept };
        let routing = input.routing_config.unwrap_or(kept);
        record.weights = self.weights(&function, &record.version, Some(routing)).await?;
        record.description = input.description.unwrap_or(record.description);
        record.revision = revision(cx)?;
        let mut batch = Batch::new();
        batch.replace(&found, &record);
        self.database.commit(batch).await?;
        Ok(show_alias(&function, record))
    }
}
