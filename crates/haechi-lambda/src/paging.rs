//! Pages of names that are sorted.

use haechi_core::paging::Cursor;

/// Items in an answer, at most.
const PAGE_MAX: usize = 50;

/// A page of sorted items, and the marker of the next. The marker is the name of the last shown.
pub(crate) fn page<T>(
    mut items: Vec<T>,
    name: impl Fn(&T) -> String,
    size: Option<i32>,
    marker: Option<&str>,
) -> (Vec<T>, Option<String>) {
    let after = marker.and_then(Cursor::decode);
    let after = after.and_then(|cursor| String::from_utf8(cursor.0).ok());
    if let Some(after) = after {
        items.retain(|item| name(item) > after);
    }
    let size = size.and_then(|size| usize::try_from(size).ok()).filter(|size| *size > 0);
    let size = size.unwrap_or(PAGE_MAX).min(PAGE_MAX);
    let more = items.len() > size;
    items.truncate(size);
    let last = items.last().filter(|_| more);
    let next = last.map(|last| Cursor(name(last).into_bytes()).encode());
    (items, next)
}
