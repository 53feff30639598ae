//! OpenID Connect providers: which issuers an account trusts, for which audiences.

use haechi_core::{AccountId, Batch, Cx, OidcProvider};
use haechi_iam_model::Error;
use haechi_wire::Fault;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::authz::Conditions;
use crate::by_arn::ByArn;
use crate::store::OidcProviderRecord;

/// Providers in one account, at most (AWS's default quota).
pub(crate) const PROVIDERS_MAX: usize = 100;

/// Client ids of one provider, at most.
const CLIENT_IDS_MAX: usize = 100;

/// Thumbprints of one provider, at most.
const THUMBPRINTS_MAX: usize = 5;

const SCHEME: &str = "https://";

impl ByArn for OidcProviderRecord {
    const KIND: &'static str = "oidc-provider";
    const AUDIT_TYPE: &'static str = "AWS::IAM::OIDCProvider";

    fn rest(&self) -> String {
        self.url.clone()
    }
    fn tags(&self) -> &[(String, String)] {
        &self.tags
    }
    fn tags_mut(&mut self) -> &mut Vec<(String, String)> {
        &mut self.tags
    }
    fn not_found(arn: &str) -> Error {
        let message = format!("OpenIDConnect Provider not found for arn {arn}");
        Error::NoSuchEntityException(message)
    }
}

/// A provider's URL without its scheme, if it can be one: `https://`, a host and perhaps a path.
/// The port that HTTPS has anyway is none of it.
pub(crate) fn checked_url(url: &str) -> Result<String, Error> {
    let invalid = || Fault::Validation("Invalid Open ID Connect Provider URL".to_owned());
    let rest = url.strip_prefix(SCHEME).ok_or_else(invalid)?;
    let host = rest.split('/').next().unwrap_or_default();
    let is_plain = |character: char| {
        character.is_ascii_graphic() && !matches!(character, '?' | '#' | '@' | '\\' | '*' | '"')
    };
    if host.is_empty() || host.starts_with(':') || !rest.chars().all(is_plain) {
        return Err(invalid().into());
    }
    let path = rest.strip_prefix(host).unwrap_or_default();
    Ok(format!("{}{path}", host.strip_suffix(":443").unwrap_or(host)))
}

/// Client ids without those that occur twice.
pub(crate) fn checked_client_ids(ids: Vec<String>) -> Result<Vec<String>, Error> {
    let mut checked: Vec<String> = Vec::with_capacity(ids.len());
    for id in ids {
        if !checked.contains(&id) {
            checked.push(id);
        }
    }
    if checked.len() <= CLIENT_IDS_MAX {
        return Ok(checked);
    }
    let message =
        format!("Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: {CLIENT_IDS_MAX}");
    Err(Error::LimitExceededException(message))
}

/// Thumbprints in lower case.
pub(crate) fn checked_thumbprints(thumbprints: &[String]) -> Result<Vec<String>, Error> {
    if thumbprints.len() > THUMBPRINTS_MAX {
        // AWS says "fewer than" and takes five.
        let message = format!("Thumbprint list must contain fewer than {THUMBPRINTS_MAX} entries.");
        return Err(Error::InvalidInputException(message));
    }
    if thumbprints.iter().any(|one| !one.bytes().all(|digit| digit.is_ascii_hexdigit())) {
        let message = "Thumbprint must be a hexadecimal SHA-1 hash.";
        return Err(Error::InvalidInputException(message.to_owned()));
    }
    Ok(thumbprints.iter().map(|one| one.to_ascii_lowercase()).collect())
}

impl Iam {
    /// Writes a provider that the caller may change, and that may have become too much.
    pub(crate) async fn change_oidc_provider(
        &self,
        cx: &Cx,
        arn: &str,
        change: impl FnOnce(OidcProviderRecord) -> Result<OidcProviderRecord, Error> + Send,
    ) -> Result<Unit, Error> {
        let found = self.by_arn::<OidcProviderRecord>(cx, arn, Conditions::default()).await?;
        let changed = change(found.value.clone())?;
        let mut batch = Batch::new();
        batch.replace(&found, &changed);
        self.database.commit(batch).await?;
        Ok(Unit)
    }

    pub(crate) async fn trusted_oidc_provider(
        &self,
        account: &AccountId,
        url: &str,
    ) -> Result<Option<OidcProvider>, Fault> {
        let url = url.strip_prefix(SCHEME).unwrap_or(url);
        let path = OidcProviderRecord::place(account, url);
        let found = self.database.load::<OidcProviderRecord>(&path).await?;
        let found = found.map(|found| found.value).filter(|found| found.url == url);
        Ok(found.map(|found| OidcProvider {
            arn: found.arn(account),
            url: found.url,
            client_ids: found.client_ids,
            thumbprints: found.thumbprints,
        }))
    }
}
