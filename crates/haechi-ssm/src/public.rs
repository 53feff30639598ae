//! The public namespace `/aws/service/…`: parameters that the operator supplies and every account
//! reads.
//!
//! AWS fills it; here a file does:
//! ```json
//! { "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64":
//!       { "us-east-1": "ami-0123456789abcdef0" },
//!   "/aws/service/example/version": "7" }
//! ```
//! A value is one for all Regions, or one for each that is named.

use std::collections::BTreeMap;
use std::sync::Arc;

use haechi_core::{Cx, Region};
use haechi_ssm_model::shapes::{Parameter, ParameterType};
use haechi_wire::{SecretString, Timestamp};
use serde::Deserialize;

use crate::name::Name;

/// The namespace.
const NAMESPACE: [&str; 2] = ["aws", "service"];

/// A file that is no file of public parameters.
#[derive(Debug, thiserror::Error)]
pub enum PublicParametersError {
    /// It is not JSON of this form.
    #[error("public parameters must be a JSON object of names and values: {0}")]
    Form(#[from] serde_json::Error),
    /// A name outside the namespace, or that is none.
    #[error("{0} is no name of a public parameter: it must begin with /aws/service/")]
    Name(String),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Value {
    Everywhere(String),
    ByRegion(BTreeMap<String, String>),
}

/// The public parameters, by name.
#[derive(Clone, Default)]
pub struct PublicParameters {
    /// By levels: what is under a path is one range.
    values: Arc<BTreeMap<Vec<String>, Value>>,
    modified: Option<Timestamp>,
}

impl PublicParameters {
    /// Reads them from the text of a file that was last changed at `modified`.
    ///
    /// # Errors
    /// If it is not of the form, or names what lies elsewhere.
    pub fn parse(
        text: &str,
        modified: Timestamp,
    ) -> Result<PublicParameters, PublicParametersError> {
        let read: BTreeMap<String, Value> = serde_json::from_str(text)?;
        let mut values = BTreeMap::new();
        for (name, value) in read {
            let levels = name.strip_prefix('/').and_then(crate::name::levels);
            let levels = levels.filter(|levels| levels.len() > 2 && is_public(levels));
            values.insert(levels.ok_or(PublicParametersError::Name(name))?, value);
        }
        Ok(PublicParameters { values: Arc::new(values), modified: Some(modified) })
    }

    fn value(&self, region: &Region, value: &Value) -> Option<String> {
        match value {
            Value::Everywhere(value) => Some(value.clone()),
            Value::ByRegion(values) => values.get(region.as_str()).cloned(),
        }
    }

    fn shown(&self, cx: &Cx, levels: &[String], value: &Value) -> Option<Parameter> {
        let value = self.value(&cx.region, value)?;
        let image = value.starts_with("ami-");
        Some(Parameter {
            name: Some(format!("/{}", levels.join("/"))),
            r#type: Some(ParameterType::String),
            value: Some(SecretString(value)),
            version: Some(1),
            selector: None,
            source_result: None,
            last_modified_date: self.modified,
            arn: Some(arn(cx, levels)),
            data_type: Some(if image { "aws:ec2:image" } else { "text" }.to_owned()),
        })
    }

    /// A public parameter.
    pub(crate) fn find(&self, cx: &Cx, name: &Name) -> Option<Parameter> {
        let levels: Vec<String> = name.levels().map(str::to_owned).collect();
        self.shown(cx, &levels, self.values.get(&levels)?)
    }

    /// Those under a path after a name, in the order of names, and the name that the next page
    /// comes after.
    pub(crate) fn page(
        &self,
        cx: &Cx,
        path: &[String],
        recursive: bool,
        after: Option<&str>,
        limit: usize,
    ) -> (Vec<Parameter>, Option<String>) {
        let start = match after.and_then(|name| name.strip_prefix('/')) {
            Some(name) => name.split('/').map(str::to_owned).collect(),
            None => path.to_vec(),
        };
        let begun = (std::ops::Bound::Excluded(start), std::ops::Bound::Unbounded);
        let under = self
            .values
            .range(begun)
            .take_while(|(levels, _)| levels.starts_with(path))
            .filter(|(levels, _)| recursive || levels.len() == path.len() + 1)
            .filter_map(|(levels, value)| self.shown(cx, levels, value));
        let mut page: Vec<Parameter> = under.take(limit + 1).collect();
        let more = page.len() > limit;
        page.truncate(limit);
        let next = page.last().filter(|_| more).and_then(|last| last.name.clone());
        (page, next)
    }
}

/// Whether levels are of the namespace.
pub(crate) fn is_public(levels: &[String]) -> bool {
    begins_public(levels.iter().map(String::as_str))
}

/// Whether a name is of the namespace.
pub(crate) fn is_public_name(name: &Name) -> bool {
    begins_public(name.levels())
}

fn begins_public<'a>(mut levels: impl Iterator<Item = &'a str>) -> bool {
    NAMESPACE.iter().all(|level| levels.next() == Some(*level))
}

/// The ARN of a public parameter: it is no account's.
pub(crate) fn arn(cx: &Cx, levels: &[String]) -> String {
    let (partition, region) = (cx.region.partition(), &cx.region);
    format!("arn:{partition}:ssm:{region}::parameter/{}", levels.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_the_namespace_are_taken() {
        let parse = |text| PublicParameters::parse(text, Timestamp::from_seconds(0));
        assert!(
            parse(r#"{"/aws/service/a": "1", "/aws/service/b/c": {"us-east-1": "2"}}"#).is_ok()
        );
        for text in [
            "[]",
            r#"{"/app/a": "1"}"#,
            r#"{"/aws/service": "1"}"#,
            r#"{"aws/service/a": "1"}"#,
            r#"{"/aws/service//a": "1"}"#,
            r#"{"/aws/service/a": 1}"#,
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
