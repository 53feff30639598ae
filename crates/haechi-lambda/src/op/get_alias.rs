//! `GetAlias`.

use crate::Lambda;
use crate::function::Named;
use crate::op::create_alias::show_alias;
use crate::words::not_found;
use haechi_core::{Cx, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::GetAlias;
use haechi_lambda_model::shapes::{AliasConfiguration, GetAliasRequest};

impl Handle<GetAlias> for Lambda {
    async fn handle(&self, cx: &Cx, input: GetAliasRequest) -> Result<AliasConfiguration, Error> {
        let function = self.function(cx, Named::Whole(&input.function_name)).await?;
        let arn = function.reference.version_arn(&input.name);
        match self.alias(&function, &input.name).await? {
            Some(found) => Ok(show_alias(&function, found.value)),
            None => Err(not_found(format!("Cannot find alias arn: {arn}"))),
        }
    }
}
