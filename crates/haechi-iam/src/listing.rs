//! Markers: pages of a list that is in memory.

use haechi_core::paging::Cursor;
use haechi_iam_model::Error;
use haechi_wire::Fault;

/// What a page holds if the caller names no number (API reference, `MaxItems`).
const ITEMS_DEFAULT: usize = 100;

/// A page, and the marker of the next.
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) marker: Option<String>,
}

/// The place that a marker names.
pub(crate) fn place(marker: &str) -> Option<String> {
    Cursor::decode(marker).and_then(|cursor| String::from_utf8(cursor.0).ok())
}

/// The items after the one that `marker` names. `items` is in the order of `key`, which is unique.
pub(crate) fn page<T>(
    items: impl Iterator<Item = T>,
    key: impl Fn(&T) -> String,
    marker: Option<&str>,
    items_max: Option<i32>,
) -> Result<Page<T>, Error> {
    let after = match marker {
        None => None,
        Some(text) => {
            let invalid = || Fault::Validation("Invalid Marker.".to_owned());
            Some(place(text).ok_or_else(invalid)?)
        }
    };
    let limit = items_max.and_then(|count| usize::try_from(count).ok()).unwrap_or(ITEMS_DEFAULT);
    let mut rest = items.skip_while(|item| after.as_ref().is_some_and(|last| key(item) <= *last));
    let items: Vec<T> = rest.by_ref().take(limit.max(1)).collect();
    let marker = match (rest.next(), items.last()) {
        (Some(_), Some(last)) => Some(Cursor(key(last).into_bytes()).encode()),
        _ => None,
    };
    Ok(Page { items, marker })
}
