//! An explanation as a tree for people.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use crate::{Allowed, Decision, Granted, Kind};

use super::{
    ConditionExplanation, ElementExplanation, Explanation, LayerExplanation, PolicyExplanation,
    Says, StatementExplanation,
};

/// Entries of an element that are shown; the JSON form has them all.
const ENTRIES_MAX: usize = 5;

/// A decision in words.
pub(super) fn reason(decision: Decision, action: &str) -> String {
    match decision {
        Decision::Deny(denial) => denial.reason(action),
        Decision::Allow(Allowed::Root) => "as the root user of the account".to_owned(),
        Decision::Allow(Allowed::Identity) => "by an identity-based policy".to_owned(),
        Decision::Allow(Allowed::Resource) => "by the resource-based policy".to_owned(),
        Decision::Allow(Allowed::IdentityAndResource) => {
            "by the resource-based policy and an identity-based policy".to_owned()
        }
        Decision::Allow(Allowed::Grant) => "by a grant".to_owned(),
    }
}

impl Display for Explanation {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Self { principal, action, resource, reason, .. } = self;
        let verdict = if self.decision.is_allowed() { "ALLOWED" } else { "DENIED" };
        writeln!(formatter, "{verdict} {reason}")?;
        writeln!(formatter, "  principal  {principal}")?;
        writeln!(formatter, "  action     {action}")?;
        writeln!(formatter, "  resource   {resource}\n")?;
        self.layers.iter().try_for_each(|layer| write!(formatter, "{layer}"))?;
        match self.granted {
            None => {}
            Some(Granted::Principal) => writeln!(formatter, "Grants: one allows the principal")?,
            Some(Granted::Account) => {
                writeln!(formatter, "Grants: one allows the principal's account")?;
            }
        }
        if !self.hints.is_empty() {
            writeln!(formatter, "\nHints:")?;
        }
        self.hints.iter().try_for_each(|hint| writeln!(formatter, "  {hint}"))
    }
}

impl LayerExplanation {
    fn title(&self) -> String {
        let name = match self.kind {
            Kind::Identity => "Identity-based policies",
            Kind::Resource => "Resource-based policy",
            Kind::Trust => "Role trust policy",
            Kind::Boundary => "Permissions boundary",
            Kind::Session => "Session policies",
            Kind::ServiceControl => "Service control policies",
            Kind::ResourceControl => "Resource control policies",
        };
        match (self.level, self.levels) {
            (Some(0), _) => format!("{name} of the root"),
            (Some(level), Some(levels)) if level + 1 == levels => {
                format!("{name} of the account")
            }
            (Some(level), _) => format!("{name} of unit {level} below the root"),
            (None, _) => name.to_owned(),
        }
    }
}

impl Display for LayerExplanation {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let single = matches!(self.kind, Kind::Resource | Kind::Trust | Kind::Boundary);
        let says = match (self.says, single) {
            (Says::Denies, true) => "DENIES",
            (Says::Denies, false) => "DENY",
            (Says::Allows, true) => "allows",
            (Says::Allows, false) => "allow",
            (Says::AllowsAccount, true) => "leaves it to the account's policies",
            (Says::AllowsAccount, false) => "leave it to the account's policies",
            (Says::Nothing, _) if self.policies.is_empty() => "there is none: not allowed",
            (Says::Nothing, true) => "does not allow",
            (Says::Nothing, false) => "do not allow",
        };
        writeln!(formatter, "{}: {says}", self.title())?;
        self.policies.iter().try_for_each(|policy| write!(formatter, "{policy}"))
    }
}

impl Display for PolicyExplanation {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            writeln!(formatter, "  {name}")?;
        }
        self.statements.iter().try_for_each(|statement| write!(formatter, "{statement}"))
    }
}

impl Display for StatementExplanation {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Self { index, effect, .. } = self;
        write!(formatter, "    [{index}] ")?;
        if let Some(sid) = &self.sid {
            write!(formatter, "{sid} ")?;
        }
        let outcome = match (self.applies, self.delegates_to_account) {
            (true, true) => "applies to the account",
            (true, false) => "applies",
            (false, _) => "does not apply",
        };
        writeln!(formatter, "{effect:?}: {outcome}")?;
        let elements = [self.principal.as_ref(), Some(&self.action), self.resource.as_ref()];
        elements.into_iter().flatten().try_for_each(|element| write!(formatter, "{element}"))?;
        self.conditions.iter().try_for_each(|condition| write!(formatter, "{condition}"))
    }
}

const fn mark(matches: bool) -> &'static str {
    if matches { "+" } else { "-" }
}

/// `${aws:username} is alice`, for each variable.
fn write_variables(
    formatter: &mut Formatter<'_>,
    variables: &BTreeMap<String, Option<Vec<String>>>,
) -> fmt::Result {
    variables.iter().try_for_each(|(name, values)| match values {
        Some(values) => write!(formatter, " (${{{name}}} is {})", values.join(", ")),
        None => write!(formatter, " (${{{name}}} has no value)"),
    })
}

impl Display for ElementExplanation {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Self { element, entries, taken_by, variables, matches } = self;
        write!(formatter, "        {} {element} ", mark(*matches))?;
        match taken_by {
            Some(entry) => formatter.write_str(entry)?,
            None => {
                let shown: Vec<&str> =
                    entries.iter().take(ENTRIES_MAX).map(String::as_str).collect();
                formatter.write_str(&shown.join(", "))?;
                if let Some(more @ 1..) = entries.len().checked_sub(ENTRIES_MAX) {
                    write!(formatter, " and {more} more")?;
                }
            }
        }
        write_variables(formatter, variables)?;
        writeln!(formatter)
    }
}

impl Display for ConditionExplanation {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Self { operator, key, wanted, variables, seen, met } = self;
        let wanted = wanted.join(", ");
        write!(formatter, "        {} {operator} {key}: wants {wanted}", mark(*met))?;
        write_variables(formatter, variables)?;
        match seen {
            Some(values) => writeln!(formatter, "; saw {}", values.join(", ")),
            None => writeln!(formatter, "; the request has no such key"),
        }
    }
}
