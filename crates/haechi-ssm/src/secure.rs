//! Values of `SecureString`s: KMS encrypts and decrypts them in the caller's name, for the
//! parameter's ARN.
//!
//! What is stored is what a read without decryption shows: in Base64, the ciphertext of KMS
//! (standard) or an envelope (advanced).
//!
//! Source: User Guide, "AWS KMS encryption for Parameter Store SecureString parameters".

use std::collections::BTreeMap;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use haechi_core::{AccountId, Cx, Operation, Region};
use haechi_kms_model::ops::{Decrypt, Encrypt, GenerateDataKey};
use haechi_kms_model::shapes::{
    DataKeySpec, DecryptRequest, DecryptResponse, EncryptRequest, EncryptResponse,
    GenerateDataKeyRequest, GenerateDataKeyResponse,
};
use haechi_ssm_model::Error;
use haechi_wire::{Blob, Fault, Problem, SecretBlob};
use zeroize::Zeroizing;

use crate::{Ssm, envelope};

/// How this service is named where it calls others for its callers.
pub(crate) const SERVICE: &str = "ssm";

/// The key of what names none.
pub(crate) const DEFAULT_KEY: &str = "alias/aws/ssm";

/// What Parameter Store asks of KMS, each in the name of the caller of `cx`.
#[async_trait]
pub trait Keys: Send + Sync + 'static {
    /// The ARN of the account's AWS managed key for this service; made if it is not there.
    ///
    /// # Errors
    /// If the store or randomness fails.
    async fn default_key(&self, account: &AccountId, region: &Region) -> Result<String, Fault>;

    /// `Encrypt`.
    ///
    /// # Errors
    /// Whatever KMS answers.
    async fn encrypt(&self, cx: &Cx, input: EncryptRequest) -> Result<EncryptResponse, Problem>;

    /// `Decrypt`.
    ///
    /// # Errors
    /// Whatever KMS answers.
    async fn decrypt(&self, cx: &Cx, input: DecryptRequest) -> Result<DecryptResponse, Problem>;

    /// `GenerateDataKey`.
    ///
    /// # Errors
    /// Whatever KMS answers.
    async fn generate_data_key(
        &self,
        cx: &Cx,
        input: GenerateDataKeyRequest,
    ) -> Result<GenerateDataKeyResponse, Problem>;
}

/// The encryption context of a parameter.
pub(crate) fn context(arn: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("PARAMETER_ARN".to_owned(), arn.to_owned())])
}

/// KMS's refusal, as Parameter Store passes it on.
fn refused(cx: &Cx, key_id: &str, problem: Problem) -> Error {
    let passed_on = |message: String, code: &str, status: u16| {
        format!(
            "{message} (Service: AWSKMS; Status Code: {status}; Error Code: {code}; Request ID: {}; \
             Proxy: null)",
            cx.request.id
        )
    };
    match problem {
        Problem::Fault(Fault::AccessDenied(message)) => {
            Error::Fault(Fault::AccessDenied(passed_on(message, "AccessDeniedException", 400)))
        }
        Problem::Fault(fault) => Error::Fault(fault),
        Problem::Modelled { code: "NotFoundException", .. } => {
            Error::InvalidKeyId(format!("Invalid keyId {key_id}"))
        }
        Problem::Modelled { code, status, message, .. } => {
            Error::InvalidKeyId(passed_on(message, code, status))
        }
    }
}

fn missing() -> Error {
    Error::Fault(Fault::internal("KMS answered without what was asked for"))
}

impl Ssm {
    /// Encrypts a value under a key, as named by the caller.
    pub(crate) async fn seal(
        &self,
        cx: &Cx,
        arn: &str,
        key_id: &str,
        advanced: bool,
        value: &str,
    ) -> Result<Zeroizing<String>, Error> {
        let key = if key_id == DEFAULT_KEY {
            self.keys.default_key(cx.account(), &cx.region).await?
        } else {
            key_id.to_owned()
        };
        let refused = |problem| refused(cx, key_id, problem);
        let sealed = if advanced {
            let input = GenerateDataKeyRequest {
                key_id: key,
                encryption_context: Some(context(arn)),
                key_spec: Some(DataKeySpec::Aes256),
                ..Default::default()
            };
            let call = cx.forward(GenerateDataKey::SCHEMA, SERVICE);
            let made = self.keys.generate_data_key(&call, input).await.map_err(refused)?;
            let (Some(plain), Some(blob)) = (made.plaintext, made.ciphertext_blob) else {
                return Err(missing());
            };
            envelope::seal(&self.env, &plain, &blob.0, &context(arn), value.as_bytes())?
        } else {
            let input = EncryptRequest {
                key_id: key,
                plaintext: SecretBlob(value.as_bytes().to_vec()),
                encryption_context: Some(context(arn)),
                ..Default::default()
            };
            let call = cx.forward(Encrypt::SCHEMA, SERVICE);
            let made = self.keys.encrypt(&call, input).await.map_err(refused)?;
            made.ciphertext_blob.ok_or_else(missing)?.0
        };
        Ok(Zeroizing::new(STANDARD.encode(sealed)))
    }

    /// Decrypts what [`Self::seal`] made.
    pub(crate) async fn open(
        &self,
        cx: &Cx,
        arn: &str,
        key_id: &str,
        stored: &str,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let stored = STANDARD.decode(stored).map_err(Fault::internal)?;
        let envelope = envelope::Envelope::parse(&stored);
        let blob = envelope.as_ref().map_or(stored.as_slice(), |envelope| envelope.data_key);
        let input = DecryptRequest {
            ciphertext_blob: Some(Blob(blob.to_vec())),
            encryption_context: Some(context(arn)),
            ..Default::default()
        };
        let call = cx.forward(Decrypt::SCHEMA, SERVICE);
        let opened = self.keys.decrypt(&call, input).await;
        let opened = opened.map_err(|problem| refused(cx, key_id, problem))?;
        let mut plain = opened.plaintext.ok_or_else(missing)?;
        match envelope {
            Some(envelope) => Ok(envelope.open(&plain, &context(arn))?),
            None => Ok(Zeroizing::new(std::mem::take(&mut plain.0))),
        }
    }
}
