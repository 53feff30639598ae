//! Simulation: what policies would decide, without doing anything. The decision is the same one
//! that calls get ([`haechi_policy::explain`]).

use std::sync::Arc;

use haechi_iam_model::Error;
use haechi_iam_model::shapes::{
    ContextEntry, EvaluationResult, PermissionsBoundaryDecisionDetail,
    PolicyEvaluationDecisionType, Statement,
};
use haechi_policy::{
    ContextMap, Decision, Document, Explanation, Kind, Policies, Principal, Request, ResourceRule,
    Says, explain,
};

use crate::policy::parse;

/// What is simulated.
pub(crate) struct Simulation {
    pub(crate) principal: Principal,
    pub(crate) identity: Vec<Arc<Document>>,
    pub(crate) boundary: Option<Arc<Document>>,
    pub(crate) resource: Option<Document>,
    pub(crate) resource_account: String,
    pub(crate) context: ContextMap,
}

/// Policies as a request gives them, compiled.
pub(crate) fn compiled(
    texts: &[String],
    kind: Kind,
    name: &str,
) -> Result<Vec<Arc<Document>>, Error> {
    let numbered = texts.iter().zip(1..);
    let one = |(text, number): (&String, u32)| {
        Ok(Arc::new(parse(text, kind)?.named(format!("{name}.{number}"))))
    };
    numbered.map(one).collect()
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

/// A user or role by its ARN, as policies see it.
pub(crate) fn principal(arn: &str, unique_id: &str) -> Principal {
    let account = arn.split(':').nth(4).unwrap_or_default().to_owned();
    let name = arn.rsplit('/').next().unwrap_or_default();
    if arn.contains(":role/") {
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

impl Simulation {
    /// The decision on every action and resource.
    pub(crate) fn run(&self, actions: &[String], resources: &[String]) -> Vec<EvaluationResult> {
        let pairs = actions.iter().flat_map(|action| resources.iter().map(move |on| (action, on)));
        pairs.map(|(action, resource)| self.decide(action, resource)).collect()
    }

    fn decide(&self, action: &str, resource: &str) -> EvaluationResult {
        let policies = Policies {
            identity: &self.identity,
            boundary: self.boundary.as_deref(),
            resource: self.resource.as_ref(),
            resource_rule: ResourceRule::Union,
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
        let eval_decision = match explanation.decision {
            Decision::Allow(_) => PolicyEvaluationDecisionType::Allowed,
            Decision::Deny(denial) if denial.is_explicit() => {
                PolicyEvaluationDecisionType::ExplicitDeny
            }
            Decision::Deny(_) => PolicyEvaluationDecisionType::ImplicitDeny,
        };
        EvaluationResult {
            eval_action_name: action.to_owned(),
            eval_resource_name: Some(resource.to_owned()),
            eval_decision,
            matched_statements: Some(matched(&explanation)),
            missing_context_values: Some(missing(&explanation)),
            permissions_boundary_decision_detail: self.boundary.as_ref().map(|_| {
                PermissionsBoundaryDecisionDetail {
                    allowed_by_permissions_boundary: Some(allowed_by_boundary(&explanation)),
                }
            }),
            ..EvaluationResult::default()
        }
    }
}

/// The policies of the statements that applied.
fn matched(explanation: &Explanation) -> Vec<Statement> {
    let mut found = Vec::new();
    for (_, policy) in explanation.policies() {
        for _ in policy.statements.iter().filter(|statement| statement.applies) {
            found.push(Statement { source_policy_id: policy.name.clone(), ..Statement::default() });
        }
    }
    found
}

/// Condition keys that a statement asked for which concerned the request, and that it lacked.
fn missing(explanation: &Explanation) -> Vec<String> {
    let mut keys: Vec<String> = explanation
        .policies()
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

fn allowed_by_boundary(explanation: &Explanation) -> bool {
    let boundary = explanation.layers.iter().find(|layer| layer.kind == Kind::Boundary);
    boundary.is_some_and(|layer| layer.says == Says::Allows)
}
