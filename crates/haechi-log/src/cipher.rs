//! The seal of a frame, which the caller supplies.

/// Sealing or opening failed. Says no more, as is right for an AEAD.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cipher refused")]
pub struct CipherError;

/// An AEAD over frames. The associated data names the frame's place in the chain, so that a
/// sealed payload opens nowhere else.
pub trait FrameCipher: Send + Sync {
    /// Encrypts and authenticates `plaintext`, authenticates `aad`; appends to `out`.
    ///
    /// # Errors
    /// [`CipherError`], for example when the key is gone.
    fn seal(&self, aad: &[u8], plaintext: &[u8], out: &mut Vec<u8>) -> Result<(), CipherError>;

    /// Opens what [`FrameCipher::seal`] appended.
    ///
    /// # Errors
    /// [`CipherError`] if anything was changed.
    fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, CipherError>;
}
