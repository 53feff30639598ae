//! What several operations check of their input in the same way.

use std::collections::BTreeMap;

use haechi_core::Cx;
use haechi_kms_model::Error;
use haechi_kms_model::shapes::{
    DryRunModifierType, EncryptionAlgorithmSpec, KeyUsageType, RecipientInfo,
};
use haechi_wire::Fault;

use crate::spec::{SYMMETRIC, encryption_algorithms};
use crate::store::Key;

/// Bytes of all keys and values of an encryption context together.
const ENCRYPTION_CONTEXT_BYTES_MAX: usize = 8192;

pub(crate) fn invalid(message: impl Into<String>) -> Error {
    Error::Fault(Fault::Validation(message.into()))
}

/// Refuses to answer for an enclave: no attestation document is trusted here, so that each is
/// refused like a forged one. A plaintext that was meant for an enclave goes to nobody else.
pub(crate) fn no_recipient(recipient: Option<&RecipientInfo>) -> Result<(), Error> {
    let message = "The attestation document is not valid: no authority for attestation documents \
         is trusted by this KMS. Leave out Recipient.";
    recipient.map_or(Ok(()), |_| Err(invalid(message)))
}

/// Whether a dry run leaves the ciphertext out of account.
pub(crate) fn ignores_ciphertext(
    dry_run: Option<bool>,
    modifiers: Option<&Vec<DryRunModifierType>>,
) -> Result<bool, Error> {
    let ignores =
        modifiers.is_some_and(|asked| asked.contains(&DryRunModifierType::IgnoreCiphertext));
    if ignores && dry_run != Some(true) {
        return Err(invalid("DryRunModifiers can be specified only when DryRun is true."));
    }
    Ok(ignores)
}

/// The encryption context of a call; none is an empty one.
pub(crate) fn encryption_context(
    context: Option<BTreeMap<String, String>>,
) -> Result<BTreeMap<String, String>, Error> {
    let context = context.unwrap_or_default();
    let bytes: usize = context.iter().map(|(key, value)| key.len() + value.len()).sum();
    if bytes > ENCRYPTION_CONTEXT_BYTES_MAX {
        return Err(invalid(format!(
            "EncryptionContext must not be longer than {ENCRYPTION_CONTEXT_BYTES_MAX} bytes."
        )));
    }
    Ok(context)
}

/// The algorithm asked for; a symmetric key knows one.
pub(crate) fn algorithm(asked: Option<EncryptionAlgorithmSpec>) -> &'static str {
    asked.unwrap_or(EncryptionAlgorithmSpec::SymmetricDefault).as_str()
}

/// Refuses a key that was made for something else.
pub(crate) fn check_usage(cx: &Cx, key: &Key, usage: KeyUsageType) -> Result<(), Error> {
    let found = &key.record.usage;
    if found == usage.as_str() {
        return Ok(());
    }
    let (arn, operation) = (key.arn(), cx.operation.name);
    let message = format!("{arn} key usage is {found} which is not valid for {operation}.");
    Err(Error::InvalidKeyUsageException(message))
}

/// What an algorithm that is not the key's answers.
pub(crate) fn incompatible(key: &Key, algorithm: &str) -> Error {
    let spec = &key.record.spec;
    let message = format!("Algorithm {algorithm} is incompatible with key spec {spec}.");
    Error::InvalidKeyUsageException(message)
}

/// Refuses a key that does not encrypt, and an algorithm that is not the key's.
pub(crate) fn check_algorithm(cx: &Cx, key: &Key, algorithm: &str) -> Result<(), Error> {
    check_usage(cx, key, KeyUsageType::EncryptDecrypt)?;
    if key.spec().is_some_and(|spec| encryption_algorithms(spec).contains(&algorithm)) {
        return Ok(());
    }
    Err(incompatible(key, algorithm))
}

/// Key pairs have nothing to bind an encryption context to.
pub(crate) fn check_context(
    algorithm: &str,
    context: &BTreeMap<String, String>,
) -> Result<(), Error> {
    if algorithm == SYMMETRIC || context.is_empty() {
        return Ok(());
    }
    Err(invalid(format!("The algorithm {algorithm} does not take an encryption context.")))
}

/// Ends a dry run, once everything else has been checked.
pub(crate) fn end_dry_run(dry_run: Option<bool>) -> Result<(), Error> {
    if dry_run == Some(true) { Err(dry_run_ended()) } else { Ok(()) }
}

/// What a dry run answers at best.
pub(crate) fn dry_run_ended() -> Error {
    let message = "The request would have succeeded, but the DryRun option is set.";
    Error::DryRunOperationException(message.to_owned())
}
