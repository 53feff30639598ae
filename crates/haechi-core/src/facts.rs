//! What conditions see of tags, and of what else a service tells of a call.

use std::borrow::Cow;
use std::collections::BTreeMap;

use haechi_policy::{Context, Values};

/// Tags that a call puts and takes away, those of its resource, and keys of the service's own.
#[derive(Clone, Default)]
pub struct Facts<'a> {
    /// Tags that the call puts on its resource.
    pub put: Vec<(&'a str, &'a str)>,
    /// Keys of tags that it takes away.
    pub taken: &'a [String],
    /// Tags that the resource has.
    pub of_resource: Option<&'a BTreeMap<String, String>>,
    /// Keys of the service's own, in small letters, with what the call says of them.
    pub own: Vec<(String, Vec<String>)>,
}

impl<'a> Facts<'a> {
    /// What is known of a resource that has these tags.
    pub fn of(tags: &'a BTreeMap<String, String>) -> Facts<'a> {
        Facts { of_resource: Some(tags), ..Facts::default() }
    }

    /// What is known of a call that puts these tags on what it makes.
    pub fn putting(tags: impl IntoIterator<Item = (&'a String, &'a String)>) -> Facts<'a> {
        Facts::default().and_putting(tags)
    }

    /// The same of a call that puts these tags.
    #[must_use]
    pub fn and_putting(
        mut self,
        tags: impl IntoIterator<Item = (&'a String, &'a String)>,
    ) -> Facts<'a> {
        self.put.extend(tags.into_iter().map(|(key, value)| (key.as_str(), value.as_str())));
        self
    }

    /// The same of a call that takes tags away.
    #[must_use]
    pub fn and_taking(mut self, keys: &'a [String]) -> Facts<'a> {
        self.taken = keys;
        self
    }

    /// With a key of the service's own, if the call has values of it.
    #[must_use]
    pub fn with(mut self, key: &str, values: impl IntoIterator<Item = String>) -> Facts<'a> {
        let values: Vec<String> = values.into_iter().collect();
        if !values.is_empty() {
            self.own.push((key.to_owned(), values));
        }
        self
    }
}

/// The values under a name that a user wrote: names of condition keys have no case, those of tags and
/// encryption contexts do, so all that match count. `name` is in small letters.
pub fn named<'a>(
    pairs: impl Iterator<Item = (&'a str, &'a str)>,
    name: &str,
) -> Option<Values<'a>> {
    let mut found = pairs.filter(|(key, _)| key.to_lowercase() == name).map(|(_, value)| value);
    let first = found.next()?;
    let others: Vec<String> = found.map(str::to_owned).collect();
    if others.is_empty() {
        return Some(Values::one(first));
    }
    Some(Values::Many(Cow::Owned([vec![first.to_owned()], others].concat())))
}

/// As [`named`], of tags as records keep them.
pub fn tagged<'a>(tags: &'a BTreeMap<String, String>, name: &str) -> Option<Values<'a>> {
    named(tags.iter().map(|(key, value)| (key.as_str(), value.as_str())), name)
}

impl Context for Facts<'_> {
    fn values(&self, key: &str) -> Option<Values<'_>> {
        if let Some(name) = key.strip_prefix("aws:requesttag/") {
            return named(self.put.iter().copied(), name);
        }
        if let Some(name) = key.strip_prefix("aws:resourcetag/") {
            return tagged(self.of_resource?, name);
        }
        if key == "aws:tagkeys" {
            let put = self.put.iter().map(|(key, _)| (*key).to_owned());
            let keys: Vec<String> = put.chain(self.taken.iter().cloned()).collect();
            return (!keys.is_empty()).then(|| Values::Many(keys.into()));
        }
        let (_, values) = self.own.iter().find(|(own, _)| own == key)?;
        match values.as_slice() {
            [one] => Some(Values::one(one)),
            many => Some(Values::many(many)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(facts: &Facts<'_>, key: &str) -> Option<Vec<String>> {
        facts.values(key).map(|values| match values {
            Values::One(one) => vec![one.into_owned()],
            Values::Many(many) => many.into_owned(),
            Values::Slices(slices) => slices.iter().map(|text| (*text).to_owned()).collect(),
        })
    }

    #[test]
    fn conditions_see_tags_by_keys_without_case_and_what_else_a_service_tells() {
        let tags = BTreeMap::from([("Team".to_owned(), "x".to_owned())]);
        let put = BTreeMap::from([("Owner".to_owned(), "me".to_owned())]);
        let taken = ["Old".to_owned()];
        let facts = Facts::of(&tags).and_putting(&put).and_taking(&taken);
        let facts = facts.with("events:targetarn", ["a".to_owned(), "b".to_owned()]);
        let facts = facts.with("events:source", Vec::new());
        assert_eq!(shown(&facts, "aws:resourcetag/team").unwrap(), ["x"]);
        assert_eq!(shown(&facts, "aws:requesttag/owner").unwrap(), ["me"]);
        assert_eq!(shown(&facts, "aws:tagkeys").unwrap(), ["Owner", "Old"]);
        assert_eq!(shown(&facts, "events:targetarn").unwrap(), ["a", "b"]);
        let twice = BTreeMap::from(["Team", "team"].map(|key| (key.to_owned(), key.to_owned())));
        let both = ["Team", "team"];
        assert_eq!(shown(&Facts::of(&twice), "aws:resourcetag/team").unwrap(), both);
        assert_eq!(shown(&Facts::putting(&twice), "aws:requesttag/team").unwrap(), both);
        for absent in ["aws:resourcetag/owner", "aws:requesttag/team", "events:source"] {
            assert!(shown(&facts, absent).is_none(), "{absent}");
        }
    }
}
