//! What is asked of KMS, and what its refusals mean.

use async_trait::async_trait;
use haechi_core::{AccountId, Cx, Region};
use haechi_kms_model::shapes::{
    DecryptRequest, DecryptResponse, GenerateDataKeyRequest, GenerateDataKeyResponse,
};
use haechi_wire::{Fault, Problem};

/// The keys of KMS. The calls come with a context that already speaks for the caller, through the
/// service.
#[async_trait]
pub trait Keys: Send + Sync + 'static {
    /// The ARN of the AWS managed key of a service (`sqs`), made if it is not there.
    ///
    /// # Errors
    /// If the store fails.
    async fn managed_key(
        &self,
        service: &str,
        account: &AccountId,
        region: &Region,
    ) -> Result<String, Fault>;

    /// KMS's `GenerateDataKey`.
    ///
    /// # Errors
    /// Whatever KMS answers.
    async fn generate_data_key(
        &self,
        cx: &Cx,
        input: GenerateDataKeyRequest,
    ) -> Result<GenerateDataKeyResponse, Problem>;

    /// KMS's `Decrypt`.
    ///
    /// # Errors
    /// Whatever KMS answers.
    async fn decrypt(&self, cx: &Cx, input: DecryptRequest) -> Result<DecryptResponse, Problem>;

    /// Records the calls that were made for work that nobody called for.
    ///
    /// # Errors
    /// If the audit log cannot be written.
    async fn record(&self, cx: &Cx) -> Result<(), Fault>;
}

/// Why a data key is not to be had; each with KMS's words.
#[derive(Debug)]
pub enum Refused {
    /// The caller may not use the key.
    AccessDenied(String),
    /// The key is disabled.
    Disabled(String),
    /// The key's state does not admit it.
    InvalidState(String),
    /// There is no such key.
    NotFound(String),
    /// The key is not made for it.
    InvalidKeyUsage(String),
    /// KMS was asked too often.
    Throttled(String),
    /// Something else failed.
    Fault(Fault),
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Refused {
        let message = problem.message();
        let code = match problem {
            Problem::Fault(Fault::AccessDenied(_)) => return Refused::AccessDenied(message),
            Problem::Fault(Fault::Throttled) => return Refused::Throttled(message),
            // A name that can be none of a key.
            Problem::Fault(Fault::Validation(_)) => return Refused::NotFound(message),
            Problem::Fault(fault) => return Refused::Fault(fault),
            Problem::Modelled { code, .. } => code,
        };
        match code {
            "DisabledException" => Refused::Disabled(message),
            "KMSInvalidStateException" => Refused::InvalidState(message),
            "InvalidKeyUsageException" => Refused::InvalidKeyUsage(message),
            "NotFoundException" | "InvalidArnException" => Refused::NotFound(message),
            // KMS's words for "not by this key, or not for you".
            "IncorrectKeyException" | "InvalidCiphertextException" => {
                Refused::AccessDenied(message)
            }
            other => Refused::Fault(Fault::internal(format!("KMS: {other}: {message}"))),
        }
    }
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Refused {
        Refused::Fault(fault)
    }
}
