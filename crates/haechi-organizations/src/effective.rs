//! The effective policy of a management policy type: what an account gets from all policies on its
//! way from the root, each level over the one above.
//!
//! Source: Organizations User Guide, "Inheritance for management policies".

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// Sets a value, whatever was there.
const ASSIGN: &str = "@@assign";
/// Adds to a list.
const APPEND: &str = "@@append";
/// Takes out of a list.
const REMOVE: &str = "@@remove";
/// Which of these policies further down may use here.
const CHILDREN: &str = "@@operators_allowed_for_child_policies";

/// Whether a document has the form of such a policy: an object of settings, each of which an
/// operator sets.
pub(crate) fn is_policy(json: &Value) -> bool {
    let Value::Object(members) = json else { return false };
    !members.is_empty() && members.iter().all(|(name, value)| setting(name, value))
}

fn setting(name: &str, value: &Value) -> bool {
    match (name, value) {
        (CHILDREN, Value::Array(items)) => items.iter().all(|item| {
            let known = ["@@all", "@@none", ASSIGN, APPEND, REMOVE];
            item.as_str().is_some_and(|item| known.contains(&item))
        }),
        (ASSIGN, Value::String(_) | Value::Array(_)) => true,
        (APPEND | REMOVE, Value::Array(_) | Value::String(_)) => true,
        (name, Value::Object(members)) => {
            !name.starts_with("@@") && members.iter().all(|(name, value)| setting(name, value))
        }
        _ => false,
    }
}

/// What the policies of each level come to, from the root down; `None` if nothing is set.
pub(crate) fn effective(levels: &[Vec<Value>]) -> Option<Value> {
    let mut tree = Node::default();
    for level in levels {
        for policy in level {
            tree.apply(policy);
        }
        // What a policy allows to its children binds the next level, not its neighbours.
        tree.close();
    }
    tree.value()
}

/// A key and what has been set under it so far.
#[derive(Default)]
struct Node {
    value: Option<Value>,
    children: BTreeMap<String, Node>,
    /// Operators that this level may use; `None`: all.
    allowed: Option<BTreeSet<String>>,
    /// Those that the next level may.
    announced: Option<BTreeSet<String>>,
}

impl Node {
    fn allows(&self, operator: &str) -> bool {
        self.allowed.as_ref().is_none_or(|allowed| allowed.contains(operator))
    }

    fn apply(&mut self, policy: &Value) {
        let Value::Object(members) = policy else { return };
        for (name, value) in members {
            match name.as_str() {
                CHILDREN if self.allowed.is_none() => self.announced = Some(operators(value)),
                ASSIGN if self.allows(ASSIGN) => self.value = Some(value.clone()),
                APPEND if self.allows(APPEND) => {
                    let mut items = self.items();
                    let new: Vec<Value> =
                        list(value).into_iter().filter(|item| !items.contains(item)).collect();
                    items.extend(new);
                    self.value = Some(Value::Array(items));
                }
                REMOVE if self.allows(REMOVE) => {
                    let gone = list(value);
                    let mut items = self.items();
                    items.retain(|item| !gone.contains(item));
                    self.value = Some(Value::Array(items));
                }
                operator if operator.starts_with("@@") => {}
                key => {
                    // A key that the levels above closed takes no new ones.
                    if self.children.contains_key(key) || self.allows(ASSIGN) {
                        self.children.entry(key.to_owned()).or_default().apply(value);
                    }
                }
            }
        }
    }

    fn items(&self) -> Vec<Value> {
        self.value.as_ref().map(list).unwrap_or_default()
    }

    fn close(&mut self) {
        if self.allowed.is_none() {
            self.allowed = self.announced.take();
        }
        self.children.values_mut().for_each(Node::close);
    }

    fn value(&self) -> Option<Value> {
        if let Some(value) = &self.value {
            return Some(value.clone());
        }
        let members: Map<String, Value> = self
            .children
            .iter()
            .filter_map(|(name, child)| Some((name.clone(), child.value()?)))
            .collect();
        (!members.is_empty()).then_some(Value::Object(members))
    }
}

fn operators(value: &Value) -> BTreeSet<String> {
    let named: BTreeSet<String> =
        list(value).iter().filter_map(|item| item.as_str().map(str::to_owned)).collect();
    if named.contains("@@all") {
        return [ASSIGN, APPEND, REMOVE].map(str::to_owned).into();
    }
    named
}

fn list(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items.clone(),
        single => vec![single.clone()],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_level_below_adds_to_a_list_and_assigns_a_value_anew() {
        let root = json!({"tags": {"center": {
            "tag_key": {"@@assign": "Center"}, "tag_value": {"@@assign": ["a", "b"]}}}});
        let unit = json!({"tags": {"center": {
            "tag_key": {"@@assign": "CENTER"}, "tag_value": {"@@append": ["c"], "@@remove": ["a"]}}}});
        let expected = json!({"tags": {"center": {"tag_key": "CENTER", "tag_value": ["b", "c"]}}});
        assert_eq!(effective(&[vec![root], vec![unit]]), Some(expected));
    }

    #[test]
    fn what_a_level_closes_the_levels_below_cannot_change() {
        let root = json!({"services": {"@@operators_allowed_for_child_policies": ["@@none"],
            "default": {"opt_out_policy": {
                "@@operators_allowed_for_child_policies": ["@@none"], "@@assign": "optOut"}}}});
        let account = json!({"services": {
            "default": {"opt_out_policy": {"@@assign": "optIn"}},
            "lex": {"opt_out_policy": {"@@assign": "optIn"}}}});
        let expected = json!({"services": {"default": {"opt_out_policy": "optOut"}}});
        assert_eq!(effective(&[vec![root], vec![], vec![account]]), Some(expected));
    }

    #[test]
    fn a_setting_without_an_operator_is_no_policy() {
        assert!(is_policy(&json!({"tags": {"a": {"tag_key": {"@@assign": "A"}}}})));
        for wrong in [json!([]), json!({}), json!({"tags": "a"}), json!({"a": {"@@what": "b"}})] {
            assert!(!is_policy(&wrong), "{wrong}");
        }
    }

    #[test]
    fn no_policy_at_all_has_no_effect() {
        assert_eq!(effective(&[vec![], vec![]]), None);
    }
}
