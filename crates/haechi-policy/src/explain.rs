//! Why a request was decided as it was: every statement considered, and what matched.
//!
//! Uses the same tests as [`crate::evaluate`] but stops at nothing, so it is slow and complete.

use std::fmt;

use serde::Serialize;

use crate::condition::Condition;
use crate::evaluate::{evaluate, probe};
use crate::principal::Reach;
use crate::statement::{Probe, Statement};
use crate::{Decision, Document, Effect, Kind, Policies, Request, Values};

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
    /// Every policy that applied, in the order of evaluation.
    pub policies: Vec<PolicyExplanation>,
}

/// One policy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PolicyExplanation {
    /// The role in which it applied.
    pub kind: Kind,
    /// For service and resource control policies, the level, counted from the root at 0.
    pub level: Option<usize>,
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
    /// Whether `Principal` or `NotPrincipal` speaks of the principal.
    pub principal_matches: bool,
    /// Whether it does so only by naming the account, which delegates to the account's policies.
    pub delegates_to_account: bool,
    /// Whether `Action` or `NotAction` matches.
    pub action_matches: bool,
    /// The entry of `Action`, or of `NotAction`, that takes the action.
    pub action_entry: Option<String>,
    /// Whether `Resource` or `NotResource` matches.
    pub resource_matches: bool,
    /// The entry of `Resource`, or of `NotResource`, that takes the resource.
    pub resource_entry: Option<String>,
    /// Its conditions.
    pub conditions: Vec<ConditionExplanation>,
    /// Whether all of these match, so that the effect counts.
    pub applies: bool,
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
    /// The values that the request had; `None` if it had no such key.
    pub seen: Option<Vec<String>>,
    /// Whether the condition is met.
    pub met: bool,
}

/// Decides a request and explains the decision.
#[must_use]
pub fn explain(policies: &Policies<'_>, request: &Request<'_>) -> Explanation {
    let probe = probe(policies, request);
    let mut explained = Vec::new();
    let mut add = |document: &Document, kind: Kind, level: Option<usize>| {
        explained.push(policy(document, kind, level, &probe));
    };
    for (kind, levels) in [
        (Kind::ResourceControl, policies.resource_control),
        (Kind::ServiceControl, policies.service_control),
    ] {
        for (level, documents) in levels.iter().enumerate() {
            documents.iter().for_each(|document| add(document, kind, Some(level)));
        }
    }
    if let Some(document) = policies.resource {
        add(document, document.kind, None);
    }
    policies.identity.iter().for_each(|document| add(document, Kind::Identity, None));
    if let Some(document) = policies.boundary {
        add(document, Kind::Boundary, None);
    }
    for document in policies.session.unwrap_or_default() {
        add(document, Kind::Session, None);
    }
    Explanation {
        principal: request.principal.name().to_owned(),
        action: request.action.to_owned(),
        resource: request.resource.to_owned(),
        decision: evaluate(policies, request),
        policies: explained,
    }
}

fn policy(
    document: &Document,
    kind: Kind,
    level: Option<usize>,
    probe: &Probe<'_>,
) -> PolicyExplanation {
    let statements = document.statements.iter().enumerate();
    PolicyExplanation {
        kind,
        level,
        name: document.name().map(ToOwned::to_owned),
        statements: statements.map(|(index, one)| statement(index, one, probe)).collect(),
    }
}

fn statement(index: usize, statement: &Statement, probe: &Probe<'_>) -> StatementExplanation {
    let reach = statement.principal_reach(probe);
    let conditions = statement.conditions.iter().map(|one| condition(one, probe)).collect();
    StatementExplanation {
        index,
        sid: statement.sid.as_deref().map(ToOwned::to_owned),
        effect: statement.effect,
        principal_matches: reach > Reach::None,
        delegates_to_account: reach == Reach::Account,
        action_matches: statement.action_matches(probe),
        action_entry: statement.action_entry(probe).map(ToOwned::to_owned),
        resource_matches: statement.resource_matches(probe),
        resource_entry: statement.resource_entry(probe).map(ToOwned::to_owned),
        conditions,
        applies: statement.reach(probe) > Reach::None,
    }
}

fn condition(condition: &Condition, probe: &Probe<'_>) -> ConditionExplanation {
    let context = probe.request.context;
    let texts = |values: Values<'_>| values.iter().map(ToOwned::to_owned).collect();
    ConditionExplanation {
        operator: condition.operator_name.to_string(),
        key: condition.key_name.to_string(),
        wanted: condition.wanted.iter().map(ToString::to_string).collect(),
        seen: condition.seen(context).map(texts),
        met: condition.met(context),
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.decision {
            Decision::Allow(by) => format!("allowed by {by:?}"),
            Decision::Deny(denial) => format!("denied, {}", denial.reason(&self.action)),
        };
        writeln!(formatter, "{} {} on {}: {verdict}", self.principal, self.action, self.resource)?;
        self.policies.iter().try_for_each(|policy| write!(formatter, "{policy}"))
    }
}

impl fmt::Display for PolicyExplanation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "  {:?} policy", self.kind)?;
        if let Some(level) = self.level {
            write!(formatter, " at level {level}")?;
        }
        if let Some(name) = &self.name {
            write!(formatter, " {name}")?;
        }
        writeln!(formatter)?;
        self.statements.iter().try_for_each(|statement| write!(formatter, "{statement}"))
    }
}

impl fmt::Display for StatementExplanation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sid = self.sid.as_deref().unwrap_or("-");
        write!(formatter, "    [{}] {sid} {:?}: ", self.index, self.effect)?;
        if self.applies {
            formatter.write_str("applies")?;
            if self.delegates_to_account {
                formatter.write_str(", delegating to the account")?;
            }
            return writeln!(formatter);
        }
        let unmet = self.conditions.iter().any(|condition| !condition.met);
        let failed = [
            (!self.principal_matches, "principal"),
            (!self.action_matches, "action"),
            (!self.resource_matches, "resource"),
            (unmet, "condition"),
        ];
        let failed: Vec<_> =
            failed.iter().filter(|(fails, _)| *fails).map(|(_, what)| *what).collect();
        writeln!(formatter, "does not apply: no match of {}", failed.join(", "))?;
        for condition in self.conditions.iter().filter(|condition| !condition.met) {
            write!(formatter, "        {condition}")?;
        }
        Ok(())
    }
}

impl fmt::Display for ConditionExplanation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operator, key, wanted, seen, .. } = self;
        write!(formatter, "{operator} {key} wants {wanted:?}, ")?;
        match seen {
            Some(values) => writeln!(formatter, "saw {values:?}"),
            None => writeln!(formatter, "and the request has no such key"),
        }
    }
}
