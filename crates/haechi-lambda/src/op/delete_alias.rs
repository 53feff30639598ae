//! `DeleteAlias`.

use haechi_core::{Batch, Cx, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::DeleteAlias;
use haechi_lambda_model::shapes::DeleteAliasRequest;

use haechi_wire::shape::Unit;

use crate::Lambda;
use crate::function::Named;

impl Handle<DeleteAlias> for Lambda {
    async fn handle(&self, cx: &Cx, input: DeleteAliasRequest) -> Result<Unit, Error> {
        let mut function = self.function(cx, Named::Whole(&input.function_name)).await?;
        let mut batch = Batch::new();
        if let Some(found) = self.alias(&function, &input.name).await? {
            batch.remove(&found);
            function.record.policies.remove(&input.name);
            function.record.event_invoke.remove(&input.name);
            function.save(&mut batch);
            self.database.commit(batch).await?;
        }
        Ok(Unit)
    }
}
