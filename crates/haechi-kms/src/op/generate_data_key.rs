//! `GenerateDataKey`.

use std::collections::BTreeMap;

use haechi_core::{Cx, Handle};
use haechi_crypto::BlobKind;
use haechi_kms_model::Error;
use haechi_kms_model::ops::GenerateDataKey;
use haechi_kms_model::shapes::{DataKeySpec, GenerateDataKeyRequest, GenerateDataKeyResponse};
use haechi_wire::{Blob, Fault, SecretBlob};

use crate::authz::{Facts, admit};
use crate::material::tell_material;
use crate::{Kms, request};

impl Handle<GenerateDataKey> for Kms {
    async fn handle(
        &self,
        cx: &Cx,
        input: GenerateDataKeyRequest,
    ) -> Result<GenerateDataKeyResponse, Error> {
        self.check_grant_tokens(input.grant_tokens.as_ref())?;
        request::no_recipient(input.recipient.as_ref())?;
        let made = self
            .data_key(
                cx,
                DataKeyRequest {
                    key_id: &input.key_id,
                    context: input.encryption_context,
                    spec: input.key_spec,
                    number_of_bytes: input.number_of_bytes,
                    dry_run: input.dry_run,
                },
            )
            .await?;
        Ok(GenerateDataKeyResponse {
            ciphertext_blob: Some(made.blob),
            plaintext: Some(made.plaintext),
            key_id: Some(made.key_arn),
            ciphertext_for_recipient: None,
            key_material_id: Some(made.material_id),
        })
    }
}

/// What both operations that make data keys are asked.
pub(super) struct DataKeyRequest<'a> {
    pub(super) key_id: &'a str,
    pub(super) context: Option<BTreeMap<String, String>>,
    pub(super) spec: Option<DataKeySpec>,
    pub(super) number_of_bytes: Option<i32>,
    pub(super) dry_run: Option<bool>,
}

/// A data key, in both forms.
pub(super) struct DataKey {
    pub(super) plaintext: SecretBlob,
    pub(super) blob: Blob,
    pub(super) key_arn: String,
    pub(super) material_id: String,
}

impl Kms {
    /// Makes a data key and encrypts it.
    pub(super) async fn data_key(
        &self,
        cx: &Cx,
        asked: DataKeyRequest<'_>,
    ) -> Result<DataKey, Error> {
        let length = length(asked.spec, asked.number_of_bytes)?;
        let context = request::encryption_context(asked.context)?;
        let algorithm = request::algorithm(None);
        let found = self.key(cx, asked.key_id).await?;
        let facts = Facts {
            encryption_context: Some(&context),
            algorithm: Some(algorithm),
            ..Facts::default()
        };
        let (key, permit) = admit(cx, found, facts)?;
        self.admit_use(cx, &key).await?;
        request::check_algorithm(cx, &key, algorithm)?;
        request::end_dry_run(asked.dry_run)?;
        let mut plaintext = SecretBlob(vec![0; length]);
        cx.env.random.fill(&mut plaintext.0).map_err(Fault::internal)?;
        let kind = BlobKind::GenerateDataKey;
        let text = (&context, plaintext.0.as_slice());
        let (blob, material_id) = self.encrypt_symmetric(cx, &key, &permit, kind, text).await?;
        let key_arn = key.arn().to_owned();
        self.used(cx, &key)?;
        tell_material(cx, "keyMaterialId", Some(&material_id));
        Ok(DataKey { plaintext, blob: Blob(blob), key_arn, material_id })
    }
}

/// Bytes of the data key: exactly one of two ways to say it.
fn length(spec: Option<DataKeySpec>, number_of_bytes: Option<i32>) -> Result<usize, Error> {
    match (spec, number_of_bytes) {
        (Some(DataKeySpec::Aes256), None) => Ok(32),
        (Some(DataKeySpec::Aes128), None) => Ok(16),
        (None, Some(bytes)) => {
            usize::try_from(bytes).map_err(|error| Fault::internal(error).into())
        }
        _ => Err(request::invalid("Please specify either number of bytes or key spec.")),
    }
}
