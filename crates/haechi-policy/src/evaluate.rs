//! The decision, in the order of "Policy evaluation logic".
//!
//! ```text
//! a Deny in any policy ─► denied, explicitly
//! RCP: every level allows ─► SCP: every level allows ─► resource policy
//!   same account:  names user or session ─► allowed
//!                  names role            ─► boundary ─► session ─► allowed
//!                  otherwise             ─► identity ─► boundary ─► session ─► allowed
//!                  (root of trust: only if it names the account)
//!   other account: it must allow, and    ─► identity ─► boundary ─► session ─► allowed
//! ```

use std::sync::Arc;

use serde::Serialize;

use crate::action::Action;
use crate::principal::Reach;
use crate::statement::{Effect, Probe};
use crate::{Allowed, Context, Decision, Denial, Document, Kind, Principal};

/// What is asked: who wants to do what, on what.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Who asks.
    pub principal: &'a Principal,
    /// The action, such as `kms:Encrypt`; case does not matter.
    pub action: &'a str,
    /// The ARN of the resource, or `*` for actions without one.
    pub resource: &'a str,
    /// The account that owns the resource; empty means the account of the principal.
    pub resource_account: &'a str,
    /// The condition keys of the request.
    pub context: &'a dyn Context,
}

/// How a resource's policy and the identity's policies combine within one account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResourceRule {
    /// Either may allow: most services.
    #[default]
    Union,
    /// The resource's policy must allow, or delegate to the account: KMS keys and trust policies
    /// of roles. Without a resource policy nothing is allowed.
    RootOfTrust,
}

/// The policies that apply to a request.
///
/// Service control policies do not apply to the management account, nor to service-linked roles;
/// the caller then passes no levels. Where they apply, every level must allow.
#[derive(Clone, Copy, Default)]
pub struct Policies<'a> {
    /// Policies of the user and its groups, or of the role.
    pub identity: &'a [Arc<Document>],
    /// The permissions boundary of the user or role.
    pub boundary: Option<&'a Document>,
    /// The session policies, of which one must allow; `None` if the session has none.
    pub session: Option<&'a [Arc<Document>]>,
    /// Service control policies of the principal's account: root, each unit, the account.
    pub service_control: &'a [Vec<Arc<Document>>],
    /// Resource control policies of the resource's account, in levels likewise.
    pub resource_control: &'a [Vec<Arc<Document>>],
    /// The policy of the resource.
    pub resource: Option<&'a Document>,
    /// How `resource` combines with `identity`.
    pub resource_rule: ResourceRule,
}

/// Decides a request.
#[must_use]
pub fn evaluate(policies: &Policies<'_>, request: &Request<'_>) -> Decision {
    match decide(policies, request) {
        Ok(allowed) => Decision::Allow(allowed),
        Err(denial) => Decision::Deny(denial),
    }
}

/// Whom a grant names: an instrument beside policies by which the owner of a resource gives
/// permissions away (grants of KMS).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Granted {
    /// The principal's account, whose own policies must allow as well.
    Account,
    /// The principal itself.
    Principal,
}

/// Decides a request that a grant allows. It takes the place of what the resource's policy and the
/// identity's policies must allow, and of nothing else: no `Deny` is lifted, and guardrails, the
/// permissions boundary and session policies still limit.
#[must_use]
pub fn evaluate_granted(
    policies: &Policies<'_>,
    request: &Request<'_>,
    granted: Granted,
) -> Decision {
    match decide_granted(policies, request, granted) {
        Ok(()) => Decision::Allow(Allowed::Grant),
        Err(denial) => Decision::Deny(denial),
    }
}

fn decide_granted(
    policies: &Policies<'_>,
    request: &Request<'_>,
    granted: Granted,
) -> Result<(), Denial> {
    let says = ask(policies, &probe(policies, request))?;
    says.guardrails()?;
    match request.principal.account() {
        Some(_) => says.own(request.principal, granted == Granted::Account),
        None => Ok(()),
    }
}

/// The request made ready to be compared with statements.
pub(crate) fn probe<'a>(policies: &Policies<'_>, request: &'a Request<'a>) -> Probe<'a> {
    let has_boundary = policies.boundary.is_some();
    Probe { request, action: Action::new(request.action), has_boundary }
}

/// What each kind of policy says when none denies.
struct Says {
    service_control: bool,
    resource_control: bool,
    resource: Reach,
    identity: bool,
    boundary: bool,
    session: bool,
}

impl Says {
    /// Whether the organization's policies leave it open.
    fn guardrails(&self) -> Result<(), Denial> {
        if !self.resource_control {
            return Err(Denial::new(Kind::ResourceControl, false));
        }
        if !self.service_control {
            return Err(Denial::new(Kind::ServiceControl, false));
        }
        Ok(())
    }

    /// Whether the principal's own policies let it.
    fn own(&self, principal: &Principal, needs_identity: bool) -> Result<(), Denial> {
        let root = matches!(principal, Principal::Root { .. });
        if needs_identity && !self.identity && !root {
            return Err(Denial::new(Kind::Identity, false));
        }
        if !self.boundary {
            return Err(Denial::new(Kind::Boundary, false));
        }
        if !self.session {
            return Err(Denial::new(Kind::Session, false));
        }
        Ok(())
    }
}

fn decide(policies: &Policies<'_>, request: &Request<'_>) -> Result<Allowed, Denial> {
    let says = ask(policies, &probe(policies, request))?;
    says.guardrails()?;
    let no_resource = Denial::new(policies.resource.map_or(Kind::Resource, |d| d.kind), false);
    let Some(account) = request.principal.account() else {
        // Services, federated identities and nobody have no policies of their own.
        return if says.resource > Reach::None { Ok(Allowed::Resource) } else { Err(no_resource) };
    };
    let same_account = request.resource_account.is_empty() || request.resource_account == account;
    let root = matches!(request.principal, Principal::Root { .. });
    let own = |needs_identity: bool| says.own(request.principal, needs_identity);
    if !same_account {
        if says.resource == Reach::None {
            return Err(no_resource);
        }
        return own(true).map(|()| Allowed::IdentityAndResource);
    }
    match (says.resource, policies.resource_rule) {
        (Reach::Direct, _) => Ok(Allowed::Resource),
        (Reach::Origin, _) => own(false).map(|()| Allowed::Resource),
        (Reach::None, ResourceRule::RootOfTrust) => Err(no_resource),
        (Reach::Account, _) | (Reach::None, ResourceRule::Union) => {
            own(true).map(|()| if root { Allowed::Root } else { Allowed::Identity })
        }
    }
}

/// Reads every policy; a `Deny` anywhere ends it.
fn ask(policies: &Policies<'_>, probe: &Probe<'_>) -> Result<Says, Denial> {
    let levels = |levels: &[Vec<Arc<Document>>], kind: Kind| {
        let mut all = true;
        for level in levels {
            all &= strongest(level.iter().map(Arc::as_ref), kind, probe)? > Reach::None;
        }
        Ok(all)
    };
    let resource_control = levels(policies.resource_control, Kind::ResourceControl)?;
    let service_control = levels(policies.service_control, Kind::ServiceControl)?;
    let resource = match policies.resource {
        Some(document) => strongest([document], document.kind, probe)?,
        None => Reach::None,
    };
    let identity = policies.identity.iter().map(Arc::as_ref);
    let identity = strongest(identity, Kind::Identity, probe)? > Reach::None;
    let boundary = match policies.boundary {
        Some(document) => strongest([document], Kind::Boundary, probe)? > Reach::None,
        None => true,
    };
    let session = match policies.session {
        Some(documents) => {
            strongest(documents.iter().map(Arc::as_ref), Kind::Session, probe)? > Reach::None
        }
        // A federated user has no permissions but those of its session policies.
        None => !matches!(probe.request.principal, Principal::FederatedUser { .. }),
    };
    Ok(Says { service_control, resource_control, resource, identity, boundary, session })
}

/// How far policies of one kind speak for the principal, or their denial.
fn strongest<'a>(
    documents: impl IntoIterator<Item = &'a Document>,
    kind: Kind,
    probe: &Probe<'_>,
) -> Result<Reach, Denial> {
    let mut strongest = Reach::None;
    for document in documents {
        for statement in document.statements_for(&probe.action) {
            match statement.effect {
                Effect::Allow if strongest == Reach::Direct => {}
                Effect::Allow => strongest = strongest.max(statement.reach(probe)),
                Effect::Deny if statement.reach(probe) > Reach::None => {
                    return Err(Denial::new(kind, true));
                }
                Effect::Deny => {}
            }
        }
    }
    Ok(strongest)
}
