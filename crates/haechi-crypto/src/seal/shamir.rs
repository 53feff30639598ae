//! The Shamir seal: the root key wrapped under a key that is split among people, so that any
//! *threshold* of them can start haechi, and fewer know nothing at all.
//!
//! ```text
//! 32 random bytes ──┬─ wrap (AES-256-GCM) the root key        in seal.json
//!                   └─ split (split.rs) into N shares          on paper, one each
//! ```
//!
//! The split is Shamir's over GF(2⁸) (field.rs), as in draft-mcgrew-tss-03. It is written here, in
//! two hundred lines with published vectors, because the crates that do it look bytes of the secret
//! up in tables, which caches tell of (`sharks`, with an advisory for biased coefficients, and its
//! successor `blahaj`), or bring bignums and curves along (`vsss-rs`).
//!
//! `seal.json` also holds a digest of each share. A share is 32 uniformly random bytes, so its
//! digest tells nothing; with it a wrong share is refused by itself, when it is given, and cannot
//! spoil those of others.

mod field;
mod share;
mod split;

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

pub use share::Share;

use super::SealError;
use super::config::base64_bytes;
use crate::aead::Aead;
use crate::canonical::push_field;
use crate::{Random, RootKey, SecretBytes, SecretVec};

/// Shares that a root key can be split into, at most.
pub const SHARES_MAX: u8 = 32;
/// The least threshold: with one, a share would be the whole.
pub const THRESHOLD_MIN: u8 = 2;

const LABEL: &[u8] = b"haechi/seal/shamir/v1";
const DIGEST_LABEL: &[u8] = b"haechi/seal/shamir/v1/share";

/// A root key wrapped under a split key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShamirSeal {
    installation: InstallationId,
    set: u32,
    threshold: u8,
    share_digests: Vec<Digest>,
    #[serde(with = "base64_bytes")]
    wrapped_root_key: Vec<u8>,
}

/// SHA-256 of a share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct Digest(#[serde(with = "base64_bytes")] Vec<u8>);

/// Which installation a share is of: eight random bytes, written as 16 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InstallationId([u8; 8]);

impl InstallationId {
    fn generate(random: &dyn Random) -> Result<Self, SealError> {
        let mut id = [0; 8];
        random.fill(&mut id)?;
        Ok(Self(id))
    }
}

impl std::fmt::Display for InstallationId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl From<InstallationId> for String {
    fn from(id: InstallationId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for InstallationId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let number = u64::from_str_radix(&text, 16).ok().filter(|_| text.len() == 16);
        number.map(|number| Self(number.to_be_bytes())).ok_or("an installation has 16 hex digits")
    }
}

impl ShamirSeal {
    /// Wraps `root` and splits the wrapping key. `before` is the seal that this one replaces, if it
    /// was a Shamir seal too: the installation stays, the set of shares is the next.
    pub(super) fn create(
        shares: u8,
        threshold: u8,
        before: Option<&ShamirSeal>,
        root: &RootKey,
        random: &dyn Random,
    ) -> Result<(Self, Vec<SecretVec>), SealError> {
        if threshold < THRESHOLD_MIN || threshold > shares || shares > SHARES_MAX {
            return Err(SealError::SharesOutOfRange { shares, threshold });
        }
        let (installation, set) = match before {
            Some(before) => (before.installation, before.set.wrapping_add(1)),
            None => (InstallationId::generate(random)?, 1),
        };
        let key = SecretBytes::<32>::random(random)?;
        let values = split::split(&key, shares, threshold, random)?;
        let made: Vec<Share> = (1..=shares)
            .zip(values)
            .map(|(index, value)| Share { installation, set, index, value })
            .collect();
        let share_digests = made.iter().map(digest_of).collect();
        let mut seal =
            Self { installation, set, threshold, share_digests, wrapped_root_key: Vec::new() };
        let mut wrapped = Vec::new();
        Aead::new(key.expose())?.seal_into(&mut wrapped, &seal.aad(), root.expose(), random)?;
        seal.wrapped_root_key = wrapped;
        Ok((seal, made.iter().map(Share::text).collect()))
    }

    /// Which installation its shares are of.
    #[must_use]
    pub fn installation(&self) -> InstallationId {
        self.installation
    }

    /// How many shares there are.
    #[must_use]
    pub fn shares(&self) -> usize {
        self.share_digests.len()
    }

    /// How many of them are needed.
    #[must_use]
    pub fn threshold(&self) -> usize {
        usize::from(self.threshold)
    }

    fn aad(&self) -> Vec<u8> {
        let mut aad = Vec::new();
        push_field(&mut aad, LABEL);
        push_field(&mut aad, &self.installation.0);
        aad.extend_from_slice(&self.set.to_be_bytes());
        aad.push(self.threshold);
        for digest in &self.share_digests {
            push_field(&mut aad, &digest.0);
        }
        aad
    }

    /// Whether a share is one of this seal's.
    fn check(&self, share: &Share) -> Result<(), SealError> {
        if share.installation != self.installation {
            let (found, expected) = (share.installation, self.installation);
            return Err(SealError::ShareOfAnotherInstallation { found, expected });
        }
        if share.set != self.set {
            return Err(SealError::ShareOfAnotherSet { found: share.set, expected: self.set });
        }
        let known = usize::from(share.index).checked_sub(1);
        let known = known.and_then(|place| self.share_digests.get(place));
        let same = known.map(|known| known.0.ct_eq(&digest_of(share).0));
        match same {
            Some(same) if bool::from(same) => Ok(()),
            _ => Err(SealError::WrongShare { index: share.index }),
        }
    }
}

fn digest_of(share: &Share) -> Digest {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(DIGEST_LABEL);
    context.update(&share.installation.0);
    context.update(&share.set.to_be_bytes());
    context.update(&[share.index]);
    context.update(share.value.expose());
    Digest(context.finish().as_ref().to_vec())
}

/// Shares as they come in, until they are enough.
pub struct Quorum {
    seal: ShamirSeal,
    given: Vec<Share>,
}

impl Quorum {
    /// Nobody's yet.
    #[must_use]
    pub fn new(seal: &ShamirSeal) -> Self {
        Self { seal: seal.clone(), given: Vec::new() }
    }

    /// The seal that it is to open.
    #[must_use]
    pub fn seal(&self) -> &ShamirSeal {
        &self.seal
    }

    /// How many shares were given.
    #[must_use]
    pub fn given(&self) -> usize {
        self.given.len()
    }

    /// Takes a share, as it was printed. One that is refused changes nothing.
    ///
    /// # Errors
    /// If it was mistyped, was given already, or is no share of this seal.
    pub fn add(&mut self, text: &SecretVec) -> Result<(), SealError> {
        let share = Share::parse(text.expose())?;
        self.seal.check(&share)?;
        if self.given.iter().any(|given| given.index == share.index) {
            return Err(SealError::ShareRepeated { index: share.index });
        }
        self.given.push(share);
        Ok(())
    }

    /// Forgets the shares given.
    pub fn forget(&mut self) {
        self.given.clear();
    }

    /// The root key.
    ///
    /// # Errors
    /// [`SealError::SharesMissing`] until there are enough shares.
    pub fn root(&self) -> Result<RootKey, SealError> {
        let (given, threshold) = (self.given(), self.seal.threshold());
        if given < threshold {
            return Err(SealError::SharesMissing { given, threshold });
        }
        let points: Vec<(u8, &SecretBytes<32>)> =
            self.given.iter().take(threshold).map(|share| (share.index, &share.value)).collect();
        let key = split::combine(&points);
        let opened = Aead::new(key.expose())?.open(&self.seal.aad(), &self.seal.wrapped_root_key);
        // Each share was right by its digest: the seal itself was changed.
        let bytes = opened.ok_or(SealError::WrongRootKey)?;
        RootKey::copy_from(bytes.expose()).ok_or(SealError::WrongRootKey)
    }
}

#[cfg(test)]
mod tests;
