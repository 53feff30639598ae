//! ML-DSA (FIPS 204), pure, with an empty context; signatures are hedged with fresh randomness.
//!
//! Whole messages are aws-lc-rs. A message of type `EXTERNAL_MU` (the representative μ, computed by
//! the caller from the public key's hash and the message) is the crate `ml-dsa`: aws-lc-rs has no
//! such call. Its key is expanded from the seed for the first such signature and then kept, because
//! that takes as long as signing.
//!
//! | spec | public key | signature |
//! |---|---|---|
//! | `ML_DSA_44` | 1312 B | 2420 B |
//! | `ML_DSA_65` | 1952 B | 3309 B |
//! | `ML_DSA_87` | 2592 B | 4627 B |

use std::convert::Infallible;
use std::sync::OnceLock;

use aws_lc_rs::signature::{
    self, KeyPair as _, ParsedPublicKey, PqdsaKeyPair, PqdsaSigningAlgorithm,
    PqdsaVerificationAlgorithm,
};
use ml_dsa::signature::rand_core::{TryCryptoRng, TryRng};
use ml_dsa::{
    EncodedVerifyingKey, ExpandedSigningKey, MlDsa44, MlDsa65, MlDsa87, MlDsaParams, VerifyingKey,
};
use zeroize::Zeroize;

use crate::der::{PrivateKeyInfo, PublicKeyInfo, SeedKey};
use crate::signing::Input;
use crate::{CryptoError, KeySpec, PublicKey, Random, SecretBytes, SecretVec};

const KEY_FAILED: CryptoError = CryptoError::new("set up an ML-DSA key");
const SIGN_FAILED: CryptoError = CryptoError::new("sign with ML-DSA");

/// Content of `id-ml-dsa-44`, `-65` or `-87` (RFC 9881 §2).
fn oid(spec: KeySpec) -> Option<[u8; 9]> {
    let last = match spec {
        KeySpec::MlDsa44 => 17,
        KeySpec::MlDsa65 => 18,
        KeySpec::MlDsa87 => 19,
        _ => return None,
    };
    Some([0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, last])
}

/// An ML-DSA private key: a 32-byte seed and what follows from it.
pub struct MlDsaMaterial {
    seed: SecretBytes<32>,
    pair: PqdsaKeyPair,
    public: PublicKey,
    /// For signatures of an external μ, once there has been one.
    expanded: OnceLock<Expanded>,
}

/// A key as the crate `ml-dsa` signs with it; it wipes itself.
enum Expanded {
    MlDsa44(Box<ExpandedSigningKey<MlDsa44>>),
    MlDsa65(Box<ExpandedSigningKey<MlDsa65>>),
    MlDsa87(Box<ExpandedSigningKey<MlDsa87>>),
}

impl Expanded {
    fn new(spec: KeySpec, seed: &SecretBytes<32>) -> Self {
        let mut seed = ml_dsa::Seed::from(*seed.expose());
        let expanded = match spec {
            KeySpec::MlDsa44 => Self::MlDsa44(Box::new(ExpandedSigningKey::from_seed(&seed))),
            KeySpec::MlDsa65 => Self::MlDsa65(Box::new(ExpandedSigningKey::from_seed(&seed))),
            // No other is made: `signing_algorithm` knows these three.
            _ => Self::MlDsa87(Box::new(ExpandedSigningKey::from_seed(&seed))),
        };
        seed.as_mut_slice().zeroize();
        expanded
    }

    fn sign(&self, mu: &[u8; 64], hedge: &mut Hedge) -> Result<Vec<u8>, CryptoError> {
        match self {
            Self::MlDsa44(key) => sign_mu(key, mu, hedge),
            Self::MlDsa65(key) => sign_mu(key, mu, hedge),
            Self::MlDsa87(key) => sign_mu(key, mu, hedge),
        }
    }
}

fn sign_mu<P: MlDsaParams>(
    key: &ExpandedSigningKey<P>,
    mu: &[u8; 64],
    hedge: &mut Hedge,
) -> Result<Vec<u8>, CryptoError> {
    let signature = key.sign_mu_randomized(mu.into(), hedge);
    signature.map(|signature| signature.encode().to_vec()).map_err(|_| SIGN_FAILED)
}

impl MlDsaMaterial {
    pub(crate) fn generate(spec: KeySpec, random: &dyn Random) -> Result<Self, CryptoError> {
        Self::from_seed(spec, SecretBytes::random(random)?).ok_or(KEY_FAILED)
    }

    pub(crate) fn from_seed(spec: KeySpec, seed: SecretBytes<32>) -> Option<Self> {
        let pair = PqdsaKeyPair::from_seed(signing_algorithm(spec)?, seed.expose()).ok()?;
        let der = PublicKeyInfo::encode(&oid(spec)?, pair.public_key().as_ref());
        let public = PublicKey::from_der(spec, &der).ok()?;
        Some(Self { seed, pair, public, expanded: OnceLock::new() })
    }

    /// The key in this PKCS#8 document (RFC 9881 §6): as a seed, or as a seed with the expanded key
    /// that belongs to it. An expanded key alone is not taken.
    pub(crate) fn from_pkcs8(spec: KeySpec, pkcs8: &[u8]) -> Option<Self> {
        let info = PrivateKeyInfo::parse(pkcs8)?;
        if info.algorithm != oid(spec)? {
            return None;
        }
        // Checks that seed and expanded key agree, where both are there.
        PqdsaKeyPair::from_pkcs8(signing_algorithm(spec)?, pkcs8).ok()?;
        Self::from_seed(spec, SecretBytes::copy_from(SeedKey::parse(info.key)?.seed)?)
    }

    /// The PKCS#8 document with the seed.
    pub(crate) fn to_pkcs8(&self) -> Result<SecretVec, CryptoError> {
        let oid = oid(self.public.spec()).ok_or(KEY_FAILED)?;
        let frame = PrivateKeyInfo::seed_frame(&oid, self.seed.expose().len());
        Ok(SecretVec::join(&[&frame, self.seed.expose()]))
    }

    pub(crate) fn seed(&self) -> &SecretBytes<32> {
        &self.seed
    }

    pub(crate) fn public_key(&self) -> &PublicKey {
        &self.public
    }

    pub(crate) fn sign(
        &self,
        input: &Input<'_>,
        random: &dyn Random,
    ) -> Result<Vec<u8>, CryptoError> {
        match input {
            Input::Message(message) => {
                let mut signature = vec![0; self.pair.algorithm().signature_len()];
                let length = self.pair.sign(message, &mut signature).map_err(|_| SIGN_FAILED)?;
                signature.truncate(length);
                Ok(signature)
            }
            Input::Mu(mu) => {
                let mut hedge = Hedge([0; 32]);
                random.fill(&mut hedge.0)?;
                let expand = || Expanded::new(self.public.spec(), &self.seed);
                self.expanded.get_or_init(expand).sign(mu, &mut hedge)
            }
            Input::Digest(_) => Err(SIGN_FAILED),
        }
    }
}

/// The 32 random bytes of one signature, in the shape that `ml-dsa` draws them.
struct Hedge([u8; 32]);

impl TryRng for Hedge {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes).map(|()| u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes).map(|()| u64::from_le_bytes(bytes))
    }

    /// FIPS 204 draws exactly 32 bytes, once (Algorithm 2, line 5).
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for (to, from) in out.iter_mut().zip(self.0) {
            *to = from;
        }
        Ok(())
    }
}

impl TryCryptoRng for Hedge {}

/// An ML-DSA public key.
pub(crate) struct MlDsaPublicKey {
    spec: KeySpec,
    raw: Vec<u8>,
    key: ParsedPublicKey,
}

impl MlDsaPublicKey {
    pub(crate) fn from_der(spec: KeySpec, der: &[u8]) -> Option<Self> {
        let info = PublicKeyInfo::parse(der)?;
        if info.algorithm != oid(spec)? || !info.parameters.is_empty() {
            return None;
        }
        let key = ParsedPublicKey::new(verification_algorithm(spec)?, info.key).ok()?;
        Some(Self { spec, raw: info.key.to_vec(), key })
    }

    pub(crate) fn verifies(&self, input: &Input<'_>, signature: &[u8]) -> bool {
        match input {
            Input::Message(message) => self.key.verify_sig(message, signature).is_ok(),
            Input::Mu(mu) => match self.spec {
                KeySpec::MlDsa44 => self.verifies_mu::<MlDsa44>(mu, signature),
                KeySpec::MlDsa65 => self.verifies_mu::<MlDsa65>(mu, signature),
                KeySpec::MlDsa87 => self.verifies_mu::<MlDsa87>(mu, signature),
                _ => false,
            },
            Input::Digest(_) => false,
        }
    }

    fn verifies_mu<P: MlDsaParams>(&self, mu: &[u8; 64], signature: &[u8]) -> bool {
        let key = EncodedVerifyingKey::<P>::try_from(self.raw.as_slice());
        let signature = ml_dsa::Signature::<P>::try_from(signature);
        let (Ok(key), Ok(signature)) = (key, signature) else { return false };
        VerifyingKey::decode(&key).verify_mu(mu.into(), &signature)
    }
}

fn signing_algorithm(spec: KeySpec) -> Option<&'static PqdsaSigningAlgorithm> {
    match spec {
        KeySpec::MlDsa44 => Some(&signature::ML_DSA_44_SIGNING),
        KeySpec::MlDsa65 => Some(&signature::ML_DSA_65_SIGNING),
        KeySpec::MlDsa87 => Some(&signature::ML_DSA_87_SIGNING),
        _ => None,
    }
}

fn verification_algorithm(spec: KeySpec) -> Option<&'static PqdsaVerificationAlgorithm> {
    match spec {
        KeySpec::MlDsa44 => Some(&signature::ML_DSA_44),
        KeySpec::MlDsa65 => Some(&signature::ML_DSA_65),
        KeySpec::MlDsa87 => Some(&signature::ML_DSA_87),
        _ => None,
    }
}
