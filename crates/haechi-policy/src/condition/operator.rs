//! The names of condition operators.

use std::cmp::Ordering;

/// An operator with its set prefix and `IfExists` suffix.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operator {
    pub(crate) set: Set,
    pub(crate) test: Test,
    pub(crate) if_exists: bool,
}

/// How the values of a multivalued key count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Set {
    None,
    /// `ForAnyValue:`
    Any,
    /// `ForAllValues:`
    All,
}

/// What one value of the request is compared by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Test {
    String { like: bool, ignore_case: bool, negated: bool },
    Numeric(Comparison),
    Date(Comparison),
    Bool,
    Binary,
    Ip { negated: bool },
    Arn { negated: bool },
    Null,
}

/// How a number or a date must stand to the operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equals,
    /// Compared as `Equals`; the condition negates.
    NotEquals,
    LessThan,
    LessThanEquals,
    GreaterThan,
    GreaterThanEquals,
}

impl Comparison {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "equals" => Self::Equals,
            "notequals" => Self::NotEquals,
            "lessthan" => Self::LessThan,
            "lessthanequals" => Self::LessThanEquals,
            "greaterthan" => Self::GreaterThan,
            "greaterthanequals" => Self::GreaterThanEquals,
            _ => return None,
        })
    }

    /// Whether a value that compares so to the operand matches it.
    pub(crate) fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equals | Self::NotEquals => order.is_eq(),
            Self::LessThan => order.is_lt(),
            Self::LessThanEquals => order.is_le(),
            Self::GreaterThan => order.is_gt(),
            Self::GreaterThanEquals => order.is_ge(),
        }
    }
}

impl Test {
    fn parse(name: &str) -> Option<Self> {
        let string = |like, ignore_case, negated| Self::String { like, ignore_case, negated };
        Some(match name {
            "stringequals" => string(false, false, false),
            "stringnotequals" => string(false, false, true),
            "stringequalsignorecase" => string(false, true, false),
            "stringnotequalsignorecase" => string(false, true, true),
            "stringlike" => string(true, false, false),
            "stringnotlike" => string(true, false, true),
            "bool" => Self::Bool,
            "binaryequals" => Self::Binary,
            "ipaddress" => Self::Ip { negated: false },
            "notipaddress" => Self::Ip { negated: true },
            "arnequals" | "arnlike" => Self::Arn { negated: false },
            "arnnotequals" | "arnnotlike" => Self::Arn { negated: true },
            "null" => Self::Null,
            _ => {
                if let Some(rest) = name.strip_prefix("numeric") {
                    Self::Numeric(Comparison::parse(rest)?)
                } else {
                    Self::Date(Comparison::parse(name.strip_prefix("date")?)?)
                }
            }
        })
    }

    /// Whether the operator says "not".
    pub(crate) fn negated(self) -> bool {
        match self {
            Self::String { negated, .. } | Self::Ip { negated } | Self::Arn { negated } => negated,
            Self::Numeric(comparison) | Self::Date(comparison) => {
                comparison == Comparison::NotEquals
            }
            Self::Bool | Self::Binary | Self::Null => false,
        }
    }
}

impl Operator {
    /// Reads an operator's name, in any case as IAM does. `Null` takes no `IfExists`.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let lower = name.to_ascii_lowercase();
        let (set, rest) = if let Some(rest) = lower.strip_prefix("foranyvalue:") {
            (Set::Any, rest)
        } else if let Some(rest) = lower.strip_prefix("forallvalues:") {
            (Set::All, rest)
        } else {
            (Set::None, lower.as_str())
        };
        let (rest, if_exists) = match rest.strip_suffix("ifexists") {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        let test = Test::parse(rest)?;
        (!(if_exists && test == Test::Null)).then_some(Self { set, test, if_exists })
    }
}
