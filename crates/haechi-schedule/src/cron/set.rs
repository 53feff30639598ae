//! Numbers of a field.

/// Numbers in order, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Set(Vec<i16>);

impl Set {
    /// `*`, `1`, `1-5`, `1,3`, `*/8`, `2/6`, `0-30/10`, within bounds. `names` stand for the numbers
    /// from the lower bound on.
    pub(super) fn parse(text: &str, bounds: (i16, i16), names: &[&str]) -> Option<Set> {
        let mut values = Vec::new();
        for part in text.split(',') {
            let (range, step) = match part.split_once('/') {
                Some((range, step)) => (range, Some(digits(step).filter(|step| *step > 0)?)),
                None => (part, None),
            };
            let (from, to) = match (range, range.split_once('-')) {
                ("*", _) => bounds,
                (_, Some((from, to))) => (number(from, bounds, names)?, number(to, bounds, names)?),
                (one, None) => {
                    let from = number(one, bounds, names)?;
                    (from, if step.is_some() { bounds.1 } else { from })
                }
            };
            if from > to {
                return None;
            }
            values.extend((from..=to).step_by(usize::try_from(step.unwrap_or(1)).ok()?));
        }
        values.sort_unstable();
        values.dedup();
        Some(Set(values))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = i16> + '_ {
        self.0.iter().copied()
    }

    pub(super) fn contains(&self, value: i16) -> bool {
        self.0.binary_search(&value).is_ok()
    }
}

/// A number without a sign.
fn digits(text: &str) -> Option<i16> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

/// A number within bounds, or the name of one.
pub(super) fn number(text: &str, bounds: (i16, i16), names: &[&str]) -> Option<i16> {
    let named = names.iter().position(|name| name.eq_ignore_ascii_case(text));
    let value = match named {
        Some(index) => bounds.0 + i16::try_from(index).ok()?,
        None => digits(text)?,
    };
    (bounds.0..=bounds.1).contains(&value).then_some(value)
}
