//! stub
use super::{Pkcs11Seal, SealError};
use crate::{Random, RootKey, SecretVec};
use std::path::Path;
pub(super) fn create(
    _: (&Path, &str, &str),
    _: &SecretVec,
    _: &RootKey,
    _: &dyn Random,
) -> Result<Pkcs11Seal, SealError> {
    Err(SealError::Pkcs11NotBuilt)
}
pub(super) fn unseal(_: &Pkcs11Seal, _: &SecretVec) -> Result<RootKey, SealError> {
    Err(SealError::Pkcs11NotBuilt)
}
