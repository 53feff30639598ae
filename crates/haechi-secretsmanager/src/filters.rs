//! Filters of `ListSecrets` and `BatchGetSecretValue`.
//!
//! Source: User Guide, "Find secrets": one value of a filter must match, `!` before it turns it round,
//! and all filters must match. Names and tags match by their beginning. Descriptions, and all
//! attributes together, match by words: each word of the value begins one, in any case (which the
//! guide says of `all` alone; tests that others ran against AWS show it of descriptions too).

use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::shapes::{Filter, FilterNameStringType};

use crate::secret::SecretRecord;
use crate::words;

/// What separates words, where a text has one kind of it only.
const SEPARATORS: [char; 7] = ['/', '-', '_', '+', '=', '.', '@'];

/// Filters that say what they look for, and where.
///
/// # Errors
/// `InvalidParameterException`.
pub(crate) fn checked(filters: &[Filter]) -> Result<&[Filter], Error> {
    for filter in filters {
        let Some(key) = filter.key else { return Err(words::parameter("Invalid filter key")) };
        if filter.values.as_ref().is_none_or(Vec::is_empty) {
            let message = format!("Invalid filter values for key: {}", key.as_str());
            return Err(words::parameter(message));
        }
    }
    Ok(filters)
}

/// Whether a secret passes all filters.
pub(crate) fn pass(record: &SecretRecord, filters: &[Filter]) -> bool {
    filters.iter().all(|filter| {
        let values = filter.values.as_deref().unwrap_or_default();
        values.is_empty() || values.iter().any(|value| matches(record, filter.key, value))
    })
}

fn matches(record: &SecretRecord, key: Option<FilterNameStringType>, value: &str) -> bool {
    match value.strip_prefix('!') {
        Some(value) => !found(record, key, value),
        None => found(record, key, value),
    }
}

fn found(record: &SecretRecord, key: Option<FilterNameStringType>, value: &str) -> bool {
    match key {
        Some(FilterNameStringType::Name) => record.name.starts_with(value),
        Some(FilterNameStringType::Description) => {
            says(record.description.as_deref().into_iter(), value)
        }
        Some(FilterNameStringType::TagKey) => record.tags.keys().any(|key| key.starts_with(value)),
        Some(FilterNameStringType::TagValue) => {
            record.tags.values().any(|tag| tag.starts_with(value))
        }
        Some(FilterNameStringType::PrimaryRegion) => {
            record.primary_region.as_deref().unwrap_or_default().starts_with(value)
        }
        Some(FilterNameStringType::OwningService) => {
            record.owner.as_deref().unwrap_or_default().starts_with(value)
        }
        Some(FilterNameStringType::All) | None => {
            let own =
                [Some(&record.name), record.description.as_ref(), record.primary_region.as_ref()];
            let tags = record.tags.iter().flat_map(|(key, value)| [key, value]);
            says(own.into_iter().flatten().chain(tags).map(String::as_str), value)
        }
    }
}

/// Whether each word of a value begins a word of the texts. A value without a word says nothing.
fn says<'a>(texts: impl Iterator<Item = &'a str>, value: &str) -> bool {
    let said: Vec<String> = texts.flat_map(split).collect();
    let wanted = split(value);
    !wanted.is_empty()
        && wanted.iter().all(|wanted| said.iter().any(|word| word.starts_with(wanted.as_str())))
}

/// The words of a text, in small letters. A word ends before a character that is no small letter and
/// has one behind it: `COMPANYthings` is `COMPAN` and `Ythings`, as AWS has it.
fn split(text: &str) -> Vec<String> {
    let kinds = SEPARATORS.iter().filter(|separator| text.contains(**separator)).count();
    if kinds > 1 {
        return vec![text.to_lowercase()];
    }
    let mut words = Vec::new();
    let ends = |character: char| character.is_whitespace() || SEPARATORS.contains(&character);
    for part in text.split(ends) {
        let characters: Vec<char> = part.chars().collect();
        let mut word = String::new();
        let mut grows = false;
        for (character, next) in
            characters.iter().zip(characters.iter().skip(1).map(Some).chain([None]))
        {
            let is_small = character.is_ascii_lowercase();
            let begins = !is_small && next.is_some_and(char::is_ascii_lowercase);
            if begins || (grows && !is_small) {
                words.push(std::mem::take(&mut word));
            }
            grows = begins || (grows && is_small);
            word.push(*character);
        }
        words.push(word);
    }
    words.iter().filter(|word| !word.is_empty()).map(|word| word.to_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_end_at_separators_and_capitals() {
        assert_eq!(split("SecretOne76e625"), ["secret", "one", "7", "6e", "625"]);
        assert_eq!(split("COMPANYthings"), ["compan", "ythings"]);
        assert_eq!(split("prod/AppBeta/x"), ["prod", "app", "beta", "x"]);
        assert_eq!(split("prod/App-Beta"), ["prod/app-beta"]);
        assert_eq!(split("one and two"), ["one", "and", "two"]);
        assert_eq!(split("one AND  Two"), ["one", "and", "two"]);
        assert!(split("+").is_empty());
    }

    #[test]
    fn each_word_of_a_value_begins_a_word() {
        let says = |text: &str, value: &str| says([text].into_iter(), value);
        assert!(says("one and two", "one two") && says("one and two", "o t"));
        assert!(!says("one", "one two"));
        assert!(says("DescTwo", "d t") && says("COMPANYthings", "Ythings"));
        assert!(!says("COMPANYthings", "things") && !says("Thirdsecret", "secret"));
        assert!(!says("a+b", "+"));
    }
}
