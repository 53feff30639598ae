//! Why a request is allowed or denied: the question, and the answer once everything that decides it
//! has been collected. The evaluator explains; here is what it is to look at.
//!
//! ```text
//! event.rs         a question of an audit record
//! files.rs         policies in files, as they are written or as AWS's clients print them
//! installation.rs  what an installation knows: whose policies, guardrails, the resource's policy
//! ```

pub mod event;
pub mod files;
pub mod installation;

use std::collections::BTreeMap;
use std::sync::Arc;

use haechi_policy::{
    ContextMap, Document, Granted, Kind, Policies, Principal, Request, ResourceRule, Version,
    explain_granted,
};
use haechi_wire::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Failure;

/// The name of a role's session that nobody named.
const SESSION: &str = "explain";

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Question {
    /// Who wants something.
    pub who: Who,
    /// `kms:Decrypt`.
    pub action: String,
    /// An ARN, or `*`.
    pub resource: String,
    /// The account that owns the resource, where its ARN does not say it.
    pub resource_account: Option<String>,
    /// Condition keys and their values; they count before what is known otherwise.
    pub context: BTreeMap<String, Vec<String>>,
    /// Policies that are given, beside those that are found.
    pub given: GivenPolicies,
    /// What is to be told beforehand.
    pub notes: Vec<String>,
}

/// Who wants something.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Who {
    /// By the ARN, or the name of a service.
    Named(String),
    /// As it was when the request was denied.
    Recorded(Principal),
}

/// A policy as text.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Given {
    /// What to call it.
    pub name: String,
    /// The policy.
    pub text: String,
}

/// Policies as text.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct GivenPolicies {
    /// Identity-based ones.
    pub identity: Vec<Given>,
    /// The permissions boundary.
    pub boundary: Option<Given>,
    /// Session policies.
    pub session: Option<Vec<Given>>,
    /// Service control policies, level by level.
    pub service_control: Vec<Vec<Given>>,
    /// Resource control policies, likewise.
    pub resource_control: Vec<Vec<Given>>,
    /// The policy of the resource.
    pub resource: Option<Given>,
}

/// What a question is decided by.
pub struct Collected {
    /// Who wants something.
    pub principal: Principal,
    /// Identity-based policies.
    pub identity: Vec<Arc<Document>>,
    /// The permissions boundary.
    pub boundary: Option<Arc<Document>>,
    /// Service control policies, level by level.
    pub service_control: Vec<Vec<Arc<Document>>>,
    /// Resource control policies, likewise.
    pub resource_control: Vec<Vec<Arc<Document>>>,
    /// The policy of the resource.
    pub resource: Option<Arc<Document>>,
    /// How it combines with the identity's.
    pub rule: ResourceRule,
    /// What grants of the resource give.
    pub granted: Option<Granted>,
    /// Condition keys that are known.
    pub context: BTreeMap<String, Vec<String>>,
    /// What is to be told beforehand.
    pub notes: Vec<String>,
}

/// The answer.
#[derive(Debug, Serialize, Deserialize)]
pub struct Answer {
    /// For people.
    pub text: String,
    /// For machines.
    pub json: Value,
}

impl Question {
    /// The account that owns the resource.
    pub fn owner<'a>(&'a self, principal: &'a Principal) -> &'a str {
        let named = self.resource.split(':').nth(4).filter(|account| !account.is_empty());
        let own = principal.account().unwrap_or_default();
        self.resource_account.as_deref().or(named).unwrap_or(own)
    }

    /// The service whose action it is.
    pub fn service(&self) -> String {
        let service = self.action.split_once(':').map_or("", |(service, _)| service);
        service.to_ascii_lowercase()
    }

    /// Decides and explains.
    ///
    /// # Errors
    /// If a policy that was given is none.
    pub fn answer(&self, mut collected: Collected) -> Result<Answer, Failure> {
        let session = self.lay(&mut collected)?;
        let mut known = ContextMap::new();
        let mut shown = BTreeMap::new();
        for (key, values) in collected.context.iter().chain(&self.context) {
            known.insert(key, values.clone());
            shown.insert(key.to_lowercase(), values);
        }
        let owner = self.owner(&collected.principal);
        let request = Request {
            principal: &collected.principal,
            action: &self.action,
            resource: &self.resource,
            resource_account: owner,
            context: &known,
        };
        let policies = Policies {
            identity: &collected.identity,
            boundary: collected.boundary.as_deref(),
            session: session.as_deref(),
            service_control: &collected.service_control,
            resource_control: &collected.resource_control,
            resource: collected.resource.as_deref(),
            resource_rule: collected.rule,
        };
        let explanation = explain_granted(&policies, &request, collected.granted);
        let notes: Vec<&String> = self.notes.iter().chain(&collected.notes).collect();
        let mut text: String = notes.iter().map(|note| format!("{note}\n")).collect();
        if !notes.is_empty() {
            text.push('\n');
        }
        text.push_str(&explanation.to_string());
        text.push_str("\nCondition keys:\n");
        for (key, values) in &shown {
            text.push_str(&format!("  {key}  {}\n", values.join(", ")));
        }
        let json = json!({ "notes": notes, "explanation": explanation, "context": shown });
        Ok(Answer { text, json })
    }

    /// Lays the given policies beside those that were found; answers the session's.
    fn lay(&self, collected: &mut Collected) -> Result<Option<Vec<Arc<Document>>>, Failure> {
        let given = &self.given;
        collected.identity.extend(given.all(&given.identity, Kind::Identity)?);
        if let Some(boundary) = &given.boundary {
            collected.boundary = Some(boundary.compile(Kind::Boundary)?);
        }
        for level in &given.service_control {
            collected.service_control.push(given.all(level, Kind::ServiceControl)?);
        }
        for level in &given.resource_control {
            collected.resource_control.push(given.all(level, Kind::ResourceControl)?);
        }
        if let Some(resource) = &given.resource {
            let trust = self.service() == "sts" && is_role(&self.resource);
            let kind = if trust { Kind::Trust } else { Kind::Resource };
            collected.resource = Some(resource.compile(kind)?);
            collected.rule = rule(&self.service(), kind);
        }
        given.session.as_ref().map(|list| given.all(list, Kind::Session)).transpose()
    }
}

/// How the policy of a resource combines with the identity's.
pub fn rule(service: &str, kind: Kind) -> ResourceRule {
    if service == "kms" || kind == Kind::Trust {
        ResourceRule::RootOfTrust
    } else {
        ResourceRule::Union
    }
}

/// Whether an ARN is of a role.
fn is_role(arn: &str) -> bool {
    let mut fields = arn.splitn(6, ':').skip(2);
    let is_iam = fields.next() == Some("iam");
    is_iam && fields.nth(2).is_some_and(|resource| resource.starts_with("role/"))
}

impl GivenPolicies {
    fn all(&self, list: &[Given], kind: Kind) -> Result<Vec<Arc<Document>>, Failure> {
        list.iter().map(|one| one.compile(kind)).collect()
    }
}

impl Given {
    fn compile(&self, kind: Kind) -> Result<Arc<Document>, Failure> {
        let document = Document::parse(&self.text, kind)
            .map_err(|error| format!("{}: {error} ({error:?})", self.name))?;
        Ok(Arc::new(document.named(self.name.as_str())))
    }
}

impl Collected {
    /// Nothing but who wants something, and the condition keys that follow from the question.
    pub fn new(question: &Question, principal: Principal, now: Timestamp) -> Collected {
        let owner = question.owner(&principal);
        let context = derived(&principal, &question.resource, owner, now);
        Collected {
            context,
            identity: Vec::new(),
            boundary: None,
            service_control: Vec::new(),
            resource_control: Vec::new(),
            resource: None,
            rule: ResourceRule::Union,
            granted: None,
            notes: Vec::new(),
            principal,
        }
    }
}

/// Condition keys that follow from who asks for what.
fn derived(
    principal: &Principal,
    resource: &str,
    owner: &str,
    now: Timestamp,
) -> BTreeMap<String, Vec<String>> {
    let mut context = BTreeMap::new();
    let mut set = |key: &str, value: &str| {
        if !value.is_empty() {
            context.insert(format!("aws:{key}"), vec![value.to_owned()]);
        }
    };
    let (kind, arn, name) = match principal {
        Principal::Root { arn, .. } => ("Account", arn.as_str(), ""),
        Principal::User { arn, unique_id, .. } => {
            set("userid", unique_id);
            ("User", arn.as_str(), arn.rsplit('/').next().unwrap_or_default())
        }
        Principal::AssumedRole { role_arn, role_unique_id, session_name, .. } => {
            if !role_unique_id.is_empty() {
                set("userid", &format!("{role_unique_id}:{session_name}"));
            }
            ("AssumedRole", role_arn.as_str(), "")
        }
        Principal::FederatedUser { session_arn, .. } => ("FederatedUser", session_arn.as_str(), ""),
        Principal::Federated { .. } | Principal::Service { .. } | Principal::Anonymous => {
            ("Anonymous", "", "")
        }
    };
    set("PrincipalType", kind);
    set("PrincipalArn", arn);
    set("username", name);
    set("PrincipalAccount", principal.account().unwrap_or_default());
    set("ResourceAccount", owner);
    set("RequestedRegion", resource.split(':').nth(3).unwrap_or_default());
    set("CurrentTime", &now.iso8601());
    set("EpochTime", &now.seconds().to_string());
    set("SecureTransport", "true");
    set("ViaAWSService", "false");
    let service = matches!(principal, Principal::Service { .. });
    set("PrincipalIsAWSService", if service { "true" } else { "false" });
    context
}

/// A principal by its name, as far as the name tells.
///
/// # Errors
/// If it names no principal.
pub fn principal(name: &str) -> Result<Principal, Failure> {
    let account = name.split(':').nth(4).unwrap_or_default().to_owned();
    let resource = name.splitn(6, ':').nth(5).unwrap_or_default();
    let parts: Vec<&str> = resource.split('/').collect();
    let arn = name.to_owned();
    Ok(match (name.split(':').nth(2), parts.as_slice()) {
        (Some("iam"), ["root"]) => Principal::Root { arn, account },
        (Some("iam"), ["user", ..]) => Principal::User { arn, unique_id: String::new(), account },
        (Some("iam"), ["role", .., role]) => Principal::AssumedRole {
            session_arn: format!("arn:aws:sts::{account}:assumed-role/{role}/{SESSION}"),
            role_arn: arn,
            role_unique_id: String::new(),
            session_name: SESSION.to_owned(),
            account,
        },
        (Some("sts"), ["assumed-role", role, session]) => Principal::AssumedRole {
            session_arn: arn,
            role_arn: format!("arn:aws:iam::{account}:role/{role}"),
            role_unique_id: String::new(),
            session_name: (*session).to_owned(),
            account,
        },
        (Some("sts"), ["federated-user", ..]) => Principal::FederatedUser {
            session_arn: arn,
            user_arn: None,
            user_unique_id: None,
            account,
        },
        _ if name.len() == 12 && name.bytes().all(|byte| byte.is_ascii_digit()) => {
            Principal::Root { arn: format!("arn:aws:iam::{name}:root"), account: arn }
        }
        _ if name.ends_with(".amazonaws.com") && !name.contains(':') => {
            Principal::Service { name: arn }
        }
        _ if name == "*" || name == "anonymous" => Principal::Anonymous,
        _ => {
            return Err(format!(
                "{name} is no principal: name a user, a role, a role's session or an account by \
                 its ARN, or a service as kms.amazonaws.com"
            )
            .into());
        }
    })
}

/// A warning about the version of the language, which exported policies often lack.
pub fn old_language(given: &Given) -> Option<String> {
    let document = Document::parse(&given.text, Kind::Identity).ok()?;
    let old = document.version() == Version::V2008 && given.text.contains("${");
    old.then(|| format!("{}: without \"Version\": \"2012-10-17\" it has no variables", given.name))
}

#[cfg(test)]
mod tests;
