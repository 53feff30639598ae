//! Recomputing the signature.

use crate::{
    canonical::Scratch,
    error::{AuthError, SignatureMismatch},
    key::SigningKey,
    payload::{self, Payload, PayloadClaim},
    presented::Presented,
    request::RequestView,
    rules::Rules,
};

/// Checks that `presented` is the signature of `request` and its body under `key`.
///
/// `key` must have been derived for [`Presented::date`], [`Presented::region`] and
/// [`Presented::service`]; time and scope are checked by [`Presented::check`], not here.
/// The signatures are compared in constant time.
///
/// # Errors
/// [`AuthError::SignatureMismatch`]; for S3 also [`AuthError::InvalidContentSha256`] and
/// [`AuthError::ContentSha256Mismatch`].
pub fn verify(
    presented: &Presented<'_>,
    request: &RequestView<'_>,
    payload: Payload<'_>,
    key: &SigningKey,
    rules: &Rules,
    scratch: &mut Scratch,
) -> Result<PayloadClaim, AuthError> {
    let claim = payload::resolve(&mut scratch.payload, presented, request, payload, rules)?;
    scratch.write_canonical(request, presented.signed_headers(), rules.path);
    scratch.write_string_to_sign(presented.basic(), presented.scope());
    // A key of another scope would mismatch anyway; saying so first keeps a wrong cache harmless.
    if key.scope() != presented.scope()
        || !key.matches(&scratch.string_to_sign, presented.signature())
    {
        return Err(AuthError::SignatureMismatch(Box::new(SignatureMismatch {
            canonical_request: String::from_utf8_lossy(&scratch.canonical).into_owned(),
            string_to_sign: String::from_utf8_lossy(&scratch.string_to_sign).into_owned(),
            access_key_id: presented.access_key_id().to_owned(),
            signature_provided: presented.signature().to_owned(),
        })));
    }
    payload::settle(claim, payload)
}
