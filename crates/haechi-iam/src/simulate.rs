//! Simulation: what policies would decide, without doing anything. The decision is the same one
//! that calls get ([`haechi_policy::explain`]).

mod source;

use std::collections::BTreeMap;
use std::sync::Arc;

use haechi_core::Cx;
use haechi_core::guardrails::Levels;
use haechi_iam_model::Error;
use haechi_iam_model::shapes::{
    ContextEntry, EvaluationResult, OrderedOrganizationPolicyType, OrganizationsDecisionDetail,
    PermissionsBoundaryDecisionDetail, PolicyEvaluationDecisionType, ResourceSpecificResult,
    SimulatePolicyResponse, Statement,
};
use haechi_policy::reference::{self, ActionReference};
use haechi_policy::{
    ContextMap, Decision, Explanation, Kind, LayerExplanation, Policies, Principal, Request,
    ResourceRule, Says, explain,
};

use crate::listing::page;

pub(crate) use source::{Excluded, Source};

/// What `ResourceHandlingOption` may say (API reference). Only EC2's `RunInstances` differs by it.
const HANDLING_OPTIONS: [&str; 6] = [
    "EC2-VPC-InstanceStore",
    "EC2-VPC-InstanceStore-Subnet",
    "EC2-VPC-EBS",
    "EC2-VPC-EBS-Subnet",
    "EC2-Classic-InstanceStore",
    "EC2-Classic-EBS",
];

/// What is simulated.
pub(crate) struct Simulation {
    pub(crate) principal: Principal,
    pub(crate) identity: Vec<Source>,
    pub(crate) boundary: Option<Source>,
    pub(crate) resource: Option<Source>,
    /// Whether policies of an organization bind the principal, and are to be told of.
    pub(crate) organized: bool,
    pub(crate) service_control: Levels,
    pub(crate) resource_account: String,
    pub(crate) context: ContextMap,
}

/// The decision about one action on one resource.
struct Decided {
    explanation: Explanation,
    verdict: PolicyEvaluationDecisionType,
}

/// The condition keys that a request gives.
pub(crate) fn context(entries: &[ContextEntry]) -> ContextMap {
    let mut map = ContextMap::new();
    for entry in entries {
        if let Some(key) = &entry.context_key_name {
            map.insert(key, entry.context_key_values.clone().unwrap_or_default());
        }
    }
    map
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

/// Refuses a scenario of EC2 that there is none of.
pub(crate) fn check_handling(option: Option<&str>) -> Result<(), Error> {
    match option {
        Some(option) if !HANDLING_OPTIONS.contains(&option) => {
            let message = format!("Invalid resource handling option: {option}");
            Err(Error::InvalidInputException(message))
        }
        _ => Ok(()),
    }
}

/// Who calls: `CallerArn`, else the source. A policy of a resource names principals, so it needs one.
pub(crate) fn caller(
    given: Option<String>,
    source: Option<String>,
    resource_policy: bool,
) -> Result<Option<String>, Error> {
    let own = source.filter(|arn| !resource_policy || is_kind(arn, "user/"));
    match given.or(own) {
        None if resource_policy => {
            let message = "CallerArn is required if a ResourcePolicy is given.";
            Err(Error::InvalidInputException(message.to_owned()))
        }
        caller => Ok(caller),
    }
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
                None => self.result(&self.decide(action, "*"), "*"),
                Some([resource]) => {
                    let decided = self.decide(action, resource);
                    let specific = Some(vec![self.specific(&decided, resource)]);
                    let whole = self.result(&decided, resource);
                    EvaluationResult { resource_specific_results: specific, ..whole }
                }
                Some(resources) => self.summary(action, known, resources),
            }
        };
        actions.iter().map(result).collect()
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
        let request = Request {
            principal: &self.principal,
            action,
            resource,
            resource_account: &self.resource_account,
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
        Decided { explanation, verdict }
    }

    fn result(&self, decided: &Decided, resource: &str) -> EvaluationResult {
        EvaluationResult {
            eval_action_name: decided.explanation.action.clone(),
            eval_resource_name: Some(resource.to_owned()),
            eval_decision: decided.verdict,
            matched_statements: Some(self.matched(&decided.explanation)),
            missing_context_values: Some(missing([decided])),
            organizations_decision_detail: self.organizations([decided]),
            permissions_boundary_decision_detail: self.limit([decided]),
            eval_decision_details: self.sides(decided),
            resource_specific_results: None,
        }
    }

    fn specific(&self, decided: &Decided, resource: &str) -> ResourceSpecificResult {
        ResourceSpecificResult {
            eval_resource_name: resource.to_owned(),
            eval_resource_decision: decided.verdict,
            matched_statements: Some(self.matched(&decided.explanation)),
            missing_context_values: Some(missing([decided])),
            eval_decision_details: self.sides(decided),
            permissions_boundary_decision_detail: self.limit([decided]),
        }
    }

    /// One action on several resources: denied explicitly if it is on any, allowed if it is on any.
    fn summary(
        &self,
        action: &str,
        known: Option<&ActionReference>,
        resources: &[String],
    ) -> EvaluationResult {
        let decided: Vec<_> = resources.iter().map(|one| (one, self.decide(action, one))).collect();
        let all = || decided.iter().map(|(_, decided)| decided);
        let any = |verdict| all().any(|decided| decided.verdict == verdict);
        let eval_decision = if any(PolicyEvaluationDecisionType::ExplicitDeny) {
            PolicyEvaluationDecisionType::ExplicitDeny
        } else if any(PolicyEvaluationDecisionType::Allowed) {
            PolicyEvaluationDecisionType::Allowed
        } else {
            PolicyEvaluationDecisionType::ImplicitDeny
        };
        let form = known.and_then(|known| known.resource_types.first()).map_or("*", |one| one.arn);
        let specific = decided.iter().map(|(resource, one)| self.specific(one, resource));
        EvaluationResult {
            eval_action_name: action.to_owned(),
            eval_resource_name: Some(form.to_owned()),
            eval_decision,
            matched_statements: Some(Vec::new()),
            missing_context_values: Some(missing(all())),
            organizations_decision_detail: self.organizations(all()),
            permissions_boundary_decision_detail: self.limit(all()),
            eval_decision_details: None,
            resource_specific_results: Some(specific.collect()),
        }
    }

    /// The statements that applied, with their places.
    fn matched(&self, explanation: &Explanation) -> Vec<Statement> {
        let mut found = Vec::new();
        for layer in &explanation.layers {
            let sources: Vec<&Source> = match layer.kind {
                Kind::Identity => self.identity.iter().collect(),
                Kind::Resource => self.resource.iter().collect(),
                Kind::Boundary => self.boundary.iter().collect(),
                _ => continue,
            };
            for (source, policy) in sources.iter().zip(&layer.policies) {
                let applying = policy.statements.iter().filter(|statement| statement.applies);
                found.extend(applying.map(|statement| source.statement(statement.index)));
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

    /// What each side says of a request across accounts.
    fn sides(&self, decided: &Decided) -> Option<BTreeMap<String, PolicyEvaluationDecisionType>> {
        let own = self.principal.account().unwrap_or_default();
        if self.resource_account.is_empty() || self.resource_account == own {
            return None;
        }
        let side = |layer: &LayerExplanation| {
            let name = match layer.kind {
                Kind::Identity => "IAM Policy",
                Kind::Resource => "Resource Policy",
                _ => return None,
            };
            let says = match layer.says {
                Says::Denies => PolicyEvaluationDecisionType::ExplicitDeny,
                Says::Allows | Says::AllowsAccount => PolicyEvaluationDecisionType::Allowed,
                Says::Nothing => PolicyEvaluationDecisionType::ImplicitDeny,
            };
            Some((name.to_owned(), says))
        };
        Some(decided.explanation.layers.iter().filter_map(side).collect())
    }
}

fn all_allow<'a>(decided: impl IntoIterator<Item = &'a Decided>, kind: Kind) -> bool {
    let mut layers = decided.into_iter().flat_map(|one| &one.explanation.layers);
    layers.all(|layer| layer.kind != kind || layer.says == Says::Allows)
}

/// Condition keys that a statement asked for which concerned the request, and that it lacked.
fn missing<'a>(decided: impl IntoIterator<Item = &'a Decided>) -> Vec<String> {
    let mut keys: Vec<String> = decided
        .into_iter()
        .flat_map(|one| one.explanation.policies())
        .flat_map(|(_, policy)| &policy.statements)
        .filter(|statement| statement.concerns())
        .flat_map(|statement| &statement.conditions)
        .filter(|condition| condition.seen.is_none())
        .map(|condition| condition.key.clone())
        .collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}
