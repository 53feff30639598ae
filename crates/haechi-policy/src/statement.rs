//! One compiled statement, and whether it applies to a request.

use serde::Serialize;

use crate::action::{Action, ActionPattern};
use crate::arn::ResourcePattern;
use crate::condition::Condition;
use crate::evaluate::Request;
use crate::principal::{PrincipalElement, Reach};

/// What a statement does when it applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Effect {
    /// It allows the request.
    Allow,
    /// It denies the request, whatever else allows it.
    Deny,
}

/// A list of patterns, of which one must match, or (`NotAction`, `NotResource`) none may.
#[derive(Clone, Debug)]
pub(crate) struct Element<T> {
    pub(crate) negated: bool,
    pub(crate) patterns: Box<[T]>,
}

impl<T> Element<T> {
    fn matches(&self, test: impl Fn(&T) -> bool) -> bool {
        self.patterns.iter().any(test) != self.negated
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub(crate) sid: Option<Box<str>>,
    pub(crate) effect: Effect,
    pub(crate) principals: PrincipalElement,
    pub(crate) actions: Element<ActionPattern>,
    /// `None` in trust policies and where a service lets the element out: the statement is about
    /// the resource that it is attached to.
    pub(crate) resources: Option<Element<ResourcePattern>>,
    pub(crate) conditions: Box<[Condition]>,
}

/// A request made ready to be compared many times.
pub(crate) struct Probe<'a> {
    pub(crate) request: &'a Request<'a>,
    pub(crate) action: Action,
    pub(crate) has_boundary: bool,
}

impl Statement {
    pub(crate) fn action_matches(&self, probe: &Probe<'_>) -> bool {
        self.actions.matches(|pattern| pattern.matches(&probe.action))
    }

    pub(crate) fn resource_matches(&self, probe: &Probe<'_>) -> bool {
        let request = probe.request;
        self.resources.as_ref().is_none_or(|element| {
            element.matches(|pattern| pattern.matches(request.resource, request.context))
        })
    }

    /// The entry of `Action` or `NotAction` that takes the action, as written.
    pub(crate) fn action_entry(&self, probe: &Probe<'_>) -> Option<&str> {
        let found = self.actions.patterns.iter().find(|entry| entry.matches(&probe.action));
        found.map(ActionPattern::source)
    }

    /// The entry of `Resource` or `NotResource` that takes the resource, as written.
    pub(crate) fn resource_entry(&self, probe: &Probe<'_>) -> Option<&str> {
        let Request { resource, context, .. } = *probe.request;
        let mut entries = self.resources.iter().flat_map(|element| &element.patterns);
        entries.find(|entry| entry.matches(resource, context)).map(ResourcePattern::source)
    }

    pub(crate) fn principal_reach(&self, probe: &Probe<'_>) -> Reach {
        let principal = probe.request.principal;
        match self.effect {
            Effect::Allow => self.principals.allow_reach(principal),
            Effect::Deny if self.principals.deny_reaches(principal, probe.has_boundary) => {
                Reach::Direct
            }
            Effect::Deny => Reach::None,
        }
    }

    /// How far the statement speaks for the principal, cheapest test first.
    pub(crate) fn reach(&self, probe: &Probe<'_>) -> Reach {
        if !self.action_matches(probe) || !self.resource_matches(probe) {
            return Reach::None;
        }
        let reach = self.principal_reach(probe);
        let context = probe.request.context;
        if reach > Reach::None && self.conditions.iter().all(|condition| condition.met(context)) {
            reach
        } else {
            Reach::None
        }
    }
}
