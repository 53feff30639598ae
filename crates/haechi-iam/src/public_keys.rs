//! SSH public keys and signing certificates that users have uploaded, and service-specific
//! credentials, which lie beside them. haechi keeps and tells them:
//! whoever lets users in by their SSH keys asks for them here (`GetSSHPublicKey`).

use haechi_core::{AccountId, Batch, Cx, Loaded, Path};
use haechi_iam_model::Error;
use haechi_iam_model::shapes::StatusType;
use haechi_wire::shape::Unit;
use haechi_wire::{Fault, Timestamp};

use crate::Iam;
use crate::access_key::Owner;
use crate::store::{PublicKeysRecord, ROOT_ID, UploadRecord, UserRecord, public_keys_path};

/// SSH keys of one user, at most (AWS's fixed quota).
pub(crate) const SSH_KEYS_MAX: usize = 5;

/// Signing certificates of one user, at most (AWS's fixed quota).
pub(crate) const CERTIFICATES_MAX: usize = 2;

/// The keys of one owner, who was authorised.
pub(crate) struct PublicKeys {
    owner: Owner,
    path: Path,
    loaded: Option<Loaded<PublicKeysRecord>>,
    pub(crate) record: PublicKeysRecord,
}

impl PublicKeys {
    /// The owner's name as answers show it.
    pub(crate) fn owner_name(&self) -> String {
        self.owner.name().to_owned()
    }
}

impl UploadRecord {
    pub(crate) fn status(&self) -> StatusType {
        if self.active { StatusType::Active } else { StatusType::Inactive }
    }

    pub(crate) fn uploaded(&self) -> Timestamp {
        Timestamp::from_millis(self.uploaded_ms)
    }
}

/// Whether a status makes active; a caller lets nothing expire.
pub(crate) fn is_active(status: StatusType) -> Result<bool, Error> {
    match status {
        StatusType::Active => Ok(true),
        StatusType::Inactive => Ok(false),
        StatusType::Expired => {
            let message = "Invalid status: Expired. Use Active or Inactive.";
            Err(Fault::Validation(message.to_owned()).into())
        }
    }
}

/// The error for an SSH key that is not there, or is another's.
pub(crate) fn no_ssh_key(id: &str) -> Error {
    Error::NoSuchEntityException(format!("The Public Key with id {id} cannot be found."))
}

/// The error for a certificate that is not there, or is another's.
pub(crate) fn no_certificate(id: &str) -> Error {
    Error::NoSuchEntityException(format!("The Certificate with id {id} cannot be found."))
}

/// Takes one out of a list.
pub(crate) fn take(list: &mut Vec<UploadRecord>, id: &str) -> Option<UploadRecord> {
    let at = list.iter().position(|one| one.id == id)?;
    Some(list.remove(at))
}

/// Where an owner's keys lie.
fn place(account: &AccountId, owner: &Owner) -> Path {
    match owner {
        Owner::User(user) => public_keys_path(account, &user.value.id),
        Owner::Root(_) => public_keys_path(account, ROOT_ID),
    }
}

impl Iam {
    /// The keys of a user, or of the caller itself, if the caller may do the operation on it.
    pub(crate) async fn public_keys(
        &self,
        cx: &Cx,
        user_name: Option<&str>,
    ) -> Result<PublicKeys, Error> {
        let owner = self.owner(cx, user_name).await?;
        let path = place(cx.account(), &owner);
        let loaded = self.database.load::<PublicKeysRecord>(&path).await?;
        let record = loaded.as_ref().map(|loaded| loaded.value.clone()).unwrap_or_default();
        Ok(PublicKeys { owner, path, loaded, record })
    }

    /// Writes them; the user tells whether it has any, so that it is not deleted with them.
    pub(crate) async fn keep_public_keys(&self, keys: PublicKeys) -> Result<Unit, Error> {
        let PublicKeys { owner, path, loaded, record } = keys;
        let mut batch = Batch::new();
        match &loaded {
            Some(loaded) => batch.replace(loaded, &record),
            None => batch.create(path, &record),
        }
        if let Owner::User(user) = owner {
            let changed = UserRecord {
                has_ssh_keys: !record.ssh_keys.is_empty(),
                has_certificates: !record.certificates.is_empty(),
                has_service_credentials: !record.service_credentials.is_empty(),
                ..user.value.clone()
            };
            batch.replace(&user, &changed);
        }
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
