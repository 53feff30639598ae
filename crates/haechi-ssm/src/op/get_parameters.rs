//! `GetParameters`.

use haechi_core::{Cx, Handle};
use haechi_ssm_model::Error;
use haechi_ssm_model::ops::GetParameters;
use haechi_ssm_model::shapes::{GetParametersRequest, GetParametersResult};

use crate::Ssm;

impl Handle<GetParameters> for Ssm {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetParametersRequest,
    ) -> Result<GetParametersResult, Error> {
        let with_decryption = input.with_decryption == Some(true);
        let (parameters, missing) = self.read_all(cx, &input.names, with_decryption).await?;
        Ok(GetParametersResult { parameters: Some(parameters), invalid_parameters: Some(missing) })
    }
}
