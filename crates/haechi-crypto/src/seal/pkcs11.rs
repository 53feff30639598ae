//! The PKCS#11 seal: the root key wrapped by an AES-256 key that never leaves a hardware token.
//!
//! CKM_AES_GCM (PKCS#11 v2.40 §2.12) encrypts the root key inside the token. The vendor's library
//! is loaded once and stays loaded: unloading it is where such libraries crash. All work is under
//! one lock, because login state belongs to the process, not to a session.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::aead::NONCE_LEN;
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::{AuthPin, Ulong};

use super::{Pkcs11Seal, SealError};
use crate::canonical::push_field;
use crate::{Random, RootKey, SecretVec};

const LABEL: &[u8] = b"haechi/seal/pkcs11/v1";
const TAG_BITS: u64 = 128;
const KEY_BYTES: u64 = 32;

type Modules = BTreeMap<PathBuf, Pkcs11>;

static MODULES: Mutex<Modules> = Mutex::new(Modules::new());

/// Wraps `root` in the token, making the wrapping key if it has none of that label.
pub(super) fn create(
    (module, token_label, key_label): (&Path, &str, &str),
    pin: &SecretVec,
    root: &RootKey,
    random: &dyn Random,
) -> Result<Pkcs11Seal, SealError> {
    let mut modules = lock_modules();
    let token = Token::open(&mut modules, module, token_label, pin)?;
    let key = match token.find_key(key_label)?.as_slice() {
        [] => token.generate_key(key_label)?,
        [key] => *key,
        keys => return Err(ambiguous_key(key_label, keys.len())),
    };
    token.refuse_extractable(key, key_label)?;
    let mut iv = [0; NONCE_LEN];
    random.fill(&mut iv)?;
    let aad = aad(token_label, key_label);
    let parameters = GcmParams::new(&mut iv, &aad, Ulong::from(TAG_BITS));
    let mechanism = Mechanism::AesGcm(parameters.map_err(failed("set up AES-GCM"))?);
    let wrapped = token.session.encrypt(&mechanism, key, root.expose());
    let wrapped = wrapped.map_err(failed("wrap the root key"))?;
    // Read after the call: some tokens choose the IV themselves and write it back.
    let wrapped_root_key = [iv.as_slice(), &wrapped].concat();
    let (token_label, key_label) = (token_label.to_owned(), key_label.to_owned());
    Ok(Pkcs11Seal { module: module.to_owned(), token_label, key_label, wrapped_root_key })
}

/// Lets the token unwrap the root key.
pub(super) fn unseal(seal: &Pkcs11Seal, pin: &SecretVec) -> Result<RootKey, SealError> {
    let mut modules = lock_modules();
    let token = Token::open(&mut modules, &seal.module, &seal.token_label, pin)?;
    let keys = token.find_key(&seal.key_label)?;
    let [key] = keys.as_slice() else { return Err(ambiguous_key(&seal.key_label, keys.len())) };
    let (iv, body) =
        seal.wrapped_root_key.split_first_chunk::<NONCE_LEN>().ok_or(SealError::WrongRootKey)?;
    let mut iv = *iv;
    let aad = aad(&seal.token_label, &seal.key_label);
    let parameters = GcmParams::new(&mut iv, &aad, Ulong::from(TAG_BITS));
    let mechanism = Mechanism::AesGcm(parameters.map_err(failed("set up AES-GCM"))?);
    let root = token.session.decrypt(&mechanism, *key, body);
    let root = SecretVec::from(root.map_err(failed(
        "unwrap the root key (is it the token that sealed it, and seal.json unchanged?)",
    ))?);
    RootKey::copy_from(root.expose()).ok_or(SealError::WrongRootKey)
}

/// A session on a token, logged in as its user; closing it logs out.
struct Token {
    session: Session,
}

impl Token {
    fn open(
        modules: &mut Modules,
        module: &Path,
        label: &str,
        pin: &SecretVec,
    ) -> Result<Self, SealError> {
        let library = load(modules, module)?;
        let slot = find_token(&library, module, label)?;
        let session = library.open_rw_session(slot).map_err(failed("open a session"))?;
        let wrong_pin = |reason: String| SealError::WrongPin { reason };
        let pin = std::str::from_utf8(pin.expose())
            .map_err(|_| wrong_pin("the PIN given is not UTF-8".to_owned()))?;
        session.login(UserType::User, Some(&AuthPin::from(pin))).map_err(|error| match error {
            Error::Pkcs11(
                cause @ (RvError::PinIncorrect
                | RvError::PinInvalid
                | RvError::PinLenRange
                | RvError::PinExpired
                | RvError::PinLocked
                | RvError::UserPinNotInitialized),
                _,
            ) => wrong_pin(format!("{cause:?}")),
            other => failed("log in")(other),
        })?;
        Ok(Self { session })
    }

    fn find_key(&self, label: &str) -> Result<Vec<ObjectHandle>, SealError> {
        let template = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::AES),
            Attribute::Token(true),
            Attribute::Label(label.as_bytes().to_vec()),
        ];
        self.session.find_objects(&template).map_err(failed("look for its wrapping key"))
    }

    fn generate_key(&self, label: &str) -> Result<ObjectHandle, SealError> {
        let template = [
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Encrypt(true),
            Attribute::Decrypt(true),
            Attribute::ValueLen(Ulong::from(KEY_BYTES)),
            Attribute::Label(label.as_bytes().to_vec()),
        ];
        self.session
            .generate_key(&Mechanism::AesKeyGen, &template)
            .map_err(failed("make an AES-256 wrapping key"))
    }

    /// A key that can leave the token protects nothing; one that somebody else made may be such.
    fn refuse_extractable(&self, key: ObjectHandle, label: &str) -> Result<(), SealError> {
        let found = self
            .session
            .get_attributes(key, &[AttributeType::Extractable, AttributeType::Sensitive])
            .map_err(failed("describe its wrapping key"))?;
        let kept_inside = found.contains(&Attribute::Extractable(false))
            && found.contains(&Attribute::Sensitive(true));
        if kept_inside {
            Ok(())
        } else {
            Err(SealError::TokenKeyExtractable { label: label.to_owned() })
        }
    }
}

/// The vendor's library, loaded and initialised once per process.
fn load(modules: &mut Modules, module: &Path) -> Result<Pkcs11, SealError> {
    if let Some(library) = modules.get(module) {
        return Ok(library.clone());
    }
    let unusable = |error: Error| SealError::Pkcs11Module {
        module: module.to_owned(),
        reason: error.to_string(),
    };
    let library = Pkcs11::new(module).map_err(unusable)?;
    match library.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        // Initialised by another part of this process: just as good.
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
        Err(error) => return Err(unusable(error)),
    }
    modules.insert(module.to_owned(), library.clone());
    Ok(library)
}

fn find_token(library: &Pkcs11, module: &Path, label: &str) -> Result<Slot, SealError> {
    let unusable = |error: Error| SealError::Pkcs11Module {
        module: module.to_owned(),
        reason: error.to_string(),
    };
    let mut labels = Vec::new();
    let mut matching = Vec::new();
    for slot in library.get_slots_with_initialized_token().map_err(unusable)? {
        let found = library.get_token_info(slot).map_err(unusable)?.label().to_owned();
        if found == label {
            matching.push(slot);
        }
        labels.push(found);
    }
    let label = label.to_owned();
    match matching.as_slice() {
        [slot] => Ok(*slot),
        [] if labels.is_empty() => Err(SealError::TokenNotFound { label, found: "none".into() }),
        [] => Err(SealError::TokenNotFound { label, found: labels.join(", ") }),
        slots => Err(SealError::TokenAmbiguous { label, count: slots.len() }),
    }
}

/// A panic in another thread leaves the map usable: it only ever grows.
fn lock_modules() -> MutexGuard<'static, Modules> {
    MODULES.lock().unwrap_or_else(PoisonError::into_inner)
}

fn ambiguous_key(label: &str, count: usize) -> SealError {
    SealError::TokenKey { label: label.to_owned(), count }
}

fn failed(action: &'static str) -> impl Fn(Error) -> SealError {
    move |error| SealError::Token { action, reason: error.to_string() }
}

fn aad(token_label: &str, key_label: &str) -> Vec<u8> {
    let mut aad = Vec::new();
    for field in [LABEL, token_label.as_bytes(), key_label.as_bytes()] {
        push_field(&mut aad, field);
    }
    aad
}
