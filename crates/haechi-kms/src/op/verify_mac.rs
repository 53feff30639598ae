//! `VerifyMac`.

use haechi_core::{Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::VerifyMac;
use haechi_kms_model::shapes::{KeyUsageType, VerifyMacRequest, VerifyMacResponse};

use super::generate_mac::{check_mac_algorithm, hmac};
use crate::{Kms, request};

impl Handle<VerifyMac> for Kms {
    async fn handle(&self, cx: &Cx, input: VerifyMacRequest) -> Result<VerifyMacResponse, Error> {
        let algorithm = input.mac_algorithm;
        let facts = [("kms:macalgorithm", algorithm.as_str())];
        let (tokens, usage) = (input.grant_tokens.as_ref(), KeyUsageType::GenerateVerifyMac);
        let (key, permit) = self.key_to_use(cx, &input.key_id, tokens, usage, &facts).await?;
        check_mac_algorithm(&key, algorithm)?;
        let verified = hmac(key.current(&permit)?)?.verify_mac(&input.message.0, &input.mac.0);
        verified.map_err(|_| Error::KMSInvalidMacException(String::new()))?;
        request::end_dry_run(input.dry_run)?;
        self.used(cx, &key)?;
        Ok(VerifyMacResponse {
            key_id: Some(key.arn().to_owned()),
            mac_valid: Some(true),
            mac_algorithm: Some(algorithm),
        })
    }
}
