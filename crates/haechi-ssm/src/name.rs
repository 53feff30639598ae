//! Names of parameters: `name`, `/path/to/name`, an ARN of one, and `…:version` or `…:label`.
//!
//! A name is its levels: `/a` and `a` have one ARN, so here they are one parameter.
//!
//! Source: User Guide, "Creating Parameter Store parameters", requirements and constraints.

use haechi_core::{Cx, Region};
use haechi_ssm_model::Error;

use crate::error::invalid;

/// Levels of a hierarchy, the name itself included.
pub(crate) const LEVELS_MAX: usize = 15;

/// Characters of the ARN, and so of the name with the ARN's beginning.
const ARN_CHARACTERS_MAX: usize = 1011;

/// A name's levels; at least one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    /// The levels above the last one.
    pub(crate) path: Vec<String>,
    /// The last level.
    pub(crate) leaf: String,
}

impl Name {
    /// As it stands in ARNs, after `parameter/`.
    pub(crate) fn joined(&self) -> String {
        let mut levels: Vec<&str> = self.path.iter().map(String::as_str).collect();
        levels.push(&self.leaf);
        levels.join("/")
    }

    /// All levels, the name's own last.
    pub(crate) fn levels(&self) -> impl Iterator<Item = &str> {
        self.path.iter().map(String::as_str).chain([self.leaf.as_str()])
    }

    /// Splits text into levels; nothing if there is an empty one, or another character than names
    /// have.
    pub(crate) fn parse(text: &str) -> Option<Name> {
        let mut path = levels(text.strip_prefix('/').unwrap_or(text))?;
        let leaf = path.pop()?;
        Some(Name { path, leaf })
    }
}

/// The levels of a path without the slash before it.
pub(crate) fn levels(text: &str) -> Option<Vec<String>> {
    let levels: Vec<String> = text.split('/').map(str::to_owned).collect();
    levels.iter().all(|level| is_level(level)).then_some(levels)
}

fn is_level(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    !text.is_empty() && text.bytes().all(plain)
}

/// What stands for any breach of the form of names.
pub(crate) fn malformed() -> Error {
    invalid(
        "Parameter name: can't be prefixed with \"ssm\" (case-insensitive). If formed as a path, \
         it can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix \
         of letters, numbers and the following 3 symbols .-_",
    )
}

/// Whether text begins with a prefix, in whatever case.
fn begins(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// The name of a parameter that is to be written. Blanks around it are dropped, as AWS does.
pub(crate) fn writable(cx: &Cx, text: &str) -> Result<(Name, String), Error> {
    let text = text.trim();
    let bare = text.strip_prefix('/').unwrap_or(text);
    if begins(bare, "aws") || begins(bare, "ssm") {
        let is_path = bare.contains('/');
        return Err(match (begins(text, "/aws"), is_path) {
            (true, true) => haechi_wire::Fault::AccessDenied(format!(
                "No access to reserved parameter name: {text}."
            ))
            .into(),
            (_, true) => malformed(),
            (_, false) => invalid(
                "Parameter name: can't be prefixed with \"aws\" or \"ssm\" (case-insensitive).",
            ),
        });
    }
    if bare.contains('/') && !text.starts_with('/') {
        return Err(invalid("Parameter name must be a fully qualified name."));
    }
    let name = Name::parse(text).ok_or_else(malformed)?;
    if name.path.len() >= LEVELS_MAX {
        return Err(Error::HierarchyLevelLimitExceededException(format!(
            "A hierarchy can have a maximum of {LEVELS_MAX} levels. For more information, see \
             Requirements and constraints for parameter names in the AWS Systems Manager User Guide."
        )));
    }
    if arn(cx, cx.account().as_str(), &name).len() > ARN_CHARACTERS_MAX {
        return Err(invalid(format!(
            "The parameter name is too long: with the ARN that precedes it, a name can have a \
             maximum of {ARN_CHARACTERS_MAX} characters."
        )));
    }
    Ok((name, text.to_owned()))
}

/// The ARN of a parameter in the Region of a call.
pub(crate) fn arn(cx: &Cx, account: &str, name: &Name) -> String {
    arn_in(&cx.region, account, name)
}

/// The ARN of a parameter.
pub(crate) fn arn_in(region: &Region, account: &str, name: &Name) -> String {
    arn_of(region, account, &name.joined())
}

/// The ARN of a parameter that is named so, with or without a slash at the beginning.
pub(crate) fn arn_of(region: &Region, account: &str, name: &str) -> String {
    let (partition, region) = (region.partition(), region.as_str());
    let name = name.strip_prefix('/').unwrap_or(name);
    // By hand: pages have one for each parameter.
    ["arn:", partition, ":ssm:", region, ":", account, ":parameter/", name].concat()
}

/// Which of a parameter's versions is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Selector {
    /// By number.
    Version(i64),
    /// By label.
    Label(String),
}

/// What a caller names: a parameter of some account, and maybe one of its versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    /// The account in the ARN; `None` for a plain name.
    pub(crate) account: Option<String>,
    pub(crate) name: Name,
    pub(crate) selector: Option<Selector>,
}

impl Reference {
    /// Reads a name or an ARN (of this Region), with or without a selector.
    pub(crate) fn read(cx: &Cx, text: &str) -> Result<Reference, Error> {
        let text = text.trim();
        let reference = Self::parse(cx.region.as_str(), text).ok_or_else(malformed)?;
        // A path begins with a slash.
        if reference.account.is_none() && !reference.name.path.is_empty() && !text.starts_with('/')
        {
            return Err(malformed());
        }
        if begins(&reference.name.joined(), "ssm") && reference.account.is_none() {
            return Err(malformed());
        }
        Ok(reference)
    }

    /// The same, for any Region.
    pub(crate) fn parse(region: &str, text: &str) -> Option<Reference> {
        let (account, rest) = match text.strip_prefix("arn:") {
            None => (None, text),
            Some(arn) => {
                let mut parts = arn.splitn(5, ':');
                let (_partition, service) = (parts.next()?, parts.next()?);
                let (at, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
                if service != "ssm" || at != region {
                    return None;
                }
                (Some(account.to_owned()), resource.strip_prefix("parameter")?)
            }
        };
        let (name, selector) = match rest.split_once(':') {
            None => (rest, None),
            Some((name, selector)) => (name, Some(Selector::parse(selector)?)),
        };
        Some(Reference { account, name: Name::parse(name)?, selector })
    }
}

impl Selector {
    fn parse(text: &str) -> Option<Selector> {
        if text.is_empty() || text.contains(':') {
            return None;
        }
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().ok().map(Selector::Version);
        }
        Some(Selector::Label(text.to_owned()))
    }

    /// As answers show it.
    pub(crate) fn shown(&self) -> String {
        match self {
            Selector::Version(version) => format!(":{version}"),
            Selector::Label(label) => format!(":{label}"),
        }
    }
}

/// A path to look under: its levels, none of them for `/`.
pub(crate) fn path(text: &str) -> Result<Vec<String>, Error> {
    let text = text.trim();
    let refused = || {
        invalid(
            "The parameter doesn't meet the parameter name requirements. The parameter name must \
             begin with a forward slash \"/\". It can't be prefixed with \"aws\" or \"ssm\" \
             (case-insensitive). It must use only letters, numbers, or the following symbols: . \
             (period), - (hyphen), _ (underscore). Special characters are not allowed. All \
             sub-paths, if specified, must use the forward slash symbol \"/\". Valid example: \
             /get/parameters2-/by1./path0_.",
        )
    };
    let bare = text.strip_prefix('/').ok_or_else(refused)?;
    if bare.is_empty() {
        return Ok(Vec::new());
    }
    let bare = bare.strip_suffix('/').unwrap_or(bare);
    let levels = levels(bare).ok_or_else(refused)?;
    if levels.len() > LEVELS_MAX || begins(bare, "ssm") {
        return Err(refused());
    }
    let reserved = begins(bare, "aws");
    if reserved && levels.first().is_none_or(|first| first != "aws") {
        return Err(refused());
    }
    Ok(levels)
}

#[cfg(test)]
mod tests;
