//! What another KMS may use: paths, keys and credentials of the XKS proxy.

use haechi_core::{AccountId, Region};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::Failure;
use crate::installation::Installation;
use crate::operator::{Ask, Told};
use crate::xks::{Credential, ExposedKey, Exposure};

/// Lets another KMS use keys; the answer is its first credential.
#[derive(Debug, Serialize, Deserialize)]
pub struct XksCreate {
    /// `/…`
    pub prefix: String,
    /// Whose keys.
    pub account: String,
    /// In which Region.
    pub region: String,
    /// Which keys; `None` is every one.
    pub keys: Option<Vec<ExposedKey>>,
}

impl Ask for XksCreate {
    const NAME: &'static str = "xks.create";
    type Answer = Credential;

    fn told(&self) -> Option<Told> {
        let keys: Option<Vec<String>> =
            self.keys.as_ref().map(|keys| keys.iter().map(|key| key.id.clone()).collect());
        let parameters = json!({ "prefix": self.prefix, "region": self.region, "keys": keys });
        Some(Told { account: Some(self.account.clone()), parameters })
    }

    async fn answer(self, installation: &Installation) -> Result<Credential, Failure> {
        let XksCreate { prefix, account, region, keys } = self;
        let stack = &installation.stack;
        let known = AccountId::parse(&account);
        let accounts = stack.iam.accounts().await?;
        if !known.is_some_and(|known| accounts.contains(&known)) {
            return Err(format!("there is no account {account}: haechi account list").into());
        }
        if Region::parse(&region).is_none() {
            return Err(format!("{region} is no Region").into());
        }
        let (credentials, unknown) = (Vec::new(), haechi_core::database::Unknown::new());
        let exposure = Exposure { prefix, account, region, keys, credentials, unknown };
        exposure.create(&stack.database, &installation.env).await
    }
}

/// Lists what other KMSs may use.
#[derive(Debug, Serialize, Deserialize)]
pub struct XksList {}

/// One of them, without its secrets.
#[derive(Debug, Serialize, Deserialize)]
pub struct XksLine {
    /// `/…`
    pub prefix: String,
    /// Whose keys.
    pub account: String,
    /// In which Region.
    pub region: String,
    /// Which keys; `None` is every one.
    pub keys: Option<Vec<ExposedKey>>,
    /// Ids of its credentials.
    pub access_key_ids: Vec<String>,
}

impl Ask for XksList {
    const NAME: &'static str = "xks.list";
    type Answer = Vec<XksLine>;

    async fn answer(self, installation: &Installation) -> Result<Vec<XksLine>, Failure> {
        let line = |exposure: Exposure| {
            let credentials = exposure.credentials.into_iter();
            let access_key_ids = credentials.map(|credential| credential.access_key_id).collect();
            let Exposure { prefix, account, region, keys, .. } = exposure;
            XksLine { prefix, account, region, keys, access_key_ids }
        };
        let found = Exposure::list(&installation.stack.database).await?;
        Ok(found.into_iter().map(line).collect())
    }
}

/// Lets another KMS use nothing any more.
#[derive(Debug, Serialize, Deserialize)]
pub struct XksDelete {
    /// `/…`
    pub prefix: String,
}

impl Ask for XksDelete {
    const NAME: &'static str = "xks.delete";
    type Answer = ();

    fn told(&self) -> Option<Told> {
        Some(Told::installation(json!({ "prefix": self.prefix })))
    }

    async fn answer(self, installation: &Installation) -> Result<(), Failure> {
        let database = &installation.stack.database;
        Exposure::change(database, &self.prefix, |_| Ok((None, ()))).await
    }
}

/// Makes a further credential.
#[derive(Debug, Serialize, Deserialize)]
pub struct XksCredentialCreate {
    /// `/…`
    pub prefix: String,
}

impl Ask for XksCredentialCreate {
    const NAME: &'static str = "xks.credential.create";
    type Answer = Credential;

    fn told(&self) -> Option<Told> {
        Some(Told::installation(json!({ "prefix": self.prefix })))
    }

    async fn answer(self, installation: &Installation) -> Result<Credential, Failure> {
        let Installation { stack, env, .. } = installation;
        let add = |exposure: Exposure| exposure.add_credential(env);
        Exposure::change(&stack.database, &self.prefix, add).await
    }
}

/// Removes a credential.
#[derive(Debug, Serialize, Deserialize)]
pub struct XksCredentialDelete {
    /// `/…`
    pub prefix: String,
    /// Which one.
    pub access_key_id: String,
}

impl Ask for XksCredentialDelete {
    const NAME: &'static str = "xks.credential.delete";
    type Answer = ();

    fn told(&self) -> Option<Told> {
        let (prefix, id) = (&self.prefix, &self.access_key_id);
        Some(Told::installation(json!({ "prefix": prefix, "accessKeyId": id })))
    }

    async fn answer(self, installation: &Installation) -> Result<(), Failure> {
        let remove = |exposure: Exposure| exposure.remove_credential(&self.access_key_id);
        Exposure::change(&installation.stack.database, &self.prefix, remove).await
    }
}
