//! A compiled policy.

use std::sync::Arc;

use serde::Serialize;

use crate::action::{Action, ActionPattern, Head};
use crate::parse;
use crate::principal::{PrincipalPattern, is_federated_provider};
use crate::reference::is_service_principal;
use crate::statement::Statement;
use crate::{AwsPrincipal, ParseError};

/// The longest text that is read at all, in bytes. The services' own limits (6,144 characters of
/// a managed policy, 32 KiB of a key policy) are far below.
pub const POLICY_BYTES_MAX: usize = 131_072;

/// What a policy is attached to, which decides the elements that it must and may not have
/// (Policies and permissions in IAM, "Policy types").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Kind {
    /// Attached to a user, group or role, inline or managed.
    Identity,
    /// Attached to a resource, such as a KMS key.
    Resource,
    /// The trust policy of a role.
    Trust,
    /// A managed policy that limits a user or role.
    Boundary,
    /// Given when a session was made; limits it.
    Session,
    /// A service control policy of Organizations.
    ServiceControl,
    /// A resource control policy of Organizations.
    ResourceControl,
}

impl Kind {
    /// Whether statements of this kind name principals.
    pub(crate) fn has_principals(self) -> bool {
        matches!(self, Self::Resource | Self::Trust | Self::ResourceControl)
    }
}

/// The version of the policy language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Version {
    /// The default when a policy names none; it has no variables.
    V2008,
    /// The current version.
    V2012,
}

impl Version {
    /// As policies write it.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::V2008 => "2008-10-17",
            Self::V2012 => "2012-10-17",
        }
    }
}

/// One policy, compiled. Cheap to share: put it in an [`Arc`].
#[derive(Clone, Debug)]
pub struct Document {
    pub(crate) name: Option<Arc<str>>,
    pub(crate) kind: Kind,
    pub(crate) version: Version,
    pub(crate) id: Option<Box<str>>,
    pub(crate) statements: Box<[Statement]>,
    pub(crate) gates: Box<[Gate]>,
}

/// One action entry's beginning and its statement. They lie together, so that the statements that
/// an action cannot concern (nearly all) are passed over without being touched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gate {
    head: Head,
    statement: usize,
}

/// The gates of statements, in order.
pub(crate) fn gates(statements: &[Statement]) -> Box<[Gate]> {
    let mut gates = Vec::new();
    for (statement, one) in statements.iter().enumerate() {
        if one.actions.negated {
            gates.push(Gate { head: Head::ANY, statement });
        } else {
            let heads = one.actions.patterns.iter().map(ActionPattern::head);
            gates.extend(heads.map(|head| Gate { head, statement }));
        }
    }
    gates.into()
}

impl Document {
    /// Reads and compiles a policy.
    ///
    /// # Errors
    /// The first mistake found, in the order in which IAM looks for them.
    pub fn parse(text: &str, kind: Kind) -> Result<Self, ParseError> {
        parse::document(text, kind, false)
    }

    /// Parses a policy that must be written in the current version, 2012-10-17, as IAM's managed
    /// policies and those of organizations must.
    ///
    /// # Errors
    /// As [`Self::parse`]; [`ParseError::VersionTooOld`].
    pub fn parse_current(text: &str, kind: Kind) -> Result<Self, ParseError> {
        parse::document(text, kind, true)
    }

    /// The same policy under a name, shown by [`crate::explain`]: an ARN, or an inline name.
    #[must_use]
    pub fn named(mut self, name: impl Into<Arc<str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The name given by [`Document::named`].
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// What the policy is attached to.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The version of the language that it is written in.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// The `Id` element.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// How many statements it has; at least one.
    #[must_use]
    pub fn statement_count(&self) -> usize {
        self.statements.len()
    }

    /// Refuses a policy with a statement that has no `Resource` or `NotResource`, for services
    /// whose resource-based policies must have one.
    ///
    /// # Errors
    /// [`ParseError::MissingResource`].
    pub fn require_resources(&self) -> Result<(), ParseError> {
        if self.statements.iter().all(|statement| statement.resources.is_some()) {
            Ok(())
        } else {
            Err(ParseError::MissingResource)
        }
    }

    /// Refuses a policy with a `Sid` of other characters than letters and digits, as IAM does for
    /// the policies of its entities; policies of resources may have such.
    ///
    /// # Errors
    /// [`ParseError::InvalidSid`].
    pub fn require_plain_sids(&self) -> Result<(), ParseError> {
        let mut sids = self.statements.iter().filter_map(|statement| statement.sid.as_deref());
        match sids.find(|sid| !sid.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
            Some(sid) => Err(ParseError::InvalidSid { sid: sid.to_owned() }),
            None => Ok(()),
        }
    }

    /// Every AWS principal that `Principal` and `NotPrincipal` elements name, in order, so that a
    /// service can check that they exist.
    pub fn aws_principals(&self) -> impl Iterator<Item = AwsPrincipal<'_>> {
        self.patterns().filter_map(PrincipalPattern::as_aws)
    }

    /// Every service principal that is named, such as `lambda.amazonaws.com`.
    pub fn service_principals(&self) -> impl Iterator<Item = &str> {
        self.patterns().filter_map(|pattern| match pattern {
            PrincipalPattern::Service(name) => Some(&**name),
            _ => None,
        })
    }

    /// Refuses service principals that no service of AWS has. A check of its own for those who
    /// write policies: what is stored stays readable when the list changes.
    ///
    /// # Errors
    /// [`ParseError::InvalidPrincipal`].
    pub fn require_known_services(&self) -> Result<(), ParseError> {
        match self.service_principals().find(|name| !is_service_principal(name)) {
            Some(name) => Err(ParseError::InvalidPrincipal {
                kind: "SERVICE".to_owned(),
                value: name.to_owned(),
            }),
            None => Ok(()),
        }
    }

    /// Every identity provider that is named under `Federated`.
    pub fn federated_principals(&self) -> impl Iterator<Item = &str> {
        self.patterns().filter_map(|pattern| match pattern {
            PrincipalPattern::Federated(name) => Some(&**name),
            _ => None,
        })
    }

    /// Refuses identity providers that are named neither by a domain nor by the ARN of a provider of
    /// SAML or OpenID Connect. A check of its own, as [`Self::require_known_services`] is.
    ///
    /// # Errors
    /// [`ParseError::InvalidFederated`].
    pub fn require_federated_providers(&self) -> Result<(), ParseError> {
        match self.federated_principals().find(|name| !is_federated_provider(name)) {
            Some(name) => Err(ParseError::InvalidFederated { value: name.to_owned() }),
            None => Ok(()),
        }
    }

    /// Ties each user and role ARN to the unique id that `find` gives for it, so that an entity
    /// made anew under the same name is not meant (AWS JSON policy elements: Principal). ARNs for
    /// which `find` gives `None` stay as they are.
    pub fn bind_principals(&mut self, mut find: impl FnMut(&str) -> Option<String>) {
        self.bind_statements(|_, arn| find(arn));
    }

    /// As [`Self::bind_principals`], for policies whose statements are put one by one: one name may
    /// mean another in a statement that was put later. `find` is given the statement's `Sid` too.
    pub fn bind_statements(&mut self, mut find: impl FnMut(Option<&str>, &str) -> Option<String>) {
        for statement in &mut self.statements {
            let sid = statement.sid.as_deref();
            for pattern in statement.principals.patterns_mut() {
                if let PrincipalPattern::User(entity) | PrincipalPattern::Role(entity) = pattern
                    && let Some(unique_id) = find(sid, &entity.arn)
                {
                    entity.bound = Some(unique_id.into());
                }
            }
        }
    }

    /// The statements that may concern an action, each once, in order.
    pub(crate) fn statements_for(&self, action: &Action) -> impl Iterator<Item = &Statement> {
        let mut last = None;
        self.gates.iter().filter(move |gate| gate.head.may_match(action)).filter_map(move |gate| {
            let again = last.replace(gate.statement) == Some(gate.statement);
            if again { None } else { self.statements.get(gate.statement) }
        })
    }

    fn patterns(&self) -> impl Iterator<Item = &PrincipalPattern> {
        self.statements.iter().flat_map(|statement| statement.principals.patterns())
    }
}
