//! `GetProvisionedConcurrencyConfig`: no function has one here, as none can be put.

use haechi_core::{Cx, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::GetProvisionedConcurrencyConfig;
use haechi_lambda_model::shapes::{
    GetProvisionedConcurrencyConfigRequest, GetProvisionedConcurrencyConfigResponse,
};

use crate::Lambda;
use crate::reference::{LATEST, Reference};
use crate::words::{invalid, no_function, not_found};

impl Handle<GetProvisionedConcurrencyConfig> for Lambda {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetProvisionedConcurrencyConfigRequest,
    ) -> Result<GetProvisionedConcurrencyConfigResponse, Error> {
        self.provisioned(cx, (&input.function_name, &input.qualifier)).await?;
        Err(Error::ProvisionedConcurrencyConfigNotFoundException(
            "No Provisioned Concurrency Config found for this function".to_owned(),
            "User".to_owned(),
        ))
    }
}

impl Lambda {
    /// Whether there is a version or alias that instances could be kept ready for.
    pub(super) async fn provisioned(
        &self,
        cx: &Cx,
        (name, qualifier): (&str, &str),
    ) -> Result<(), Error> {
        let reference = Reference::of(cx, name, Some(qualifier))?;
        let arn = reference.arn();
        let is_version = qualifier.bytes().all(|byte| byte.is_ascii_digit());
        let missing = || match is_version {
            true => no_function(&arn),
            false => not_found(format!("Cannot find alias arn: {arn}")),
        };
        let found = self.qualified(cx, reference, cx.operation.action).await;
        if qualifier == LATEST {
            return Err(invalid(
                "The function resource provided must be an alias or a published version.",
            ));
        }
        let function = match found {
            Ok(function) => function,
            Err(Error::ResourceNotFoundException(..)) => return Err(missing()),
            Err(error) => return Err(error),
        };
        match self.version(&function).await {
            Err(Error::ResourceNotFoundException(..)) => Err(missing()),
            found => found.map(|_| ()),
        }
    }
}
