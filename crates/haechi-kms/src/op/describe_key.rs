//! `DescribeKey`.

use haechi_core::{Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::DescribeKey;
use haechi_kms_model::shapes::{DescribeKeyRequest, DescribeKeyResponse};

use crate::Kms;
use crate::authz::{Facts, admit};

impl Handle<DescribeKey> for Kms {
    async fn handle(
        &self,
        cx: &Cx,
        input: DescribeKeyRequest,
    ) -> Result<DescribeKeyResponse, Error> {
        self.check_grant_tokens(input.grant_tokens.as_ref())?;
        self.make_described(cx, &input.key_id).await?;
        let found = self.key(cx, &input.key_id).await?;
        let (key, _) = admit(cx, found, Facts::default())?;
        Ok(DescribeKeyResponse { key_metadata: Some(self.describe(&key.record).await?) })
    }
}
