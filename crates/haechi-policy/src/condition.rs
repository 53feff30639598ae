//! The `Condition` element: operators, their operands, and when they are met.
//!
//! (IAM JSON policy elements: Condition operators; Conditions with multiple context keys or
//! values; Set operators for multivalued context keys.)

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::arn::ArnPattern;
use crate::pattern::{Syntax, Template};
use crate::{Context, ParseError, Values};

mod date;
mod network;
mod number;
mod operator;

use date::Date;
use network::Network;
use number::Number;
pub(crate) use operator::{Comparison, Operator, Set, Test};

/// One operator applied to one key.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    pub(crate) operator: Operator,
    /// The operator as written.
    pub(crate) operator_name: Box<str>,
    /// The key as written.
    pub(crate) key_name: Box<str>,
    /// The key in lower case.
    key: Box<str>,
    /// The values as written.
    pub(crate) wanted: Box<[Box<str>]>,
    operand: Operand,
}

/// The values of a condition, ready to be compared. Any one of them may match.
#[derive(Clone, Debug)]
enum Operand {
    Strings(Box<[Template]>),
    StringsIgnoringCase(Box<[Template]>),
    Numbers(Comparison, Box<[Number]>),
    Dates(Comparison, Box<[Date]>),
    Binaries(Box<[Vec<u8>]>),
    Networks(Box<[Network]>),
    Arns(Box<[ArnPattern]>),
    Null(Box<[bool]>),
}

impl Condition {
    pub(crate) fn compile(
        operator_name: &str,
        key: &str,
        wanted: Vec<String>,
        variables: bool,
    ) -> Result<Self, ParseError> {
        let Some(operator) = Operator::parse(operator_name) else {
            return Err(ParseError::syntax(format!("no condition operator {operator_name:?}")));
        };
        let operand = Operand::compile(operator, &wanted, variables).map_err(|text| {
            ParseError::legacy(format!("{operator_name} of {key} cannot compare {text:?}"))
        })?;
        Ok(Self {
            operator,
            operator_name: operator_name.into(),
            key_name: key.into(),
            key: key.to_lowercase().into(),
            wanted: wanted.into_iter().map(Into::into).collect(),
            operand,
        })
    }

    /// The values that the request has for the key.
    pub(crate) fn seen<'a>(&self, context: &'a dyn Context) -> Option<Values<'a>> {
        context.values(&self.key).filter(|values| !values.is_empty())
    }

    /// Whether the condition is met.
    pub(crate) fn met(&self, context: &dyn Context) -> bool {
        let Operator { set, test, if_exists } = self.operator;
        let values = self.seen(context);
        if let Operand::Null(wanted) = &self.operand {
            let null = values.as_ref().is_none_or(is_null);
            return wanted.contains(&null);
        }
        let Some(values) = values else {
            return if_exists
                || match set {
                    Set::All => true,
                    Set::Any => false,
                    Set::None => test.negated(),
                };
        };
        let takes = |value: &str| self.operand.takes(value, context) != test.negated();
        match set {
            // Without a set operator: some value matches, or for a negated operator none does.
            Set::None => {
                let mut any = values.iter().map(|value| self.operand.takes(value, context));
                any.any(|taken| taken) != test.negated()
            }
            Set::All => is_null(&values) || values.iter().all(takes),
            Set::Any => !is_null(&values) && values.iter().any(takes),
        }
    }
}

/// A key whose values are all empty text is a null data set for the set operators and `Null`.
fn is_null(values: &Values<'_>) -> bool {
    values.iter().all(str::is_empty)
}

impl Operand {
    /// The error is the value that the operator cannot compare.
    fn compile(operator: Operator, wanted: &[String], variables: bool) -> Result<Self, String> {
        let templates = |wildcards: bool| {
            let syntax =
                Syntax { wildcards, variables_from: variables.then_some(0), segments_until: 0 };
            wanted.iter().map(|text| Template::compile(text, syntax)).collect()
        };
        Ok(match operator.test {
            Test::String { like, ignore_case, .. } => {
                if ignore_case {
                    Self::StringsIgnoringCase(templates(false))
                } else {
                    Self::Strings(templates(like))
                }
            }
            // A boolean is text that is `true` or `false` in any case; variables are allowed.
            Test::Bool => {
                let boolean = |text: &&String| boolean(text).is_none();
                match wanted.iter().find(boolean) {
                    Some(other) if !(variables && other.contains("${")) => {
                        return Err(other.clone());
                    }
                    _ => Self::StringsIgnoringCase(templates(false)),
                }
            }
            Test::Numeric(comparison) => Self::Numbers(comparison, each(wanted, Number::parse)?),
            Test::Date(comparison) => Self::Dates(comparison, each(wanted, Date::parse)?),
            Test::Binary => Self::Binaries(each(wanted, |text| BASE64.decode(text).ok())?),
            Test::Ip { .. } => Self::Networks(each(wanted, Network::parse)?),
            Test::Arn { .. } => {
                Self::Arns(wanted.iter().map(|text| ArnPattern::compile(text, variables)).collect())
            }
            Test::Null => Self::Null(each(wanted, boolean)?),
        })
    }

    /// Whether one of the operands matches a value of the request, negation aside. A value that
    /// is not of the operator's type matches none.
    fn takes(&self, value: &str, context: &dyn Context) -> bool {
        match self {
            Self::Strings(templates) => templates.iter().any(|t| t.matches(value, context)),
            Self::StringsIgnoringCase(templates) => {
                templates.iter().any(|t| t.equals_ignoring_case(value, context))
            }
            Self::Numbers(comparison, wanted) => Number::parse(value)
                .is_some_and(|value| wanted.iter().any(|one| comparison.holds(value.compare(one)))),
            Self::Dates(comparison, wanted) => Date::parse(value)
                .is_some_and(|value| wanted.iter().any(|one| comparison.holds(value.cmp(one)))),
            Self::Binaries(wanted) => {
                BASE64.decode(value).is_ok_and(|value| wanted.contains(&value))
            }
            Self::Networks(wanted) => value.parse::<IpAddr>().is_ok_and(|address| {
                let address = address.to_canonical();
                wanted.iter().any(|network| network.contains(address))
            }),
            Self::Arns(patterns) => patterns.iter().any(|one| one.matches(value, context)),
            Self::Null(_) => false,
        }
    }
}

fn each<T>(wanted: &[String], parse: impl Fn(&str) -> Option<T>) -> Result<Box<[T]>, String> {
    wanted.iter().map(|text| parse(text).ok_or_else(|| text.clone())).collect()
}

fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
