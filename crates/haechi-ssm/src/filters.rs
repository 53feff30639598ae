//! Filters of `DescribeParameters` and `GetParametersByPath` (pure), and what they leave to be
//! looked through.

use std::collections::BTreeSet;

use haechi_ssm_model::Error;
use haechi_ssm_model::shapes::{ParameterStringFilter, ParametersFilter, ParametersFilterKey};

use crate::error::invalid;
use crate::name::{self, Name};
use crate::store::ParameterRecord;

/// What a filter looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Field {
    Name,
    Type,
    KeyId,
    Path,
    Label,
    Tier,
    DataType,
    Tag(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Equals,
    BeginsWith,
    Contains,
    Recursive,
    OneLevel,
}

/// A filter that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter {
    key: Field,
    how: How,
    values: Vec<String>,
}

/// Where the parameters that filters admit can be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Only these.
    Names(Vec<Name>),
    /// Under a path, at any depth.
    Under(Vec<String>),
    /// Directly in a path.
    In(Vec<String>),
}

impl Field {
    fn read(text: &str) -> Option<Field> {
        Some(match text {
            "Name" => Field::Name,
            "Type" => Field::Type,
            "KeyId" => Field::KeyId,
            "Path" => Field::Path,
            "Label" => Field::Label,
            "Tier" => Field::Tier,
            "DataType" => Field::DataType,
            _ => Field::Tag(text.strip_prefix("tag:")?.to_owned()),
        })
    }

    fn options(&self) -> &'static [(&'static str, How)] {
        match self {
            Field::Path => &[("Recursive", How::Recursive), ("OneLevel", How::OneLevel)],
            Field::Label => &[("Equals", How::Equals)],
            Field::Name => &[
                ("BeginsWith", How::BeginsWith),
                ("Contains", How::Contains),
                ("Equals", How::Equals),
            ],
            _ => &[("BeginsWith", How::BeginsWith), ("Equals", How::Equals)],
        }
    }

    /// The values that there are, where they are few.
    fn known(&self) -> Option<&'static [&'static str]> {
        match self {
            Field::Type => Some(&["String", "StringList", "SecureString"]),
            Field::Tier => Some(&["Standard", "Advanced", "Intelligent-Tiering"]),
            _ => None,
        }
    }
}

/// Names as they are looked for: without the blanks around them, and there are none within.
fn trimmed(values: &[String]) -> Result<Vec<String>, Error> {
    let names = values.iter().map(|value| value.trim());
    let checked = names.map(|name| match name.contains(char::is_whitespace) {
        true => Err(name::malformed()),
        false => Ok(name.to_owned()),
    });
    checked.collect()
}

fn refused_key(text: &str, valid: &str) -> Error {
    Error::InvalidFilterKey(format!(
        "The following filter key is not valid: {text}. Valid filter keys include: [{valid}]."
    ))
}

fn filter(sent: &ParameterStringFilter, key: Field) -> Result<Filter, Error> {
    let options = key.options();
    let how = match sent.option.as_deref() {
        None if key == Field::Path => How::OneLevel,
        None => How::Equals,
        Some(text) => {
            let found = options.iter().find(|(name, _)| *name == text);
            found.map(|(_, how)| *how).ok_or_else(|| {
                let valid: Vec<&str> = options.iter().map(|(name, _)| *name).collect();
                Error::InvalidFilterOption(format!(
                    "The following filter option is not valid: {text}. Valid options include: [{}].",
                    valid.join(", ")
                ))
            })?
        }
    };
    let mut values = sent.values.clone().unwrap_or_default();
    if key == Field::Name {
        values = trimmed(&values)?;
    }
    // A tag may be asked for whatever its value.
    if values.is_empty() && !matches!(key, Field::Tag(_)) {
        return Err(Error::InvalidFilterValue(format!(
            "The following filter values are missing : null for filter key {}.",
            sent.key
        )));
    }
    if how == How::Equals
        && let Some(known) = key.known()
        && let Some(other) = values.iter().find(|value| !known.contains(&value.as_str()))
    {
        return Err(Error::InvalidFilterValue(format!(
            "The following filter value is not valid: {other}. Valid values include: [{}].",
            known.join(", ")
        )));
    }
    for value in values.iter().filter(|_| key == Field::Path) {
        let levels = name::path(value)?;
        if levels.first().is_some_and(|first| first == "aws") {
            return Err(invalid(
                "Filters for common parameters can't be prefixed with \"aws\" or \"ssm\" \
                 (case-insensitive). When using global parameters, please specify within a global \
                 namespace.",
            ));
        }
    }
    Ok(Filter { key, how, values })
}

fn read(
    sent: &[ParameterStringFilter],
    valid: &str,
    admits: impl Fn(&Field) -> bool,
) -> Result<Vec<Filter>, Error> {
    let mut seen = BTreeSet::new();
    let mut filters = Vec::with_capacity(sent.len());
    for one in sent {
        let key = Field::read(&one.key).filter(&admits);
        let key = key.ok_or_else(|| refused_key(&one.key, valid))?;
        if !seen.insert(one.key.as_str()) {
            return Err(Error::InvalidFilterKey(format!(
                "The following filter is duplicated in the request: {}. A request can contain only \
                 one occurrence of a specific filter.",
                one.key
            )));
        }
        filters.push(filter(one, key)?);
    }
    Ok(filters)
}

/// The filters of `DescribeParameters`, in either of its two forms.
pub(crate) fn describing(
    sent: Option<&[ParameterStringFilter]>,
    older: Option<&[ParametersFilter]>,
) -> Result<Vec<Filter>, Error> {
    let (sent, older) = (sent.unwrap_or_default(), older.unwrap_or_default());
    if !sent.is_empty() && !older.is_empty() {
        return Err(invalid("You can use either Filters or ParameterFilters in a single request."));
    }
    if older.is_empty() {
        let valid = "Path, Name, Type, KeyId, Tier, DataType, tag:";
        return read(sent, valid, |key| *key != Field::Label);
    }
    let read = older.iter().map(|filter| {
        let values = filter.values.clone();
        Ok(match filter.key {
            ParametersFilterKey::Name => {
                Filter { key: Field::Name, how: How::BeginsWith, values: trimmed(&values)? }
            }
            ParametersFilterKey::Type => Filter { key: Field::Type, how: How::Equals, values },
            ParametersFilterKey::KeyId => Filter { key: Field::KeyId, how: How::Equals, values },
        })
    });
    read.collect()
}

/// The filters of `GetParametersByPath`.
pub(crate) fn by_path(sent: Option<&[ParameterStringFilter]>) -> Result<Vec<Filter>, Error> {
    let admits = |key: &Field| matches!(key, Field::Type | Field::KeyId | Field::Label);
    read(sent.unwrap_or_default(), "Type, KeyId, Label", admits)
}

/// A name with the slash that one of a single level may lack.
fn slashed(text: &str) -> String {
    format!("/{}", text.strip_prefix('/').unwrap_or(text))
}

impl Filter {
    fn compare(&self, text: &str) -> bool {
        self.values.iter().any(|value| match self.how {
            How::BeginsWith => text.starts_with(value.as_str()),
            How::Contains => text.contains(value.as_str()),
            _ => text == value,
        })
    }

    fn admits_name(&self, name: &str) -> bool {
        if self.how == How::Contains {
            return self.compare(name);
        }
        let name = slashed(name);
        self.values.iter().map(|value| slashed(value)).any(|value| match self.how {
            How::BeginsWith => name.starts_with(&value),
            _ => name == value,
        })
    }

    fn admits_path(&self, parameter: &ParameterRecord) -> bool {
        let Some(name) = parameter.levels() else { return false };
        let paths = self.values.iter().filter_map(|value| name::path(value).ok());
        let recursive = self.how == How::Recursive;
        paths
            .into_iter()
            .any(|path| if recursive { name.path.starts_with(&path) } else { name.path == path })
    }

    /// Whether a parameter is among those wanted.
    pub(crate) fn admits(&self, parameter: &ParameterRecord) -> bool {
        let current = &parameter.current;
        match &self.key {
            Field::Name => self.admits_name(&parameter.name),
            Field::Path => self.admits_path(parameter),
            Field::Type => self.compare(&current.kind),
            Field::KeyId => current.key_id.as_deref().is_some_and(|key| self.compare(key)),
            Field::Tier => self.compare(&current.tier),
            Field::DataType => self.compare(&current.data_type),
            Field::Label => parameter.labels.keys().any(|label| self.compare(label)),
            Field::Tag(key) => {
                let value = parameter.tags.get(key);
                value.is_some_and(|value| self.values.is_empty() || self.compare(value))
            }
        }
    }

    /// The label that chooses a parameter's version, if it is one that this filter asks for.
    pub(crate) fn version(&self, parameter: &ParameterRecord) -> Option<i64> {
        if self.key != Field::Label {
            return None;
        }
        self.values.iter().find_map(|label| parameter.labels.get(label).copied())
    }
}

/// Where to look. Several values of a path or of a beginning are looked for everywhere.
pub(crate) fn reach(filters: &[Filter]) -> Reach {
    for filter in filters.iter().filter(|filter| filter.key == Field::Name) {
        if filter.how == How::Equals {
            let mut names: Vec<Name> = Vec::new();
            for name in filter.values.iter().filter_map(|value| Name::parse(value)) {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            return Reach::Names(names);
        }
    }
    for filter in filters {
        let [value] = filter.values.as_slice() else { continue };
        match (&filter.key, filter.how) {
            (Field::Path, How::Recursive) => {
                return Reach::Under(name::path(value).unwrap_or_default());
            }
            (Field::Path, _) => return Reach::In(name::path(value).unwrap_or_default()),
            (Field::Name, How::BeginsWith) => {
                // The last level may be but the beginning of one.
                let (path, _) = value.rsplit_once('/').unwrap_or_default();
                let path = path.strip_prefix('/').unwrap_or(path);
                let levels = (!path.is_empty()).then(|| name::levels(path)).flatten();
                return Reach::Under(levels.unwrap_or_default());
            }
            _ => {}
        }
    }
    Reach::Under(Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(key: &str, option: Option<&str>, values: &[&str]) -> ParameterStringFilter {
        ParameterStringFilter {
            key: key.to_owned(),
            option: option.map(str::to_owned),
            values: Some(values.iter().map(|value| (*value).to_owned()).collect()),
        }
    }

    fn reached(key: &str, option: Option<&str>, values: &[&str]) -> Reach {
        reach(&describing(Some(&[sent(key, option, values)]), None).unwrap())
    }

    #[test]
    fn names_are_looked_for_where_they_are() {
        let name = |text| Name::parse(text).unwrap();
        let names = Reach::Names(vec![name("/a/b"), name("c")]);
        assert_eq!(reached("Name", None, &["/a/b", "c", "/c"]), names);
        let under =
            |levels: &[&str]| Reach::Under(levels.iter().map(|l| (*l).to_owned()).collect());
        assert_eq!(reached("Name", Some("BeginsWith"), &["/a/b/c"]), under(&["a", "b"]));
        assert_eq!(reached("Name", Some("BeginsWith"), &["/a"]), under(&[]));
        assert_eq!(reached("Name", Some("BeginsWith"), &["/a/b", "/c"]), under(&[]));
        assert_eq!(reached("Path", Some("Recursive"), &["/a/b/"]), under(&["a", "b"]));
        assert_eq!(reached("Path", None, &["/a"]), Reach::In(vec!["a".to_owned()]));
        assert_eq!(reached("Type", None, &["String"]), under(&[]));
    }

    #[test]
    fn each_operation_has_its_own_keys_and_each_key_its_own_options() {
        assert!(describing(Some(&[sent("Label", None, &["x"])]), None).is_err());
        assert!(by_path(Some(&[sent("Label", None, &["x"])])).is_ok());
        assert!(by_path(Some(&[sent("Name", None, &["x"])])).is_err());
        for (key, option) in [
            ("Type", "Contains"),
            ("Path", "Equals"),
            ("Name", "Recursive"),
            ("tag:team", "Contains"),
        ] {
            let refused = describing(Some(&[sent(key, Some(option), &["/x"])]), None);
            assert!(matches!(refused, Err(Error::InvalidFilterOption(_))), "{key} {option}");
        }
        let twice = [sent("Type", None, &["String"]), sent("Type", None, &["StringList"])];
        assert!(matches!(describing(Some(&twice), None), Err(Error::InvalidFilterKey(_))));
        let none = describing(Some(&[sent("Name", None, &[])]), None);
        assert!(matches!(none, Err(Error::InvalidFilterValue(_))));
    }
}
