//! The decision, as a value that cannot be forged.
//!
//! **Invariant:** a [`Permit`] comes from [`Cx::authorize`] and nowhere else, so code that asks for
//! one cannot be reached without a decision.

use std::sync::Arc;

use haechi_policy::{
    Context, Decision, Denial, Document, Granted, Policies, Principal, Request, ResourceRule,
    Values, evaluate, evaluate_granted,
};
use haechi_wire::Fault;

use crate::guardrails::Membership;
use crate::regions::WITHOUT_REGIONS;
use crate::{Cx, Facts, url};

/// What a handler asks to be allowed.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    /// The action, e.g. `kms:Encrypt`.
    pub action: &'a str,
    /// The ARN of the resource, or `*`.
    pub resource: &'a str,
    /// The account that owns the resource.
    pub resource_account: &'a str,
    /// The resource's own policy.
    pub policy: Option<&'a Arc<Document>>,
    /// How that policy combines with the caller's.
    pub rule: ResourceRule,
    /// The service's condition keys.
    pub context: &'a dyn Context,
}

/// Condition keys of a service that has none.
pub struct NoContext;

impl Context for NoContext {
    fn values(&self, _: &str) -> Option<Values<'_>> {
        None
    }
}

/// Proof that the caller may do what was asked.
#[derive(Debug)]
pub struct Permit(());

/// Why a caller may not do what was asked.
#[derive(Debug)]
pub struct Denied {
    /// Which kind of policy decided so.
    pub denial: Denial,
    /// In AWS's words.
    pub message: String,
}

impl From<Denied> for Fault {
    fn from(denied: Denied) -> Self {
        Fault::AccessDenied(denied.message)
    }
}

/// A resource that was loaded and for which nobody has been authorised yet.
pub struct Unchecked<T>(T);

impl<T> Unchecked<T> {
    /// What was loaded.
    pub const fn new(value: T) -> Self {
        Unchecked(value)
    }

    /// Joins it with what else the decision depends on; it stays unchecked.
    pub fn map<U>(self, join: impl FnOnce(T) -> U) -> Unchecked<U> {
        Unchecked(join(self.0))
    }

    /// The resource, where a permit that is already there covers it: one to list everything.
    pub fn covered(self, _: &Permit) -> T {
        self.0
    }

    /// Turns it into the resource and a permit, if the caller is allowed what `ask` asks.
    ///
    /// # Errors
    /// [`Fault::AccessDenied`] in AWS's words.
    pub fn authorize(
        self,
        cx: &Cx,
        ask: impl for<'a> FnOnce(&'a T) -> Ask<'a>,
    ) -> Result<(T, Permit), Fault> {
        Ok(self.decide(cx, ask)?)
    }

    /// As [`Self::authorize`], for a service that words its denials itself.
    ///
    /// # Errors
    /// [`Denied`], with the kind of policy that decided.
    pub fn decide(
        self,
        cx: &Cx,
        ask: impl for<'a> FnOnce(&'a T) -> Ask<'a>,
    ) -> Result<(T, Permit), Denied> {
        let permit = cx.decide(&ask(&self.0))?;
        Ok((self.0, permit))
    }

    /// As [`Self::decide`], where grants may speak for the caller too.
    ///
    /// # Errors
    /// [`Denied`], with the kind of policy that decided.
    pub fn decide_granting(
        self,
        cx: &Cx,
        ask: impl for<'a> FnOnce(&'a T) -> Ask<'a>,
        granted: impl FnOnce(&T) -> Option<Granted>,
    ) -> Result<(T, Permit), Denied> {
        let permit = cx.decide_granting(&ask(&self.0), || granted(&self.0))?;
        Ok((self.0, permit))
    }
}

impl Cx {
    /// Decides whether the caller may do what is asked.
    ///
    /// # Errors
    /// [`Fault::AccessDenied`] in AWS's words.
    pub fn authorize(&self, ask: &Ask<'_>) -> Result<Permit, Fault> {
        Ok(self.decide(ask)?)
    }

    /// As [`Self::authorize`], for a service that words its denials itself.
    ///
    /// # Errors
    /// [`Denied`], with the kind of policy that decided.
    pub fn decide(&self, ask: &Ask<'_>) -> Result<Permit, Denied> {
        self.decide_granting(ask, || None)
    }

    /// As [`Self::decide`], where grants of the resource may speak for the caller too. `granted` is
    /// asked only when the resource's and the identity's policies do not allow it, and no policy
    /// denies it: that is all that a grant makes up for.
    ///
    /// # Errors
    /// [`Denied`], with the kind of policy that decided.
    pub fn decide_granting(
        &self,
        ask: &Ask<'_>,
        granted: impl FnOnce() -> Option<Granted>,
    ) -> Result<Permit, Denied> {
        let (policies, principal) = (&self.caller.policies, &self.caller.principal);
        let guardrails = self.guardrails();
        let context = RequestContext { cx: self, ask };
        let request = Request {
            principal,
            action: ask.action,
            resource: ask.resource,
            resource_account: ask.resource_account,
            context: &context,
        };
        let policies = Policies {
            identity: &policies.identity,
            boundary: policies.boundary.as_deref(),
            session: policies.session.as_deref(),
            service_control: guardrails.service_control(principal),
            resource_control: match ask.context.is_of_service() {
                true => &[],
                false => guardrails.resource_control(principal, ask.action, ask.resource_account),
            },
            resource: ask.policy.map(Arc::as_ref),
            resource_rule: ask.rule,
        };
        let decision = match evaluate(&policies, &request) {
            Decision::Deny(denial) if denial.is_grantable() => match granted() {
                Some(granted) => evaluate_granted(&policies, &request, granted),
                None => Decision::Deny(denial),
            },
            decision => decision,
        };
        match decision {
            Decision::Allow(_) => Ok(Permit(())),
            Decision::Deny(denial) => {
                self.refuse(url::recorded(&policies, &request));
                let message = denial.message(&request);
                Err(Denied { denial, message })
            }
        }
    }

    /// Decides an operation that is not about one resource: its own action on `*`.
    ///
    /// # Errors
    /// [`Fault::AccessDenied`] in AWS's words.
    pub fn authorize_any(&self) -> Result<Permit, Fault> {
        self.authorize_on("*")
    }

    /// Decides whether the caller may hand a role of his account over to a service (`scheduler`),
    /// which then acts with it.
    ///
    /// # Errors
    /// [`Fault::AccessDenied`] in AWS's words.
    pub fn authorize_pass_role(&self, role_arn: &str, service: &str) -> Result<Permit, Fault> {
        let account = role_arn.split(':').nth(4).unwrap_or_default();
        if account != self.account().as_str() {
            let told = "Cross-account pass role is not allowed.";
            return Err(Fault::AccessDenied(told.to_owned()));
        }
        let context = PassedTo(format!("{service}.amazonaws.com"));
        self.authorize(&Ask {
            action: "iam:PassRole",
            resource: role_arn,
            resource_account: account,
            policy: None,
            rule: ResourceRule::Union,
            context: &context,
        })
    }

    /// Decides an operation on a resource of the caller's account that has no policy of its own.
    ///
    /// # Errors
    /// [`Fault::AccessDenied`] in AWS's words.
    pub fn authorize_on(&self, resource: &str) -> Result<Permit, Fault> {
        self.authorize_knowing(resource, &NoContext)
    }

    /// As [`Self::authorize_on`], where conditions see more of the call.
    ///
    /// # Errors
    /// [`Fault::AccessDenied`] in AWS's words.
    pub fn authorize_knowing(
        &self,
        resource: &str,
        context: &dyn Context,
    ) -> Result<Permit, Fault> {
        self.authorize_also(self.operation.action, resource, context)
    }

    /// As [`Self::authorize_knowing`], of another action that the call needs too: that of tagging
    /// what it creates, for one.
    ///
    /// # Errors
    /// [`Fault::AccessDenied`] in AWS's words.
    pub fn authorize_also(
        &self,
        action: &str,
        resource: &str,
        context: &dyn Context,
    ) -> Result<Permit, Fault> {
        self.authorize(&Ask {
            action,
            resource,
            resource_account: self.account().as_str(),
            policy: None,
            rule: ResourceRule::Union,
            context,
        })
    }

    /// Decides whether the caller may put a call's tags on what it creates, as `action` does;
    /// without tags there is nothing to decide. Policies trust tags to be set by none but those who
    /// may.
    ///
    /// # Errors
    /// [`Fault::AccessDenied`] in AWS's words.
    pub fn authorize_tagging(
        &self,
        action: &str,
        resource: &str,
        facts: &Facts<'_>,
    ) -> Result<(), Fault> {
        if !facts.put.is_empty() {
            self.authorize_also(action, resource, facts)?;
        }
        Ok(())
    }
}

/// Not what the caller signed for, where the service has no Regions: he could choose.
fn requested_region(cx: &Cx) -> &str {
    if WITHOUT_REGIONS.contains(&cx.operation.service.name) {
        cx.region.of_global_services()
    } else {
        cx.region.as_str()
    }
}

/// The service that a role is handed over to.
struct PassedTo(String);

impl Context for PassedTo {
    fn values(&self, key: &str) -> Option<Values<'_>> {
        (key == "iam:passedtoservice").then(|| Values::one(&self.0))
    }
}

/// What [`RequestContext::global`] knows, but for tags: what a record of a denial tells.
const GLOBAL: &[&str] = &[
    "calledvia",
    "calledviafirst",
    "calledvialast",
    "currenttime",
    "epochtime",
    "federatedprovider",
    "multifactorauthage",
    "multifactorauthpresent",
    "principalaccount",
    "principalarn",
    "principalisawsservice",
    "principalorgid",
    "principalorgpaths",
    "principalservicename",
    "principaltype",
    "referer",
    "requestedregion",
    "resourceaccount",
    "resourceorgid",
    "resourceorgpaths",
    "securetransport",
    "sourceaccount",
    "sourcearn",
    "sourceidentity",
    "sourceip",
    "sourceorgid",
    "sourceorgpaths",
    "tokenissuetime",
    "useragent",
    "userid",
    "username",
    "viaawsservice",
];

/// The function whose code calls: of any service's calls, although the key has Lambda's name.
const SOURCE_FUNCTION: &str = "lambda:sourcefunctionarn";

/// The global condition keys, and the service's own behind them. Set by the server only.
struct RequestContext<'a> {
    cx: &'a Cx,
    ask: &'a Ask<'a>,
}

impl Context for RequestContext<'_> {
    fn values(&self, key: &str) -> Option<Values<'_>> {
        let own = || self.ask.context.values(key);
        match key.strip_prefix("aws:") {
            // Of what is done in another Region the service says so.
            Some(name @ "requestedregion") => own().or_else(|| self.global(name)),
            Some(name) => self.global(name).or_else(own),
            None if key == SOURCE_FUNCTION => {
                let session = self.cx.caller.session.as_ref()?;
                session.source_function.as_deref().map(Values::one)
            }
            None => own(),
        }
    }

    fn names(&self) -> Vec<String> {
        let tags = self.cx.caller.tags.iter();
        let tags = tags.map(|(key, _)| format!("aws:principaltag/{}", key.to_lowercase()));
        let global = GLOBAL.iter().map(|name| format!("aws:{name}"));
        let known = global.chain([SOURCE_FUNCTION.to_owned()]);
        known.chain(tags).chain(self.ask.context.names()).collect()
    }
}

/// The value of a principal's tag. `name` comes in small letters, as all names of condition keys;
/// they have no case, in whatever script a tag is written.
fn principal_tag<'a>(tags: &'a [(String, String)], name: &str) -> Option<&'a str> {
    tags.iter().find(|(key, _)| key.to_lowercase() == name).map(|(_, value)| value.as_str())
}

/// The service principal of a service.
fn service(name: &str) -> String {
    format!("{name}.amazonaws.com")
}

fn organization(membership: &Membership) -> Values<'_> {
    Values::one(&membership.organization_id)
}

fn path(membership: &Membership) -> Values<'_> {
    Values::many(std::slice::from_ref(&membership.path))
}

impl RequestContext<'_> {
    /// An account's place in its organization.
    fn place(&self, account: &str) -> Option<&Membership> {
        self.cx.guardrails().membership(account)
    }

    /// The caller's account; a service that acts for itself is of none, whomever it acts for.
    fn principal_account(&self) -> Option<&str> {
        let caller = &self.cx.caller;
        match &caller.principal {
            Principal::Service { .. } => None,
            _ => Some(caller.account.as_str()),
        }
    }

    /// Keys of "AWS global condition context keys" that can be known here.
    fn global(&self, key: &str) -> Option<Values<'_>> {
        let (cx, caller) = (self.cx, &self.cx.caller);
        if let Some(tag) = key.strip_prefix("principaltag/") {
            return principal_tag(&caller.tags, tag).map(Values::one);
        }
        match key {
            "principalarn" => match &caller.principal {
                Principal::AssumedRole { role_arn, .. } => Some(Values::one(role_arn)),
                Principal::Service { .. } => None,
                other => Some(Values::one(other.name())),
            },
            "principalaccount" => self.principal_account().map(Values::one),
            "principaltype" => Some(Values::one(match &caller.principal {
                Principal::Root { .. } => "Account",
                Principal::User { .. } => "User",
                Principal::AssumedRole { .. } => "AssumedRole",
                Principal::FederatedUser { .. } => "FederatedUser",
                _ => "Anonymous",
            })),
            "principalisawsservice" => Some(Values::one(match &caller.principal {
                Principal::Service { .. } => "true",
                _ => "false",
            })),
            "principalservicename" => match &caller.principal {
                Principal::Service { name } => Some(Values::one(name)),
                _ => None,
            },
            "viaawsservice" => {
                Some(Values::one(if cx.via().is_empty() { "false" } else { "true" }))
            }
            "calledviafirst" => cx.via().first().map(|name| Values::owned(service(name))),
            "calledvialast" => cx.via().last().map(|name| Values::owned(service(name))),
            "calledvia" if !cx.via().is_empty() => {
                Some(Values::Many(cx.via().iter().map(|name| service(name)).collect()))
            }
            "userid" => Some(Values::one(&caller.user_id)),
            "username" => caller.user_name.as_deref().map(Values::one),
            "sourceip" => Some(Values::owned(cx.request.source_ip.to_string())),
            "securetransport" => {
                Some(Values::one(if cx.request.secure_transport { "true" } else { "false" }))
            }
            "currenttime" => Some(Values::owned(cx.now().iso8601())),
            "epochtime" => Some(Values::owned(cx.now().seconds().to_string())),
            "useragent" => cx.request.user_agent.as_deref().map(Values::one),
            "referer" => cx.request.referer.as_deref().map(Values::one),
            "requestedregion" => Some(Values::one(requested_region(cx))),
            "resourceaccount" => Some(Values::one(self.ask.resource_account)),
            "principalorgid" => self.place(self.principal_account()?).map(organization),
            "principalorgpaths" => self.place(self.principal_account()?).map(path),
            "resourceorgid" => self.place(self.ask.resource_account).map(organization),
            "resourceorgpaths" => self.place(self.ask.resource_account).map(path),
            // Long-term keys have neither of these; only sessions do.
            "tokenissuetime" => caller.issued.map(|issued| Values::owned(issued.iso8601())),
            "sourceidentity" => {
                let session = caller.session.as_ref()?;
                session.source_identity.as_deref().map(Values::one)
            }
            "multifactorauthpresent" => match cx.mfa() {
                Some(_) => Some(Values::one("true")),
                None => caller.issued.map(|_| Values::one("false")),
            },
            "multifactorauthage" => cx.mfa().map(|shown| {
                let seconds = cx.now().millis().saturating_sub(shown.millis()).max(0) / 1000;
                Values::owned(seconds.to_string())
            }),
            "federatedprovider" => match &caller.principal {
                Principal::Federated { provider } => Some(Values::one(provider)),
                _ => caller.session.as_ref()?.federated_provider.as_deref().map(Values::one),
            },
            _ => self.source(key),
        }
    }

    /// Keys that tell on whose behalf a service acts for itself.
    fn source(&self, key: &str) -> Option<Values<'_>> {
        let source = self.cx.source()?;
        match key {
            "sourcearn" => Some(Values::one(&source.arn)),
            "sourceaccount" => Some(Values::one(source.account.as_str())),
            "sourceorgid" => self.place(source.account.as_str()).map(organization),
            "sourceorgpaths" => self.place(source.account.as_str()).map(path),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::principal_tag;

    #[test]
    fn a_tag_of_the_principal_is_found_in_any_case_of_any_script() {
        let tags = [("Straßenbüro", "a"), ("ΤΜΉΜΑ", "b"), ("Team", "c")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()));
        for (asked, value) in [("STRAßENBÜRO", "a"), ("τμήμα", "b"), ("TEAM", "c")] {
            assert_eq!(principal_tag(&tags, &asked.to_lowercase()), Some(value), "{asked}");
        }
        assert_eq!(principal_tag(&tags, "other"), None);
    }
}
