//! Simulation: what policies would decide, without doing anything. The decision is the same one
//! that calls get ([`haechi_policy::explain`]).

mod check;
mod source;

use std::collections::BTreeMap;
use std::sync::Arc;

use haechi_core::guardrails::Levels;
use haechi_core::{AccountId, Cx};
use haechi_iam_model::Error;
use haechi_iam_model::shapes::{
    ContextEntry, EvaluationResult, OrderedOrganizationPolicyType, OrganizationsDecisionDetail,
    PermissionsBoundaryDecisionDetail, PolicyEvaluationDecisionType, ResourceSpecificResult,
    SimulatePolicyResponse, Statement,
};
use haechi_policy::reference;
use haechi_policy::{
    ContextMap, Decision, Effect, Explanation, Kind, LayerExplanation, Policies, Principal,
    Request, ResourceRule, Says, StatementExplanation, explain,
};

use crate::context_keys::variables_in;
use crate::listing::page;

pub(crate) use check::{caller, check, owner};
pub(crate) use source::{Excluded, Source};

/// What is simulated.
pub(crate) struct Simulation {
    pub(crate) principal: Principal,
    pub(crate) identity: Vec<Source>,
    pub(crate) boundary: Option<Source>,
    pub(crate) resource: Option<Source>,
    /// Whether policies of an organization bind the principal, and are to be told of.
    pub(crate) organized: bool,
    pub(crate) service_control: Levels,
    /// Who owns the resources whose ARNs do not tell; else the caller's account does.
    pub(crate) owner: Option<AccountId>,
    /// Whether a caller was named. One whom nobody named is of the resource's own account.
    pub(crate) caller_named: bool,
    pub(crate) context: ContextMap,
}

/// The decision about one action on one resource.
struct Decided {
    explanation: Explanation,
    verdict: PolicyEvaluationDecisionType,
    /// Whether the resource is another account's.
    abroad: bool,
}

type Details = BTreeMap<String, PolicyEvaluationDecisionType>;

/// The condition keys that a request gives, over those that the caller tells, where one is named.
pub(crate) fn context(entries: &[ContextEntry], caller: Option<&Principal>) -> ContextMap {
    let mut map = caller.map(told_by).unwrap_or_default();
    for entry in entries {
        if let Some(key) = &entry.context_key_name {
            map.insert(key, entry.context_key_values.clone().unwrap_or_default());
        }
    }
    map
}

/// What a caller tells of itself.
fn told_by(caller: &Principal) -> ContextMap {
    let (arn, account) = match caller {
        Principal::AssumedRole { role_arn, account, .. } => (role_arn, account),
        Principal::User { arn, account, .. } => (arn, account),
        _ => return ContextMap::new(),
    };
    let map = ContextMap::new().with("aws:PrincipalArn", arn).with("aws:PrincipalAccount", account);
    match caller {
        Principal::User { arn, .. } => {
            map.with("aws:username", arn.rsplit('/').next().unwrap_or_default())
        }
        _ => map,
    }
}

/// Whether an ARN's resource is of a kind; a path may have a colon, too.
fn is_kind(arn: &str, kind: &str) -> bool {
    arn.splitn(6, ':').nth(5).is_some_and(|resource| resource.starts_with(kind))
}

/// A user or role by its ARN, as policies see it.
pub(crate) fn principal(arn: &str, unique_id: &str) -> Principal {
    let account = arn.split(':').nth(4).unwrap_or_default().to_owned();
    let name = arn.rsplit('/').next().unwrap_or_default();
    if is_kind(arn, "role/") {
        return Principal::AssumedRole {
            session_arn: format!("arn:aws:sts::{account}:assumed-role/{name}/simulation"),
            role_arn: arn.to_owned(),
            role_unique_id: unique_id.to_owned(),
            session_name: "simulation".to_owned(),
            account,
        };
    }
    Principal::User { arn: arn.to_owned(), unique_id: unique_id.to_owned(), account }
}

/// The guardrails of the simulated principal, as they bind its calls.
pub(crate) fn guardrails(cx: &Cx, principal: &Principal) -> (bool, Levels) {
    let guardrails = cx.guardrails();
    let organized = principal.account().is_some_and(|one| guardrails.membership(one).is_some());
    (organized, guardrails.service_control(principal).to_vec())
}

/// Service control policies as a request gives them, level by level.
pub(crate) fn ordered(levels: Vec<OrderedOrganizationPolicyType>) -> Result<Levels, Error> {
    let level = |one: OrderedOrganizationPolicyType| {
        let texts = one.service_control_policy_input_list.unwrap_or_default();
        let sources = Source::list(&texts, Kind::ServiceControl, "ServiceControlPolicyInputList")?;
        Ok(sources.into_iter().map(|source| source.document).collect())
    };
    levels.into_iter().map(level).collect()
}

/// A page of the results.
pub(crate) fn paged(
    results: Vec<EvaluationResult>,
    marker: Option<&str>,
    items_max: Option<i32>,
) -> Result<SimulatePolicyResponse, Error> {
    let numbered = results.into_iter().zip(0_u32..);
    let order = |(_, number): &(_, u32)| format!("{number:010}");
    let found = page(numbered, order, marker, items_max)?;
    Ok(SimulatePolicyResponse {
        evaluation_results: Some(found.items.into_iter().map(|(result, _)| result).collect()),
        is_truncated: Some(found.marker.is_some()),
        marker: found.marker,
    })
}

impl Simulation {
    /// The decision on every action, on each resource or on `*`.
    pub(crate) fn run(
        &self,
        actions: &[String],
        resources: Option<&[String]>,
    ) -> Vec<EvaluationResult> {
        let result = |action: &String| {
            let known = reference::action(action);
            let single = known.is_some_and(|known| !known.takes_resources());
            match resources.filter(|resources| !single && !resources.is_empty()) {
                None => self.result(&[self.decide(action, "*")], "*"),
                Some(resources) => {
                    let decided: Vec<_> =
                        resources.iter().map(|one| self.decide(action, one)).collect();
                    let name = match resources {
                        [resource] => resource,
                        _ => known
                            .and_then(|known| known.resource_types.first())
                            .map_or("*", |one| one.arn),
                    };
                    let specific = decided.iter().map(|one| self.specific(one)).collect();
                    let whole = self.result(&decided, name);
                    EvaluationResult { resource_specific_results: Some(specific), ..whole }
                }
            }
        };
        actions.iter().map(result).collect()
    }

    /// The account that owns a resource; empty where there is none to tell it from the caller's.
    fn owner_of<'a>(&'a self, resource: &'a str) -> &'a str {
        let told = resource.split(':').nth(4).filter(|account| AccountId::parse(account).is_some());
        let owner = self.owner.as_ref().map(AccountId::as_str);
        told.filter(|_| self.caller_named).or(owner).unwrap_or_default()
    }

    fn decide(&self, action: &str, resource: &str) -> Decided {
        let identity: Vec<_> = self.identity.iter().map(|one| Arc::clone(&one.document)).collect();
        let of_key = action.get(..4).is_some_and(|service| service.eq_ignore_ascii_case("kms:"));
        let policies = Policies {
            identity: &identity,
            boundary: self.boundary.as_ref().map(|one| &*one.document),
            service_control: &self.service_control,
            resource: self.resource.as_ref().map(|one| &*one.document),
            resource_rule: match &self.resource {
                Some(_) if of_key => ResourceRule::RootOfTrust,
                _ => ResourceRule::Union,
            },
            ..Policies::default()
        };
        let resource_account = self.owner_of(resource);
        let request = Request {
            principal: &self.principal,
            action,
            resource,
            resource_account,
            context: &self.context,
        };
        let explanation = explain(&policies, &request);
        let verdict = match explanation.decision {
            Decision::Allow(_) => PolicyEvaluationDecisionType::Allowed,
            Decision::Deny(denial) if denial.is_explicit() => {
                PolicyEvaluationDecisionType::ExplicitDeny
            }
            Decision::Deny(_) => PolicyEvaluationDecisionType::ImplicitDeny,
        };
        let own = self.principal.account().unwrap_or_default();
        let abroad = !resource_account.is_empty() && resource_account != own;
        Decided { explanation, verdict, abroad }
    }

    /// The decision on an action: on several resources, the most restrictive one.
    fn result(&self, decided: &[Decided], resource: &str) -> EvaluationResult {
        let action = decided.first().map(|one| one.explanation.action.clone());
        EvaluationResult {
            eval_action_name: action.unwrap_or_default(),
            eval_resource_name: Some(resource.to_owned()),
            eval_decision: strictest(decided.iter().map(|one| one.verdict)),
            matched_statements: Some(self.matched(decided)),
            missing_context_values: Some(missing(decided)),
            organizations_decision_detail: self.organizations(decided),
            permissions_boundary_decision_detail: self.limit(decided),
            eval_decision_details: details(decided),
            resource_specific_results: None,
        }
    }

    fn specific(&self, decided: &Decided) -> ResourceSpecificResult {
        let alone = std::slice::from_ref(decided);
        ResourceSpecificResult {
            eval_resource_name: decided.explanation.resource.clone(),
            eval_resource_decision: decided.verdict,
            matched_statements: Some(self.matched(alone)),
            missing_context_values: Some(missing(alone)),
            eval_decision_details: decided.abroad.then(|| details(alone)).flatten(),
            permissions_boundary_decision_detail: self.limit(alone),
        }
    }

    /// The statements that made the decisions, each once, with their places.
    fn matched(&self, decided: &[Decided]) -> Vec<Statement> {
        let mut found: Vec<(&Source, usize)> = Vec::new();
        for (source, index) in decided.iter().flat_map(|one| self.deciding(one)) {
            if !found.iter().any(|(one, at)| std::ptr::eq(*one, source) && *at == index) {
                found.push((source, index));
            }
        }
        found.into_iter().map(|(source, index)| source.statement(index)).collect()
    }

    /// The statements that made a decision. None makes an implicit denial, those of a boundary do
    /// not allow, and those of an organization are not told to its accounts.
    fn deciding(&self, decided: &Decided) -> Vec<(&Source, usize)> {
        let effect = match decided.verdict {
            PolicyEvaluationDecisionType::Allowed => Effect::Allow,
            PolicyEvaluationDecisionType::ExplicitDeny => Effect::Deny,
            PolicyEvaluationDecisionType::ImplicitDeny => return Vec::new(),
        };
        if !all_allow([decided], Kind::ServiceControl) {
            return Vec::new();
        }
        let mut found = Vec::new();
        for layer in &decided.explanation.layers {
            let sources: Vec<&Source> = match layer.kind {
                Kind::Identity => self.identity.iter().collect(),
                Kind::Resource => self.resource.iter().collect(),
                Kind::Boundary if effect == Effect::Deny => self.boundary.iter().collect(),
                _ => continue,
            };
            for (source, policy) in sources.into_iter().zip(&layer.policies) {
                let all = policy.statements.iter();
                let deciding = all.filter(|one| one.applies && one.effect == effect);
                found.extend(deciding.map(|statement| (source, statement.index)));
            }
        }
        found
    }

    /// What the policies of the organization say; nothing for an account in none.
    fn organizations<'a>(
        &self,
        decided: impl IntoIterator<Item = &'a Decided>,
    ) -> Option<OrganizationsDecisionDetail> {
        let allowed = all_allow(decided, Kind::ServiceControl);
        let detail = OrganizationsDecisionDetail { allowed_by_organizations: Some(allowed) };
        self.organized.then_some(detail)
    }

    fn limit<'a>(
        &self,
        decided: impl IntoIterator<Item = &'a Decided>,
    ) -> Option<PermissionsBoundaryDecisionDetail> {
        let allowed = all_allow(decided, Kind::Boundary);
        let detail =
            PermissionsBoundaryDecisionDetail { allowed_by_permissions_boundary: Some(allowed) };
        self.boundary.as_ref().map(|_| detail)
    }
}

/// The most restrictive of several decisions.
fn strictest(
    all: impl IntoIterator<Item = PolicyEvaluationDecisionType>,
) -> PolicyEvaluationDecisionType {
    let rank = |verdict: &PolicyEvaluationDecisionType| match verdict {
        PolicyEvaluationDecisionType::Allowed => 0,
        PolicyEvaluationDecisionType::ImplicitDeny => 1,
        PolicyEvaluationDecisionType::ExplicitDeny => 2,
    };
    all.into_iter().max_by_key(rank).unwrap_or(PolicyEvaluationDecisionType::ImplicitDeny)
}

/// What each type of policy says of requests across accounts, the most restrictive of all resources.
/// Empty within one account, and nothing for `*` there, or where an organization has denied.
fn details(decided: &[Decided]) -> Option<Details> {
    let everything = |one: &Decided| one.explanation.resource == "*" && !one.abroad;
    if decided.iter().all(everything) || !all_allow(decided, Kind::ServiceControl) {
        return None;
    }
    let mut told = Details::new();
    let abroad = decided.iter().filter(|one| one.abroad);
    for (name, says) in abroad.flat_map(|one| &one.explanation.layers).filter_map(side) {
        let known = told.get(name).copied();
        told.insert(name.to_owned(), strictest(known.into_iter().chain([says])));
    }
    Some(told)
}

fn side(layer: &LayerExplanation) -> Option<(&'static str, PolicyEvaluationDecisionType)> {
    let name = match layer.kind {
        Kind::Identity => "IAM Policy",
        Kind::Resource => "Resource Policy",
        Kind::Boundary => "Permissions Boundary Policy",
        _ => return None,
    };
    let says = match layer.says {
        Says::Denies => PolicyEvaluationDecisionType::ExplicitDeny,
        Says::Allows | Says::AllowsAccount => PolicyEvaluationDecisionType::Allowed,
        Says::Nothing => PolicyEvaluationDecisionType::ImplicitDeny,
    };
    Some((name, says))
}

fn all_allow<'a>(decided: impl IntoIterator<Item = &'a Decided>, kind: Kind) -> bool {
    let mut layers = decided.into_iter().flat_map(|one| &one.explanation.layers);
    layers.all(|layer| layer.kind != kind || layer.says == Says::Allows)
}

/// Condition keys that a statement asked for which concerned the request, and policy variables in
/// what it says of resources and conditions, that the request lacked.
fn missing<'a>(decided: impl IntoIterator<Item = &'a Decided>) -> Vec<String> {
    let mut keys: Vec<String> = decided
        .into_iter()
        .flat_map(|one| one.explanation.policies())
        .flat_map(|(_, policy)| &policy.statements)
        .flat_map(lacking)
        .collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

fn lacking(statement: &StatementExplanation) -> Vec<String> {
    let mut keys = Vec::new();
    // Without its variable, a resource is like nothing: whether it is the one asked for is open.
    let open = statement.resource.as_ref().filter(|element| element.taken_by.is_none());
    if let Some(element) = open.filter(|_| statement.action.matches) {
        keys.extend(unset(&element.entries, &element.variables));
    }
    if statement.concerns() {
        for condition in &statement.conditions {
            keys.extend(condition.seen.is_none().then(|| condition.key.clone()));
            if !condition.met {
                keys.extend(unset(&condition.wanted, &condition.variables));
            }
        }
    }
    keys
}

/// The policy variables in these texts that have no value, as they are written.
fn unset(texts: &[String], values: &BTreeMap<String, Option<Vec<String>>>) -> Vec<String> {
    let mut names = Vec::new();
    texts.iter().for_each(|text| variables_in(text, &mut names));
    names.retain(|name| matches!(values.get(&name.to_lowercase()), Some(None)));
    names
}
