//! Why a request was decided as it was: every policy in the order of evaluation, every statement,
//! and of each what matched and what did not.
//!
//! Uses the same tests as [`crate::evaluate`] but stops at nothing, so it is slow and complete; the
//! path of requests does not pass here.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::condition::Condition;
use crate::evaluate::{Granted, evaluate, evaluate_granted, probe};
use crate::pattern::variable_names;
use crate::principal::Reach;
use crate::statement::{Probe, Statement};
use crate::{
    Context, Decision, Document, Effect, Kind, Policies, Principal, Request, ResourceRule, Values,
};

mod hints;
mod tree;

/// A decision and the way to it. Its text (`to_string`) is a tree for people.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// Who asked, as [`crate::Principal::name`].
    pub principal: String,
    /// The action asked for.
    pub action: String,
    /// The resource asked for.
    pub resource: String,
    /// The decision, the same as [`crate::evaluate`] makes.
    pub decision: Decision,
    /// The decision in words: in AWS's, if it is a denial.
    pub reason: String,
    /// Every layer of policies that applied, in the order of evaluation.
    pub layers: Vec<LayerExplanation>,
    /// What grants of the resource give; `None` for nothing.
    pub granted: Option<Granted>,
    /// What looks like a mistake, judged by AWS's tables of actions ([`crate::reference`]).
    pub hints: Vec<String>,
}

/// Policies that are asked together, of which one must allow and none may deny.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerExplanation {
    /// Their kind.
    pub kind: Kind,
    /// For service and resource control policies, the level, counted from the root at 0.
    pub level: Option<usize>,
    /// For these, how many levels there are; the last one is the account.
    pub levels: Option<usize>,
    /// What they say together.
    pub says: Says,
    /// The policies; none where a layer that must allow has none.
    pub policies: Vec<PolicyExplanation>,
}

/// What a layer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Says {
    /// A statement denies.
    Denies,
    /// A statement allows, and none denies.
    Allows,
    /// As `Allows`, but for naming the account: its own policies must allow as well.
    AllowsAccount,
    /// No statement applies.
    Nothing,
}

/// One policy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PolicyExplanation {
    /// Its name, if it was given one.
    pub name: Option<String>,
    /// Its statements, in order.
    pub statements: Vec<StatementExplanation>,
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StatementExplanation {
    /// Its position in the policy, counted from 0.
    pub index: usize,
    /// Its `Sid`.
    pub sid: Option<String>,
    /// Its effect.
    pub effect: Effect,
    /// `Principal` or `NotPrincipal`, in policies that have it.
    pub principal: Option<ElementExplanation>,
    /// `Action` or `NotAction`.
    pub action: ElementExplanation,
    /// `Resource` or `NotResource`; a statement without is about what it is attached to.
    pub resource: Option<ElementExplanation>,
    /// Its conditions.
    pub conditions: Vec<ConditionExplanation>,
    /// Whether it speaks for the principal only by naming the account, which delegates to the
    /// account's policies.
    pub delegates_to_account: bool,
    /// Whether all of these match, so that the effect counts.
    pub applies: bool,
}

/// One element that lists what it is about.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ElementExplanation {
    /// `Action`, `NotAction`, …
    pub element: &'static str,
    /// Its entries as written.
    pub entries: Vec<String>,
    /// The entry that takes what was asked for.
    pub taken_by: Option<String>,
    /// The values of policy variables in it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, Option<Vec<String>>>,
    /// Whether the element matches: it lists what was asked for, or its `Not` form does not.
    pub matches: bool,
}

/// One condition.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConditionExplanation {
    /// The operator as written.
    pub operator: String,
    /// The key as written.
    pub key: String,
    /// The values that the policy wants.
    pub wanted: Vec<String>,
    /// The values of policy variables in them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, Option<Vec<String>>>,
    /// The values that the request had; `None` if it had no such key.
    pub seen: Option<Vec<String>>,
    /// Whether the condition is met.
    pub met: bool,
}

/// Decides a request and explains the decision.
#[must_use]
pub fn explain(policies: &Policies<'_>, request: &Request<'_>) -> Explanation {
    explain_granted(policies, request, None)
}

/// As [`explain`], of a resource whose grants give the principal something.
#[must_use]
pub fn explain_granted(
    policies: &Policies<'_>,
    request: &Request<'_>,
    granted: Option<Granted>,
) -> Explanation {
    let probe = probe(policies, request);
    let decision = match (evaluate(policies, request), granted) {
        (Decision::Deny(denial), Some(granted)) if denial.is_grantable() => {
            evaluate_granted(policies, request, granted)
        }
        (decision, _) => decision,
    };
    let layers = layers(policies, &probe);
    Explanation {
        principal: request.principal.name().to_owned(),
        action: request.action.to_owned(),
        resource: request.resource.to_owned(),
        decision,
        reason: tree::reason(decision, request.action),
        hints: hints::hints(request, &layers),
        layers,
        granted,
    }
}

impl Explanation {
    /// Every policy with the layer that it is in, in the order of evaluation.
    pub fn policies(&self) -> impl Iterator<Item = (&LayerExplanation, &PolicyExplanation)> {
        self.layers.iter().flat_map(|layer| layer.policies.iter().map(move |one| (layer, one)))
    }
}

impl StatementExplanation {
    /// Whether it is about the action on the resource, whoever asks and under whatever conditions.
    #[must_use]
    pub fn concerns(&self) -> bool {
        self.action.matches && self.resource.as_ref().is_none_or(|resource| resource.matches)
    }
}

fn layers(policies: &Policies<'_>, probe: &Probe<'_>) -> Vec<LayerExplanation> {
    let mut layers = Vec::new();
    for (kind, levels) in [
        (Kind::ResourceControl, policies.resource_control),
        (Kind::ServiceControl, policies.service_control),
    ] {
        for (level, documents) in levels.iter().enumerate() {
            let layer = layer(kind, documents.iter().map(Arc::as_ref), probe);
            layers.push(LayerExplanation {
                level: Some(level),
                levels: Some(levels.len()),
                ..layer
            });
        }
    }
    let principal = probe.request.principal;
    let abroad = principal.account().is_some_and(|own| {
        !probe.request.resource_account.is_empty() && probe.request.resource_account != own
    });
    let needs_resource = abroad || policies.resource_rule == ResourceRule::RootOfTrust;
    if policies.resource.is_some() || needs_resource || principal.account().is_none() {
        let kind = policies.resource.map_or(Kind::Resource, |document| document.kind);
        layers.push(layer(kind, policies.resource, probe));
    }
    let root = matches!(principal, Principal::Root { .. });
    if principal.account().is_some() && !(root && policies.identity.is_empty()) {
        layers.push(layer(Kind::Identity, policies.identity.iter().map(Arc::as_ref), probe));
    }
    if let Some(document) = policies.boundary {
        layers.push(layer(Kind::Boundary, [document], probe));
    }
    // A federated user has no permissions but those of its session policies.
    let federated = matches!(principal, Principal::FederatedUser { .. });
    if policies.session.is_some() || federated {
        let documents = policies.session.unwrap_or_default();
        layers.push(layer(Kind::Session, documents.iter().map(Arc::as_ref), probe));
    }
    layers
}

fn layer<'a>(
    kind: Kind,
    documents: impl IntoIterator<Item = &'a Document>,
    probe: &Probe<'_>,
) -> LayerExplanation {
    let policies: Vec<PolicyExplanation> =
        documents.into_iter().map(|document| policy(document, probe)).collect();
    let applying = || {
        let statements = policies.iter().flat_map(|policy| &policy.statements);
        statements.filter(|statement| statement.applies)
    };
    let says = if applying().any(|statement| statement.effect == Effect::Deny) {
        Says::Denies
    } else if applying().any(|statement| !statement.delegates_to_account) {
        Says::Allows
    } else if applying().next().is_some() {
        Says::AllowsAccount
    } else {
        Says::Nothing
    };
    LayerExplanation { kind, level: None, levels: None, says, policies }
}

fn policy(document: &Document, probe: &Probe<'_>) -> PolicyExplanation {
    let statements = document.statements.iter().enumerate();
    PolicyExplanation {
        name: document.name().map(ToOwned::to_owned),
        statements: statements.map(|(index, one)| statement(index, one, probe)).collect(),
    }
}

fn statement(index: usize, statement: &Statement, probe: &Probe<'_>) -> StatementExplanation {
    let reach = statement.principal_reach(probe);
    let context = probe.request.context;
    let element = |(negated, names): (bool, [&'static str; 2]),
                   entries: Vec<String>,
                   taken_by: Option<String>,
                   matches: bool| {
        let [plain, not] = names;
        let variables = variables(&entries, context);
        let element = if negated { not } else { plain };
        ElementExplanation { element, entries, taken_by, variables, matches }
    };
    let principal = statement.principals.named().map(|(negated, patterns)| {
        let principal = probe.request.principal;
        let taken = patterns.iter().find(|pattern| pattern.reach(principal) > Reach::None);
        element(
            (negated, ["Principal", "NotPrincipal"]),
            patterns.iter().map(ToString::to_string).collect(),
            taken.map(ToString::to_string),
            reach > Reach::None,
        )
    });
    let actions = &statement.actions;
    let action = element(
        (actions.negated, ["Action", "NotAction"]),
        actions.patterns.iter().map(|one| one.source().to_owned()).collect(),
        statement.action_entry(probe).map(ToOwned::to_owned),
        statement.action_matches(probe),
    );
    let resource = statement.resources.as_ref().map(|resources| {
        element(
            (resources.negated, ["Resource", "NotResource"]),
            resources.patterns.iter().map(|one| one.source().to_owned()).collect(),
            statement.resource_entry(probe).map(ToOwned::to_owned),
            statement.resource_matches(probe),
        )
    });
    StatementExplanation {
        index,
        sid: statement.sid.as_deref().map(ToOwned::to_owned),
        effect: statement.effect,
        principal,
        action,
        resource,
        conditions: statement.conditions.iter().map(|one| condition(one, context)).collect(),
        delegates_to_account: reach == Reach::Account,
        applies: statement.reach(probe) > Reach::None,
    }
}

fn texts(values: &Values<'_>) -> Vec<String> {
    values.iter().map(ToOwned::to_owned).collect()
}

fn variables(entries: &[String], context: &dyn Context) -> BTreeMap<String, Option<Vec<String>>> {
    let names = entries.iter().flat_map(|entry| variable_names(entry));
    names.map(|name| (name.clone(), context.values(&name).as_ref().map(texts))).collect()
}

fn condition(condition: &Condition, context: &dyn Context) -> ConditionExplanation {
    let wanted: Vec<String> = condition.wanted.iter().map(ToString::to_string).collect();
    ConditionExplanation {
        operator: condition.operator_name.to_string(),
        key: condition.key_name.to_string(),
        variables: variables(&wanted, context),
        wanted,
        seen: condition.seen(context).as_ref().map(texts),
        met: condition.met(context),
    }
}
