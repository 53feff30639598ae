//! Who makes a request, and how the `Principal` element of a policy names them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ParseError;

/// Who makes a request, as the server has authenticated them.
///
/// ARNs are complete (`arn:aws:iam::123456789012:user/path/name`); unique ids are IAM's
/// (`AIDA…`, `AROA…`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Principal {
    /// The root user of an account, `arn:aws:iam::123456789012:root`.
    Root {
        /// The ARN of the root user.
        arn: String,
        /// The account, 12 digits.
        account: String,
    },
    /// An IAM user, with its own or with `GetSessionToken` credentials.
    User {
        /// The ARN of the user.
        arn: String,
        /// The unique id of the user.
        unique_id: String,
        /// The account of the user.
        account: String,
    },
    /// A session of a role, however the role was assumed.
    AssumedRole {
        /// `arn:aws:sts::123456789012:assumed-role/role/session`.
        session_arn: String,
        /// The ARN of the role.
        role_arn: String,
        /// The unique id of the role.
        role_unique_id: String,
        /// The name given to the session.
        session_name: String,
        /// The account of the role.
        account: String,
    },
    /// A session made by `GetFederationToken`.
    FederatedUser {
        /// `arn:aws:sts::123456789012:federated-user/name`.
        session_arn: String,
        /// The ARN of the IAM user who made the session; `None` if the root user did.
        user_arn: Option<String>,
        /// The unique id of that user.
        user_unique_id: Option<String>,
        /// The account of the session.
        account: String,
    },
    /// Someone whom an identity provider vouches for, about to assume a role.
    Federated {
        /// As in `"Federated"`: the ARN of a SAML or OIDC provider, or `accounts.google.com`.
        provider: String,
    },
    /// A service of AWS acting for itself.
    Service {
        /// The service principal, such as `kms.amazonaws.com`.
        name: String,
    },
    /// Nobody: a request without a signature.
    Anonymous,
}

impl Principal {
    /// The account that the principal belongs to, if it belongs to one.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::Root { account, .. }
            | Self::User { account, .. }
            | Self::AssumedRole { account, .. }
            | Self::FederatedUser { account, .. } => Some(account),
            Self::Federated { .. } | Self::Service { .. } | Self::Anonymous => None,
        }
    }

    /// The name of the principal as an error message shows it: the ARN where there is one.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Root { arn, .. } | Self::User { arn, .. } => arn,
            Self::AssumedRole { session_arn, .. } | Self::FederatedUser { session_arn, .. } => {
                session_arn
            }
            Self::Federated { provider } => provider,
            Self::Service { name } => name,
            Self::Anonymous => "anonymous",
        }
    }
}

/// How far a matching statement speaks for a principal; the order is the strength of an `Allow`
/// (Policy evaluation for requests within a single account, "Resource-based policies").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// The statement does not speak of the principal.
    None,
    /// It names the account: the account's own policies must allow as well.
    Account,
    /// It names the role, or the user behind a federated session: the permissions boundary and
    /// the session policies still limit.
    Origin,
    /// It names the user, the session, the service, or everyone.
    Direct,
}

/// An AWS principal as a policy names it; see [`crate::Document::aws_principals`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AwsPrincipal<'a> {
    /// `*`
    Everyone,
    /// An account: 12 digits, or the ARN of its root.
    Account(&'a str),
    /// The ARN of an IAM user.
    User(&'a str),
    /// The ARN of a role.
    Role(&'a str),
    /// The ARN of a session of a role.
    RoleSession(&'a str),
    /// The ARN of a session made by `GetFederationToken`.
    FederatedUser(&'a str),
    /// A unique id: what remains when the user or role that was named is deleted.
    UniqueId(&'a str),
}

/// One entry of `Principal` or `NotPrincipal`, understood.
#[derive(Clone, Debug)]
pub(crate) enum PrincipalPattern {
    Everyone,
    Account(Box<str>),
    /// A user or a role; once bound, only the entity with that unique id is meant.
    User(Entity),
    Role(Entity),
    RoleSession(Box<str>),
    FederatedUser(Box<str>),
    UniqueId(Box<str>),
    Service(Box<str>),
    Federated(Box<str>),
    /// A canonical user id of S3; nobody here has one yet, so it matches no principal.
    CanonicalUser,
}

#[derive(Clone, Debug)]
pub(crate) struct Entity {
    pub(crate) arn: Box<str>,
    pub(crate) bound: Option<Box<str>>,
}

impl Entity {
    fn is(&self, arn: &str, unique_id: &str) -> bool {
        match &self.bound {
            Some(bound) => **bound == *unique_id,
            None => *self.arn == *arn,
        }
    }
}

impl PrincipalPattern {
    /// An entry under `"AWS"`.
    pub(crate) fn aws(text: &str) -> Result<Self, ParseError> {
        if text == "*" {
            return Ok(Self::Everyone);
        }
        if is_account(text) {
            return Ok(Self::Account(text.into()));
        }
        if is_unique_id(text) {
            return Ok(Self::UniqueId(text.into()));
        }
        Self::from_arn(text).ok_or_else(|| ParseError::InvalidPrincipal {
            kind: "AWS".to_owned(),
            value: text.to_owned(),
        })
    }

    fn from_arn(text: &str) -> Option<Self> {
        if text.contains(['*', '?']) {
            return None;
        }
        let mut parts = text.splitn(6, ':');
        let prefix = (parts.next()?, parts.next()?.is_empty());
        let (service, region) = (parts.next()?, parts.next()?);
        let (account, resource) = (parts.next()?, parts.next()?);
        if prefix != ("arn", false) || !region.is_empty() || !is_account(account) {
            return None;
        }
        if (service, resource) == ("iam", "root") {
            return Some(Self::Account(account.into()));
        }
        let (kind, name) = resource.split_once('/')?;
        if name.is_empty() {
            return None;
        }
        let entity = || Entity { arn: text.into(), bound: None };
        match (service, kind) {
            ("iam", "user") => Some(Self::User(entity())),
            ("iam", "role") => Some(Self::Role(entity())),
            ("sts", "assumed-role") if name.contains('/') => Some(Self::RoleSession(text.into())),
            ("sts", "federated-user") => Some(Self::FederatedUser(text.into())),
            _ => None,
        }
    }

    /// The strongest way in which the entry means the principal.
    pub(crate) fn reach(&self, principal: &Principal) -> Reach {
        let direct = |met: bool| if met { Reach::Direct } else { Reach::None };
        let origin = |met: bool| if met { Reach::Origin } else { Reach::None };
        match (self, principal) {
            (Self::Everyone, _) => Reach::Direct,
            (Self::Account(account), principal) => match principal.account() {
                Some(own) if own == &**account => match principal {
                    Principal::Root { .. } => Reach::Direct,
                    _ => Reach::Account,
                },
                _ => Reach::None,
            },
            (Self::User(user), Principal::User { arn, unique_id, .. }) => {
                direct(user.is(arn, unique_id))
            }
            (
                Self::User(user),
                Principal::FederatedUser { user_arn: Some(arn), user_unique_id, .. },
            ) => origin(user.is(arn, user_unique_id.as_deref().unwrap_or_default())),
            (Self::Role(role), Principal::AssumedRole { role_arn, role_unique_id, .. }) => {
                origin(role.is(role_arn, role_unique_id))
            }
            (Self::RoleSession(arn), Principal::AssumedRole { session_arn, .. })
            | (Self::FederatedUser(arn), Principal::FederatedUser { session_arn, .. }) => {
                direct(**arn == *session_arn)
            }
            (Self::UniqueId(id), Principal::User { unique_id, .. }) => direct(**id == *unique_id),
            (Self::UniqueId(id), Principal::FederatedUser { user_unique_id: Some(own), .. }) => {
                origin(**id == **own)
            }
            (Self::UniqueId(id), Principal::AssumedRole { role_unique_id, .. }) => {
                origin(**id == *role_unique_id)
            }
            (Self::Service(name), Principal::Service { name: own }) => direct(**name == *own),
            (Self::Federated(name), Principal::Federated { provider }) => {
                direct(**name == *provider)
            }
            _ => Reach::None,
        }
    }

    pub(crate) fn as_aws(&self) -> Option<AwsPrincipal<'_>> {
        Some(match self {
            Self::Everyone => AwsPrincipal::Everyone,
            Self::Account(account) => AwsPrincipal::Account(account),
            Self::User(user) => AwsPrincipal::User(&user.arn),
            Self::Role(role) => AwsPrincipal::Role(&role.arn),
            Self::RoleSession(arn) => AwsPrincipal::RoleSession(arn),
            Self::FederatedUser(arn) => AwsPrincipal::FederatedUser(arn),
            Self::UniqueId(id) => AwsPrincipal::UniqueId(id),
            Self::Service(_) | Self::Federated(_) | Self::CanonicalUser => return None,
        })
    }
}

impl fmt::Display for PrincipalPattern {
    /// As written, and the unique id that a name is bound to.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everyone => formatter.write_str("*"),
            Self::User(entity) | Self::Role(entity) => {
                formatter.write_str(&entity.arn)?;
                match &entity.bound {
                    Some(id) => write!(formatter, " ({id})"),
                    None => Ok(()),
                }
            }
            Self::Account(text)
            | Self::RoleSession(text)
            | Self::FederatedUser(text)
            | Self::UniqueId(text)
            | Self::Service(text)
            | Self::Federated(text) => formatter.write_str(text),
            Self::CanonicalUser => formatter.write_str("a canonical user"),
        }
    }
}

/// The `Principal` or `NotPrincipal` element of a statement.
#[derive(Clone, Debug)]
pub(crate) enum PrincipalElement {
    /// No element: the policy is attached to the principal.
    Attached,
    Is(Box<[PrincipalPattern]>),
    Not(Box<[PrincipalPattern]>),
}

impl PrincipalElement {
    /// How far an `Allow` speaks for the principal.
    pub(crate) fn allow_reach(&self, principal: &Principal) -> Reach {
        match self {
            Self::Attached => Reach::Direct,
            Self::Is(patterns) => strongest(patterns, principal),
            Self::Not(patterns) => match strongest(patterns, principal) {
                Reach::None => Reach::Direct,
                _ => Reach::None,
            },
        }
    }

    /// Whether a `Deny` speaks of the principal.
    ///
    /// `NotPrincipal` spares a principal only if it names all that the principal is: the account,
    /// and the user, or the role and its session; and never one with a permissions boundary.
    /// (AWS JSON policy elements: NotPrincipal.)
    pub(crate) fn deny_reaches(&self, principal: &Principal, has_boundary: bool) -> bool {
        match self {
            Self::Attached => true,
            Self::Is(patterns) => strongest(patterns, principal) > Reach::None,
            Self::Not(patterns) => has_boundary || !spares(patterns, principal),
        }
    }

    /// The entries, and whether the element is `NotPrincipal`; `None` if there is no element.
    pub(crate) fn named(&self) -> Option<(bool, &[PrincipalPattern])> {
        match self {
            Self::Attached => None,
            Self::Is(patterns) => Some((false, patterns)),
            Self::Not(patterns) => Some((true, patterns)),
        }
    }

    pub(crate) fn patterns(&self) -> &[PrincipalPattern] {
        match self {
            Self::Attached => &[],
            Self::Is(patterns) | Self::Not(patterns) => patterns,
        }
    }

    pub(crate) fn patterns_mut(&mut self) -> &mut [PrincipalPattern] {
        match self {
            Self::Attached => &mut [],
            Self::Is(patterns) | Self::Not(patterns) => patterns,
        }
    }
}

fn strongest(patterns: &[PrincipalPattern], principal: &Principal) -> Reach {
    patterns.iter().map(|pattern| pattern.reach(principal)).max().unwrap_or(Reach::None)
}

fn spares(patterns: &[PrincipalPattern], principal: &Principal) -> bool {
    let names = |reach: Reach| patterns.iter().any(|pattern| pattern.reach(principal) == reach);
    if patterns.iter().any(|pattern| matches!(pattern, PrincipalPattern::Everyone)) {
        return true;
    }
    match principal {
        Principal::User { .. } => names(Reach::Direct) && names(Reach::Account),
        Principal::AssumedRole { .. } | Principal::FederatedUser { user_arn: Some(_), .. } => {
            names(Reach::Direct) && names(Reach::Origin) && names(Reach::Account)
        }
        Principal::FederatedUser { user_arn: None, .. } => {
            names(Reach::Direct) && names(Reach::Account)
        }
        Principal::Root { .. }
        | Principal::Federated { .. }
        | Principal::Service { .. }
        | Principal::Anonymous => names(Reach::Direct),
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a name under `Federated` can be an identity provider's: a domain
/// (`accounts.google.com`), or the ARN of a provider in IAM.
pub(crate) fn is_federated_provider(name: &str) -> bool {
    let Some((partition, rest)) = name.strip_prefix("arn:").and_then(|arn| arn.split_once(':'))
    else {
        return is_domain(name);
    };
    let Some((account, resource)) =
        rest.strip_prefix("iam::").and_then(|rest| rest.split_once(':'))
    else {
        return false;
    };
    let provider = ["oidc-provider/", "saml-provider/"]
        .iter()
        .find_map(|kind| resource.strip_prefix(kind))
        .unwrap_or_default();
    let is_partition = partition == "aws" || partition.starts_with("aws-");
    is_partition && is_account(account) && !provider.is_empty()
}

fn is_domain(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.contains('.') && name.split('.').all(is_label)
}

fn is_unique_id(text: &str) -> bool {
    const PREFIXES: [&str; 3] = ["AIDA", "AROA", "ASIA"];
    (16..=128).contains(&text.len())
        && PREFIXES.iter().any(|prefix| text.starts_with(prefix))
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::is_federated_provider;

    #[test]
    fn identity_providers_are_domains_or_arns_of_providers() {
        for good in [
            "cognito-identity.amazonaws.com",
            "accounts.google.com",
            "graph.facebook.com",
            "www.amazon.com",
            "arn:aws:iam::123456789012:oidc-provider/idp.example/realm",
            "arn:aws-cn:iam::123456789012:saml-provider/p",
        ] {
            assert!(is_federated_provider(good), "{good}");
        }
        for bad in [
            "foo",
            "https://accounts.google.com",
            "accounts..google.com",
            "-a.example",
            "accounts.google.com/path",
            "arn:aws:iam::1234:saml-provider/p",
            "arn:aws:iam::123456789012:saml-provider/",
            "arn:aws:iam::123456789012:user/u",
            "arn:aws:sts::123456789012:saml-provider/p",
            "arn:aws:iam",
        ] {
            assert!(!is_federated_provider(bad), "{bad}");
        }
    }
}
