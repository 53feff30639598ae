//! The answer to a request, and a denial in AWS's words.

use std::fmt;

use serde::Serialize;

use crate::{Kind, Request};

/// Whether a request may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Decision {
    /// It may; by which policy.
    Allow(Allowed),
    /// It may not; why.
    Deny(Denial),
}

impl Decision {
    /// Whether the request may go on.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allow(_))
    }
}

/// Which kind of policy allowed a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Allowed {
    /// None needed to: the root user of the account that owns the resource.
    Root,
    /// Identity-based policies (the resource's policy delegated to the account, or none exists).
    Identity,
    /// The resource's policy, by itself.
    Resource,
    /// Both sides of a request from another account.
    IdentityAndResource,
    /// A grant, where policies by themselves did not.
    Grant,
}

/// Why a request is denied. AWS names one kind of policy even where several deny.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Denial {
    pub(crate) kind: Kind,
    pub(crate) explicit: bool,
}

impl Denial {
    /// A denial for a reason found outside this crate, such as a VPC endpoint or a service's own
    /// rule, to be told in the same words.
    #[must_use]
    pub fn new(kind: Kind, explicit: bool) -> Self {
        Self { kind, explicit }
    }

    /// The kind of policy that denies, or that would have had to allow.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether a `Deny` statement denies. Grants of KMS lift only a denial that is not explicit.
    #[must_use]
    pub fn is_explicit(&self) -> bool {
        self.explicit
    }

    /// Whether a grant can make up for what is missing: what the resource's or the identity's
    /// policies would have had to allow.
    #[must_use]
    pub fn is_grantable(&self) -> bool {
        !self.explicit && matches!(self.kind, Kind::Resource | Kind::Identity)
    }

    /// The message of `AccessDenied` as AWS writes it (Troubleshoot access denied error
    /// messages). The resource is left out if the request names none.
    #[must_use]
    pub fn message(&self, request: &Request<'_>) -> String {
        let (principal, action) = (request.principal.name(), request.action);
        let mut text = format!("User: {principal} is not authorized to perform: {action}");
        if !request.resource.is_empty() {
            text.push_str(" on resource: ");
            text.push_str(request.resource);
        }
        text.push(' ');
        text.push_str(&self.reason(action));
        text
    }

    /// The last part of the message: `because no …` or `with an explicit deny in …`.
    #[must_use]
    pub fn reason(&self, action: &str) -> String {
        let name = KindName(self.kind);
        if self.explicit {
            let article = match self.kind {
                Kind::Identity => "an",
                Kind::Trust => "the",
                _ => "a",
            };
            format!("with an explicit deny in {article} {name}")
        } else {
            format!("because no {name} allows the {action} action")
        }
    }
}

struct KindName(Kind);

impl fmt::Display for KindName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.0 {
            Kind::Identity => "identity-based policy",
            Kind::Resource => "resource-based policy",
            Kind::Trust => "role trust policy",
            Kind::Boundary => "permissions boundary",
            Kind::Session => "session policy",
            Kind::ServiceControl => "service control policy",
            Kind::ResourceControl => "resource control policy",
        })
    }
}
