//! Trails of organizations: who may have one.
//!
//! Source: User Guide, "Creating a trail for an organization". The management account makes it; its
//! members see it and cannot change it.

use haechi_cloudtrail_model::Error;
use haechi_core::Cx;

/// CloudTrail in Organizations.
const SERVICE: &str = "cloudtrail.amazonaws.com";

/// The organization that the caller's account is in.
pub(crate) fn organization(cx: &Cx) -> Option<&str> {
    let membership = cx.guardrails().membership(cx.account().as_str())?;
    Some(&membership.organization_id)
}

/// What a member is answered who wants to change what is the organization's. The operations on
/// trails declare the error under its old name.
pub(crate) fn not_management() -> Error {
    Error::NotOrganizationMasterAccountException(
        "The request could not be processed because the account is not the management account of \
         the organization."
            .to_owned(),
    )
}

/// The organization for which the caller may have a trail.
///
/// # Errors
/// If there is none, it is not the caller's to manage, or does not trust CloudTrail.
pub(crate) fn managed(cx: &Cx) -> Result<String, Error> {
    let account = cx.account().as_str();
    let Some(membership) = cx.guardrails().membership(account) else {
        return Err(Error::OrganizationsNotInUseException(
            "Your account is not a member of an organization.".to_owned(),
        ));
    };
    if membership.management_account != account {
        return Err(not_management());
    }
    if !membership.all_features {
        return Err(Error::OrganizationNotInAllFeaturesModeException(
            "The organization does not have all features enabled.".to_owned(),
        ));
    }
    if !membership.trusted_services.iter().any(|service| service == SERVICE) {
        return Err(Error::CloudTrailAccessNotEnabledException(
            "Trusted access for CloudTrail is not enabled in the organization: enable it with \
             organizations:EnableAWSServiceAccess for cloudtrail.amazonaws.com."
                .to_owned(),
        ));
    }
    Ok(membership.organization_id.clone())
}
