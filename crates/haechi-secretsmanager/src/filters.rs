//! Filters of `ListSecrets` and `BatchGetSecretValue`.
//!
//! Source: User Guide, "Find secrets": a value matches the beginning, `!` before it turns it round;
//! one value of a filter must match, and all filters.

use haechi_secretsmanager_model::shapes::{Filter, FilterNameStringType};

use crate::secret::SecretRecord;

/// Whether a secret passes all filters.
pub(crate) fn pass(record: &SecretRecord, filters: &[Filter]) -> bool {
    filters.iter().all(|filter| {
        let values = filter.values.as_deref().unwrap_or_default();
        values.is_empty() || values.iter().any(|value| matches(record, filter.key, value))
    })
}

fn matches(record: &SecretRecord, key: Option<FilterNameStringType>, value: &str) -> bool {
    match value.strip_prefix('!') {
        Some(value) => !begins(record, key, value),
        None => begins(record, key, value),
    }
}

fn begins(record: &SecretRecord, key: Option<FilterNameStringType>, value: &str) -> bool {
    match key {
        Some(FilterNameStringType::Name) => record.name.starts_with(value),
        Some(FilterNameStringType::Description) => {
            let description = record.description.as_deref().unwrap_or_default();
            description.to_lowercase().starts_with(&value.to_lowercase())
        }
        Some(FilterNameStringType::TagKey) => record.tags.keys().any(|key| key.starts_with(value)),
        Some(FilterNameStringType::TagValue) => {
            record.tags.values().any(|tag| tag.starts_with(value))
        }
        Some(FilterNameStringType::PrimaryRegion) => {
            record.primary_region.as_deref().unwrap_or_default().starts_with(value)
        }
        // No secret here belongs to another service.
        Some(FilterNameStringType::OwningService) => value.is_empty(),
        Some(FilterNameStringType::All) | None => anywhere(record, value),
    }
}

/// Whether each word of a value is somewhere in what a secret says, in any case.
fn anywhere(record: &SecretRecord, value: &str) -> bool {
    let texts = [Some(&record.name), record.description.as_ref(), record.primary_region.as_ref()];
    let tags = record.tags.iter().flat_map(|(key, value)| [key, value]);
    let texts: Vec<String> =
        texts.into_iter().flatten().chain(tags).map(|text| text.to_lowercase()).collect();
    let words = value.to_lowercase();
    words.split_whitespace().all(|word| texts.iter().any(|text| text.contains(word)))
}
