//! `GetParametersForImport`.

use haechi_core::{Cx, Handle};
use haechi_crypto::{WrappingAlgorithm, WrappingKey, WrappingKeySpec};
use haechi_kms_model::Error;
use haechi_kms_model::ops::GetParametersForImport;
use haechi_kms_model::shapes::{GetParametersForImportRequest, GetParametersForImportResponse};
use haechi_wire::{Blob, Fault, SecretBlob};

use crate::authz::{Facts, admit};
use crate::import::check_external;
use crate::key::Use;
use crate::{Kms, import_token, request};

impl Handle<GetParametersForImport> for Kms {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetParametersForImportRequest,
    ) -> Result<GetParametersForImportResponse, Error> {
        let (algorithm, spec) =
            (input.wrapping_algorithm.as_str(), input.wrapping_key_spec.as_str());
        let found = self.own_key(cx, &input.key_id).await?;
        let extra = [("kms:wrappingalgorithm", algorithm), ("kms:wrappingkeyspec", spec)];
        let (key, _) = admit(cx, found, Facts { extra: &extra, ..Facts::default() })?;
        check_external(&key.record)?;
        key.admit(Use::Change)?;
        let unsupported = |what: &str, value: &str| {
            let message = format!("{what} {value} is not supported.");
            Error::UnsupportedOperationException(message)
        };
        let spec =
            WrappingKeySpec::from_name(spec).ok_or_else(|| unsupported("WrappingKeySpec", spec))?;
        let algorithm = WrappingAlgorithm::from_name(algorithm)
            .ok_or_else(|| unsupported("WrappingAlgorithm", algorithm))?;
        if !key.spec().is_some_and(|own| algorithm.wraps(spec, own)) {
            return Err(request::invalid(format!(
                "WrappingAlgorithm {} with WrappingKeySpec {} cannot wrap key material of key \
                 spec {}.",
                algorithm.name(),
                spec.name(),
                key.record.spec
            )));
        }
        let made = self.workers.make(move || WrappingKey::generate(spec)).await?;
        let made = made.map_err(Fault::internal)?;
        let keyring = self.database.keyring();
        let (token, valid_to) =
            import_token::seal(&cx.env, &keyring, key.arn(), algorithm, &made, cx.now())?;
        Ok(GetParametersForImportResponse {
            key_id: Some(key.arn().to_owned()),
            import_token: Some(Blob(token)),
            public_key: Some(SecretBlob(made.public_key().as_der().to_vec())),
            parameters_valid_to: Some(valid_to),
        })
    }
}
