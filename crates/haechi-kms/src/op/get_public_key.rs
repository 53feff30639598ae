//! `GetPublicKey`.

use haechi_core::{Cx, Handle};
use haechi_crypto::KeySpec as Spec;
use haechi_kms_model::Error;
use haechi_kms_model::ops::GetPublicKey;
use haechi_kms_model::shapes::{
    CustomerMasterKeySpec, GetPublicKeyRequest, GetPublicKeyResponse, KeySpec, KeyUsageType,
};
use haechi_wire::Blob;

use crate::Kms;
use crate::authz::{Facts, admit};
use crate::key::Use;

impl Handle<GetPublicKey> for Kms {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetPublicKeyRequest,
    ) -> Result<GetPublicKeyResponse, Error> {
        self.check_grant_tokens(input.grant_tokens.as_ref())?;
        let found = self.key(cx, &input.key_id).await?;
        let (key, permit) = admit(cx, found, Facts::default())?;
        let record = &key.record;
        if !key.spec().is_some_and(Spec::is_key_pair) {
            let (arn, spec) = (key.arn(), &record.spec);
            let message =
                format!("{arn} key spec is {spec} which is not valid for this operation.");
            return Err(Error::UnsupportedOperationException(message));
        }
        key.admit(Use::Material)?;
        let public_key = self
            .with_public_key(&key, permit, |public_key| Ok(public_key.as_der().to_vec()))
            .await?;
        let algorithms = record.algorithms();
        Ok(GetPublicKeyResponse {
            key_id: Some(key.arn().to_owned()),
            public_key: Some(Blob(public_key)),
            customer_master_key_spec: CustomerMasterKeySpec::parse(&record.spec),
            key_spec: KeySpec::parse(&record.spec),
            key_usage: KeyUsageType::parse(&record.usage),
            encryption_algorithms: algorithms.encryption,
            signing_algorithms: algorithms.signing,
            key_agreement_algorithms: algorithms.key_agreement,
            encapsulation_algorithms: algorithms.encapsulation,
        })
    }
}
