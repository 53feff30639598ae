//! Integers and decimals of the `Numeric` operators.

use std::cmp::Ordering;

/// A number, exact as long as it is an integer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    Integer(i128),
    Decimal(f64),
}

impl Number {
    /// Reads an integer or a decimal; infinities and the like are no numbers.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Ok(integer) = text.parse() {
            return Some(Self::Integer(integer));
        }
        if !text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte)) {
            return None;
        }
        text.parse().ok().filter(|decimal: &f64| decimal.is_finite()).map(Self::Decimal)
    }

    #[expect(clippy::cast_precision_loss, reason = "only against a decimal, which has no more")]
    fn decimal(self) -> f64 {
        match self {
            Self::Integer(integer) => integer as f64,
            Self::Decimal(decimal) => decimal,
        }
    }

    pub(crate) fn compare(self, other: &Self) -> Ordering {
        match (self, *other) {
            (Self::Integer(one), Self::Integer(other)) => one.cmp(&other),
            // Neither is NaN.
            (one, other) => one.decimal().partial_cmp(&other.decimal()).unwrap_or(Ordering::Less),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_compare_exactly_and_with_decimals() {
        let number = |text| Number::parse(text).unwrap();
        let large = number("9007199254740993");
        assert_eq!(large.compare(&number("9007199254740992")), Ordering::Greater);
        assert_eq!(number("10").compare(&number("10.0")), Ordering::Equal);
        assert_eq!(number("-0.5").compare(&number("0")), Ordering::Less);
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "x", "nan", "inf", "1e999", "1 ", "0x10", "${a:b}"] {
            assert!(Number::parse(text).is_none(), "{text}");
        }
    }
}
