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
use crate::authz::Conditions;
use crate::store::{
    PublicKeysRecord, ROOT_ID, UploadRecord, UserRecord, all_public_keys_path, public_keys_path,
};

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
            let message = "Operation does not support status Expired";
            Err(Error::InvalidInputException(message.to_owned()))
        }
    }
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
        self.public_keys_with(cx, user_name, Conditions::default()).await
    }

    /// The same for an operation whose request has condition keys of its own.
    pub(crate) async fn public_keys_with(
        &self,
        cx: &Cx,
        user_name: Option<&str>,
        asked: Conditions<'_>,
    ) -> Result<PublicKeys, Error> {
        let owner = self.owner_with(cx, user_name, asked).await?;
        let path = place(cx.account(), &owner);
        let loaded = self.database.load::<PublicKeysRecord>(&path).await?;
        let record = loaded.as_ref().map(|loaded| loaded.value.clone()).unwrap_or_default();
        Ok(PublicKeys { owner, path, loaded, record })
    }

    /// Whether anybody of an account has keys like that.
    pub(crate) async fn anyone_has(
        &self,
        account: &AccountId,
        wanted: impl Fn(&PublicKeysRecord) -> bool + Send,
    ) -> Result<bool, Fault> {
        let all =
            self.database.list_all::<PublicKeysRecord>(&all_public_keys_path(account)).await?;
        Ok(all.iter().any(|one| wanted(&one.value)))
    }

    /// The error for an SSH key that is not there, or is another's.
    pub(crate) async fn no_ssh_key(&self, account: &AccountId, id: &str) -> Error {
        let has = |keys: &PublicKeysRecord| keys.ssh_keys.iter().any(|one| one.id == id);
        Error::NoSuchEntityException(match self.anyone_has(account, has).await {
            Ok(true) => format!("User has no Public Key with id {id}."),
            Ok(false) => format!("The Public Key with id {id} cannot be found."),
            Err(fault) => return fault.into(),
        })
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
