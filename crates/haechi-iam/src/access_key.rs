//! Access keys and who owns them.

use haechi_core::database::Unknown;
use haechi_core::{AccountId, Batch, Cx, Env, Loaded, access_key_id};
use haechi_iam_model::Error;
use haechi_wire::{Fault, SecretString};

use crate::Iam;
use crate::authz::{Conditions, authorize};
use crate::secret::Secret;
use crate::store::{
    AccessKeyRecord, AccountRecord, UserRecord, UserReference, account_path, key_path,
};
use crate::user;

/// Keys of one user, at most (AWS's fixed quota).
pub(crate) const KEYS_MAX: usize = 2;

const SECRET_LENGTH: usize = 40;
const SECRET_ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Who owns keys: a user, or the account's root user.
pub(crate) enum Owner {
    User(Loaded<UserRecord>),
    Root(Loaded<AccountRecord>),
}

impl Owner {
    /// As answers show it.
    pub(crate) fn name(&self) -> &str {
        match self {
            Owner::User(user) => &user.value.name,
            // What AWS shows for keys of the root user.
            Owner::Root(_) => "root",
        }
    }

    pub(crate) fn key_ids(&self) -> &[String] {
        match self {
            Owner::User(user) => &user.value.access_key_ids,
            Owner::Root(account) => &account.value.root_access_key_ids,
        }
    }

    fn reference(&self) -> Option<UserReference> {
        match self {
            Owner::User(user) => {
                Some(UserReference { name: user.value.name.clone(), id: user.value.id.clone() })
            }
            Owner::Root(_) => None,
        }
    }

    /// Writes the owner with other keys.
    pub(crate) fn set_key_ids(&self, batch: &mut Batch, ids: Vec<String>) {
        match self {
            Owner::User(user) => {
                batch.replace(user, &UserRecord { access_key_ids: ids, ..user.value.clone() });
            }
            Owner::Root(account) => batch.replace(
                account,
                &AccountRecord { root_access_key_ids: ids, ..account.value.clone() },
            ),
        }
    }

    /// Adds a new key to a batch.
    pub(crate) fn issue(
        &self,
        env: &Env,
        account: &AccountId,
        batch: &mut Batch,
    ) -> Result<AccessKeyRecord, Fault> {
        let random = &*env.random;
        let secret = env.characters(SECRET_ALPHABET, SECRET_LENGTH).map_err(Fault::internal)?;
        let record = AccessKeyRecord {
            id: access_key_id::create("AKIA", account, random).map_err(Fault::internal)?,
            user: self.reference(),
            active: true,
            secret: Secret(SecretString(secret)),
            created_ms: env.now().millis(),
            unknown: Unknown::new(),
        };
        let mut ids = self.key_ids().to_vec();
        ids.push(record.id.clone());
        self.set_key_ids(batch, ids);
        batch.create(key_path(account, &record.id), &record);
        Ok(record)
    }
}

/// The error for a key that is not there, or is another's.
pub(crate) fn not_found(access_key_id: &str) -> Error {
    let message = format!("The Access Key with id {access_key_id} cannot be found.");
    Error::NoSuchEntityException(message)
}

impl Iam {
    /// Whose keys an operation is about: the user named, or else the caller itself.
    pub(crate) async fn owner(&self, cx: &Cx, name: Option<&str>) -> Result<Owner, Error> {
        self.owner_with(cx, name, Conditions::default()).await
    }

    /// The same for an operation whose request has condition keys of its own.
    pub(crate) async fn owner_with(
        &self,
        cx: &Cx,
        name: Option<&str>,
        asked: Conditions<'_>,
    ) -> Result<Owner, Error> {
        if let Some(name) = name.or(cx.caller.user_name.as_deref()) {
            return Ok(Owner::User(self.entity_with(cx, name, asked).await?));
        }
        let arn = user::root_arn(cx.account());
        if cx.caller.arn() != arn {
            // Sessions must say whom they mean.
            let message = "Must specify userName when calling with non-User credentials";
            return Err(Fault::Validation(message.to_owned()).into());
        }
        authorize(cx, &arn, &asked)?;
        Ok(Owner::Root(self.account_record(cx).await?))
    }

    /// The caller's account.
    pub(crate) async fn account_record(&self, cx: &Cx) -> Result<Loaded<AccountRecord>, Error> {
        let path = account_path(cx.account());
        if let Some(account) = self.database.load::<AccountRecord>(&path).await? {
            return Ok(account);
        }
        // Under `--dev`, an account exists once someone calls from it.
        self.create_account(cx.account()).await?;
        let account = self.database.load::<AccountRecord>(&path).await?;
        account.ok_or_else(|| Fault::Conflict.into())
    }

    /// A key of an owner that was authorised.
    pub(crate) async fn key_of(
        &self,
        cx: &Cx,
        owner: &Owner,
        access_key_id: &str,
    ) -> Result<Loaded<AccessKeyRecord>, Error> {
        if !owner.key_ids().iter().any(|id| id == access_key_id) {
            return Err(not_found(access_key_id));
        }
        let key = self.database.load(&key_path(cx.account(), access_key_id)).await?;
        key.ok_or_else(|| not_found(access_key_id))
    }
}
