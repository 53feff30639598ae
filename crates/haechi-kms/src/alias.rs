//! Names of aliases, and where they point.
//!
//! Source: API Reference, CreateAlias; messages as recorded from AWS.

use haechi_core::{Cx, Loaded, Resource};
use haechi_kms_model::Error;
use haechi_wire::Fault;

use crate::identifier::arn;
use crate::store::{AliasRecord, KeyRecord};
use crate::{Kms, authz};

/// Aliases that one key may have (Developer Guide, "Resource quotas").
pub(crate) const ALIASES_PER_KEY_MAX: usize = 50;

/// Checks a name that is to be created, moved or deleted.
pub(crate) fn check_name(name: &str) -> Result<(), Error> {
    let Some(rest) = name.strip_prefix("alias/") else {
        let message = "Alias must start with the prefix \"alias/\". Please see \
             https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html";
        return Err(Fault::Validation(message.to_owned()).into());
    };
    if rest.starts_with("aws/") {
        // Not in the model, yet AWS answers it: those names belong to AWS's services.
        return Err(Error::Fault(Fault::Authentication {
            document_code: "NotAuthorizedException",
            xml_code: "NotAuthorized",
            status: 400,
            message: String::new(),
        }));
    }
    if rest.is_empty() || rest.contains(':') {
        let message = format!("{name} contains invalid characters for an alias");
        return Err(Fault::Validation(message).into());
    }
    Ok(())
}

/// Decides the call's action on an alias of the caller's account, by IAM; answers its ARN.
pub(crate) fn authorize(cx: &Cx, name: &str) -> Result<String, Fault> {
    let account = cx.account().as_str();
    let alias_arn = arn(cx, account, name);
    let (arn, account) = (alias_arn.clone(), account.to_owned());
    cx.note(Resource { arn, account, kind: "AWS::KMS::Alias" });
    authz::authorize_on(cx, &alias_arn)?;
    Ok(alias_arn)
}

/// What a missing alias answers.
pub(crate) fn not_found(alias_arn: &str) -> Error {
    Error::NotFoundException(format!("Alias {alias_arn} is not found."))
}

/// An alias is no target of an alias.
pub(crate) fn check_target(target: &str) -> Result<(), Error> {
    let is_alias =
        target.starts_with("alias/") || (target.starts_with("arn:") && target.contains(":alias/"));
    if is_alias {
        return Err(Fault::Validation("Aliases must refer to keys. Not aliases".to_owned()).into());
    }
    Ok(())
}

impl Kms {
    /// An alias of the caller's account, to be changed.
    pub(crate) async fn own_alias(
        &self,
        cx: &Cx,
        name: &str,
    ) -> Result<Loaded<AliasRecord>, Error> {
        let path = crate::store::alias_path(cx.account().as_str(), cx.region.as_str(), name);
        let alias = self.database.load::<AliasRecord>(&path).await?;
        alias.ok_or_else(|| not_found(&arn(cx, cx.account().as_str(), name)))
    }
}

/// Writes an alias's name into its key's row.
pub(crate) fn attach(key: &mut KeyRecord, name: &str) -> Result<(), Error> {
    if key.aliases.len() >= ALIASES_PER_KEY_MAX {
        return Err(Error::LimitExceededException(format!(
            "Aliases per key quota for this account in this region is {ALIASES_PER_KEY_MAX}, \
             current usage is {}.",
            key.aliases.len()
        )));
    }
    key.aliases.insert(name.to_owned());
    Ok(())
}
