//! Keys that stay inside a PKCS#11 token: the key store of AWS CloudHSM's kind.
//!
//! AES-256 keys are made in the token, sensitive and not extractable, and AES-GCM (CKM_AES_GCM,
//! PKCS#11 v2.40 §2.12) runs there. A key's label is the id of its KMS key.
//!
//! Everything here blocks, and one call runs at a time: call it where waiting is allowed. Whether
//! a PIN is right is known only to the token, and a token that this process is logged in to lets in
//! everybody; so a login is shared only with who has the same PIN.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::types::{AuthPin, Ulong};

use crate::external_key::authenticated_data;
use crate::{ExternalCiphertext, Random, SecretVec};

const IV_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
const TAG_BITS: u64 = 128;
const KEY_BYTES: u64 = 32;

/// Why a token does not serve.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The vendor's library cannot be loaded, or refuses to start.
    #[error("the PKCS#11 library {} cannot be used ({reason}); check `module`", module.display())]
    Module {
        /// Its file.
        module: PathBuf,
        /// What it says.
        reason: String,
    },
    /// No token, or several, of this label.
    #[error("{found} tokens are labelled {label}; check `token`, and that it is plugged in")]
    NoToken {
        /// The label.
        label: String,
        /// How many were found.
        found: usize,
    },
    /// The PIN is not the user's.
    #[error("the token refuses the PIN; give the key store the current one")]
    WrongPin,
    /// Too many wrong PINs.
    #[error("the token has locked its user out; unlock it with the vendor's tools")]
    LockedOut,
    /// The token has no user yet.
    #[error("the token has no user PIN; set one with the vendor's tools")]
    NoUser,
    /// Something else in this process is logged in to it.
    #[error("the token is in use by another part of this process; give each its own token")]
    InUse,
    /// The key is not in the token.
    #[error("the token has no key labelled {label}; restore it from the token's backup")]
    NoKey {
        /// The label.
        label: String,
    },
    /// A key that can leave the token.
    #[error("the key {label} can leave the token; it will not be used")]
    Extractable {
        /// The label.
        label: String,
    },
    /// The token says that the ciphertext is not authentic.
    #[error("the token refuses the ciphertext")]
    InvalidCiphertext,
    /// Anything else.
    #[error("the token failed to {action}: {reason}")]
    Failed {
        /// What was asked.
        action: &'static str,
        /// What it says.
        reason: String,
    },
}

/// A login on a token. It ends when the last clone of its `Arc` is dropped.
pub struct TokenKeys {
    session: Mutex<Session>,
    pin: SecretVec,
}

type Logins = BTreeMap<(PathBuf, String), Weak<TokenKeys>>;

static MODULES: Mutex<BTreeMap<PathBuf, Pkcs11>> = Mutex::new(BTreeMap::new());
static LOGINS: Mutex<Logins> = Mutex::new(Logins::new());

impl TokenKeys {
    /// Logs in to the token of this label, or shares the login that is there.
    ///
    /// # Errors
    /// When the token is not there, or refuses the PIN.
    pub fn log_in(
        module: &Path,
        token_label: &str,
        pin: &SecretVec,
    ) -> Result<Arc<TokenKeys>, TokenError> {
        let place = (module.to_owned(), token_label.to_owned());
        let mut logins = lock(&LOGINS);
        if let Some(login) = logins.get(&place).and_then(Weak::upgrade) {
            return if login.pin == *pin { Ok(login) } else { Err(TokenError::WrongPin) };
        }
        let library = load(module)?;
        let slot = find_token(&library, module, token_label)?;
        let session = library.open_rw_session(slot).map_err(failed("open a session"))?;
        let text = std::str::from_utf8(pin.expose()).map_err(|_| TokenError::WrongPin)?;
        session.login(UserType::User, Some(&AuthPin::from(text))).map_err(|error| match error {
            Error::Pkcs11(RvError::PinLocked, _) => TokenError::LockedOut,
            Error::Pkcs11(RvError::UserPinNotInitialized, _) => TokenError::NoUser,
            Error::Pkcs11(RvError::UserAlreadyLoggedIn, _) => TokenError::InUse,
            Error::Pkcs11(
                RvError::PinIncorrect
                | RvError::PinInvalid
                | RvError::PinLenRange
                | RvError::PinExpired,
                _,
            ) => TokenError::WrongPin,
            other => failed("log in")(other),
        })?;
        let pin = SecretVec::copy_from(pin.expose());
        let login = Arc::new(TokenKeys { session: Mutex::new(session), pin });
        logins.insert(place, Arc::downgrade(&login));
        Ok(login)
    }

    /// Whether the token of this label is there; nobody logs in.
    ///
    /// # Errors
    /// When it is not, or its library cannot be used.
    pub fn is_present(module: &Path, token_label: &str) -> Result<(), TokenError> {
        let library = load(module)?;
        find_token(&library, module, token_label).map(|_| ())
    }

    /// Makes an AES-256 key that cannot leave the token.
    ///
    /// # Errors
    /// When the token refuses.
    pub fn generate_key(&self, label: &str) -> Result<(), TokenError> {
        let template = [
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Modifiable(false),
            Attribute::Encrypt(true),
            Attribute::Decrypt(true),
            Attribute::Wrap(false),
            Attribute::Unwrap(false),
            Attribute::ValueLen(Ulong::from(KEY_BYTES)),
            Attribute::Label(label.as_bytes().to_vec()),
        ];
        let session = lock(&self.session);
        session
            .generate_key(&Mechanism::AesKeyGen, &template)
            .map_err(failed("make an AES-256 key"))?;
        Ok(())
    }

    /// Removes a key from the token; that it is not there is no error.
    ///
    /// # Errors
    /// When the token refuses.
    pub fn destroy_key(&self, label: &str) -> Result<(), TokenError> {
        let session = lock(&self.session);
        for key in find(&session, label)? {
            session.destroy_object(key).map_err(failed("remove a key"))?;
        }
        Ok(())
    }

    /// Encrypts under a key of the token; `additional_data` as of an external key.
    ///
    /// # Errors
    /// When the key is not there or can leave the token, or the token refuses.
    pub fn encrypt(
        &self,
        label: &str,
        additional_data: &[u8],
        plaintext: &[u8],
        random: &dyn Random,
    ) -> Result<ExternalCiphertext, TokenError> {
        let session = lock(&self.session);
        let key = one_key(&session, label)?;
        let mut iv = [0; IV_BYTES];
        random.fill(&mut iv).map_err(|error| TokenError::Failed {
            action: "choose an IV",
            reason: error.to_string(),
        })?;
        let aad = aad(additional_data)?;
        let parameters = GcmParams::new(&mut iv, &aad, Ulong::from(TAG_BITS));
        let mechanism = Mechanism::AesGcm(parameters.map_err(failed("set up AES-GCM"))?);
        let sealed = session.encrypt(&mechanism, key, plaintext).map_err(failed("encrypt"))?;
        let short = || TokenError::Failed { action: "encrypt", reason: "no tag".to_owned() };
        let (ciphertext, tag) = sealed.split_last_chunk::<TAG_BYTES>().ok_or_else(short)?;
        Ok(ExternalCiphertext {
            metadata: Vec::new(),
            // Read after the call: some tokens choose the IV themselves and write it back.
            initialization_vector: iv.to_vec(),
            ciphertext: ciphertext.to_vec(),
            authentication_tag: *tag,
        })
    }

    /// Opens what [`Self::encrypt`] made.
    ///
    /// # Errors
    /// [`TokenError::InvalidCiphertext`] for what is not authentic; else as [`Self::encrypt`].
    pub fn decrypt(
        &self,
        label: &str,
        additional_data: &[u8],
        sealed: &ExternalCiphertext,
    ) -> Result<SecretVec, TokenError> {
        let mut iv: [u8; IV_BYTES] = sealed
            .initialization_vector
            .as_slice()
            .try_into()
            .map_err(|_| TokenError::InvalidCiphertext)?;
        if !sealed.metadata.is_empty() {
            return Err(TokenError::InvalidCiphertext);
        }
        let session = lock(&self.session);
        let key = one_key(&session, label)?;
        let aad = aad(additional_data)?;
        let parameters = GcmParams::new(&mut iv, &aad, Ulong::from(TAG_BITS));
        let mechanism = Mechanism::AesGcm(parameters.map_err(failed("set up AES-GCM"))?);
        let body = [sealed.ciphertext.as_slice(), &sealed.authentication_tag].concat();
        match session.decrypt(&mechanism, key, &body) {
            Ok(plaintext) => Ok(SecretVec::from(plaintext)),
            Err(Error::Pkcs11(
                RvError::EncryptedDataInvalid | RvError::EncryptedDataLenRange,
                _,
            )) => Err(TokenError::InvalidCiphertext),
            // SoftHSM says "general error" of a tag that does not match; others mean that the token
            // is sick. One that still encrypts is well.
            Err(Error::Pkcs11(RvError::GeneralError | RvError::FunctionFailed, _)) => {
                drop(session);
                self.encrypt(label, additional_data, &[], &crate::SystemRandom::default())?;
                Err(TokenError::InvalidCiphertext)
            }
            Err(other) => Err(failed("decrypt")(other)),
        }
    }

    /// Fills `out` from the token's own generator.
    ///
    /// # Errors
    /// When the token refuses.
    pub fn fill_random(&self, out: &mut [u8]) -> Result<(), TokenError> {
        lock(&self.session).generate_random_slice(out).map_err(failed("give random bytes"))
    }
}

fn aad(additional_data: &[u8]) -> Result<Vec<u8>, TokenError> {
    let reason = || "the additional data is too long".to_owned();
    let failed = || TokenError::Failed { action: "set up AES-GCM", reason: reason() };
    authenticated_data(additional_data, &[]).ok_or_else(failed)
}

fn find(session: &Session, label: &str) -> Result<Vec<ObjectHandle>, TokenError> {
    let template = [
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::Token(true),
        Attribute::Label(label.as_bytes().to_vec()),
    ];
    session.find_objects(&template).map_err(failed("look for a key"))
}

/// The key of a label. One that can leave the token protects nothing.
fn one_key(session: &Session, label: &str) -> Result<ObjectHandle, TokenError> {
    let keys = find(session, label)?;
    let [key] = keys.as_slice() else {
        return Err(TokenError::NoKey { label: label.to_owned() });
    };
    let found = session
        .get_attributes(*key, &[AttributeType::Extractable, AttributeType::Sensitive])
        .map_err(failed("describe a key"))?;
    let stays = found.contains(&Attribute::Extractable(false))
        && found.contains(&Attribute::Sensitive(true));
    if stays { Ok(*key) } else { Err(TokenError::Extractable { label: label.to_owned() }) }
}

/// The vendor's library, loaded once per process and never unloaded.
fn load(module: &Path) -> Result<Pkcs11, TokenError> {
    let mut modules = lock(&MODULES);
    if let Some(library) = modules.get(module) {
        return Ok(library.clone());
    }
    let unusable =
        |error: Error| TokenError::Module { module: module.to_owned(), reason: error.to_string() };
    let library = Pkcs11::new(module).map_err(unusable)?;
    match library.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        // Initialised by another part of this process (the seal): just as good.
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
        Err(error) => return Err(unusable(error)),
    }
    modules.insert(module.to_owned(), library.clone());
    Ok(library)
}

fn find_token(
    library: &Pkcs11,
    module: &Path,
    label: &str,
) -> Result<cryptoki::slot::Slot, TokenError> {
    let unusable =
        |error: Error| TokenError::Module { module: module.to_owned(), reason: error.to_string() };
    let mut matching = Vec::new();
    for slot in library.get_slots_with_initialized_token().map_err(unusable)? {
        if library.get_token_info(slot).map_err(unusable)?.label() == label {
            matching.push(slot);
        }
    }
    match matching.as_slice() {
        [slot] => Ok(*slot),
        slots => Err(TokenError::NoToken { label: label.to_owned(), found: slots.len() }),
    }
}

/// A panic in another thread leaves what it guards usable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failed(action: &'static str) -> impl Fn(Error) -> TokenError {
    move |error| TokenError::Failed { action, reason: error.to_string() }
}
