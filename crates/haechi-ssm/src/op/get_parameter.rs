//! `GetParameter`.

use haechi_core::{Cx, Handle};
use haechi_ssm_model::Error;
use haechi_ssm_model::ops::GetParameter;
use haechi_ssm_model::shapes::{GetParameterRequest, GetParameterResult};

use crate::Ssm;

impl Handle<GetParameter> for Ssm {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetParameterRequest,
    ) -> Result<GetParameterResult, Error> {
        let with_decryption = input.with_decryption == Some(true);
        let parameter = self.read(cx, &input.name, with_decryption).await?;
        Ok(GetParameterResult { parameter: Some(parameter) })
    }
}
