//! What looks like a mistake in a request or in the policies about it.

use crate::reference::{self, ActionReference};
use crate::{Effect, Request};

use super::{LayerExplanation, PolicyExplanation, StatementExplanation};

/// Sentences for people; none where AWS's tables do not know the service.
pub(super) fn hints(request: &Request<'_>, layers: &[LayerExplanation]) -> Vec<String> {
    let service = request.action.split_once(':').map_or("", |(service, _)| service);
    if !reference::has_service(service) {
        return Vec::new();
    }
    let Some(action) = reference::action(request.action) else {
        return vec![format!("{service} has no action {}", request.action)];
    };
    let mut hints: Vec<String> = of_resource(action, request.resource).into_iter().collect();
    for policy in layers.iter().flat_map(|layer| &layer.policies) {
        for statement in policy.statements.iter().filter(|one| one.action.matches) {
            of_statement(action, policy, statement, &mut hints);
        }
    }
    hints
}

fn of_resource(action: &ActionReference, resource: &str) -> Option<String> {
    let name = &action.name;
    if resource == "*" {
        return None;
    }
    if !action.takes_resources() {
        return Some(format!("{name} takes no resources: it is decided on *"));
    }
    if action.resource_type(resource).is_some() {
        return None;
    }
    let forms: Vec<&str> = action.resource_types.iter().map(|one| one.arn).collect();
    Some(format!("{name} is not done on such a resource, but on {}", forms.join(" or ")))
}

fn of_statement(
    action: &ActionReference,
    policy: &PolicyExplanation,
    statement: &StatementExplanation,
    hints: &mut Vec<String>,
) {
    let name = &action.name;
    let place = format!(
        "{} [{}]",
        policy.name.as_deref().unwrap_or("the policy"),
        statement.sid.clone().unwrap_or_else(|| statement.index.to_string())
    );
    for condition in statement.conditions.iter().filter(|one| one.seen.is_none()) {
        if !action.has_condition_key(&condition.key) {
            let key = &condition.key;
            hints.push(format!("{place}: {name} does not have the condition key {key}"));
        }
    }
    // A Deny that names resources may be meant for other actions of the statement.
    let unmet = statement.resource.as_ref().is_some_and(|resource| !resource.matches);
    if unmet && !action.takes_resources() && statement.effect == Effect::Allow {
        hints.push(format!(
            "{place}: {name} takes no resources, only \"Resource\": \"*\" allows it"
        ));
    }
}
