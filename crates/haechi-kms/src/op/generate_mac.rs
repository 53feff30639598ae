//! `GenerateMac`.

use haechi_core::{Cx, Handle};
use haechi_crypto::HmacMaterial;
use haechi_kms_model::Error;
use haechi_kms_model::ops::GenerateMac;
use haechi_kms_model::shapes::{
    GenerateMacRequest, GenerateMacResponse, KeyUsageType, MacAlgorithmSpec,
};
use haechi_wire::{Blob, Fault};

use crate::material::Material;
use crate::store::Key;
use crate::{Kms, request};

impl Handle<GenerateMac> for Kms {
    async fn handle(
        &self,
        cx: &Cx,
        input: GenerateMacRequest,
    ) -> Result<GenerateMacResponse, Error> {
        let algorithm = input.mac_algorithm;
        let facts = [("kms:macalgorithm", algorithm.as_str())];
        let (tokens, usage) = (input.grant_tokens.as_ref(), KeyUsageType::GenerateVerifyMac);
        let (key, permit) = self.key_to_use(cx, &input.key_id, tokens, usage, &facts).await?;
        check_mac_algorithm(&key, algorithm)?;
        request::end_dry_run(input.dry_run)?;
        let mac = hmac(key.current(&permit)?)?.generate_mac(&input.message.0);
        self.used(cx, &key)?;
        Ok(GenerateMacResponse {
            mac: Some(Blob(mac)),
            mac_algorithm: Some(algorithm),
            key_id: Some(key.arn().to_owned()),
        })
    }
}

/// An HMAC key has one algorithm.
pub(super) fn check_mac_algorithm(key: &Key, algorithm: MacAlgorithmSpec) -> Result<(), Error> {
    let own = key.spec().and_then(haechi_crypto::KeySpec::mac_algorithm);
    if own == Some(algorithm.as_str()) {
        return Ok(());
    }
    Err(request::incompatible(key, algorithm.as_str()))
}

/// The key of an HMAC.
pub(super) fn hmac<'a>(material: Material<'a>) -> Result<&'a HmacMaterial, Fault> {
    material.secret.as_hmac().ok_or_else(|| Fault::internal("a key that is no HMAC key"))
}
