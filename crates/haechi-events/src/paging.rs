//! Pages of sorted names; the token is the last name of the page before.

/// Items in a page, at most and unless a caller wants fewer.
const PAGE_MAX: usize = 100;

/// Cuts a page out of items that are sorted by `name`.
pub(crate) fn page<T>(
    mut items: Vec<T>,
    name: impl Fn(&T) -> &str,
    limit: Option<i32>,
    token: Option<&str>,
) -> (Vec<T>, Option<String>) {
    if let Some(last) = token {
        items.retain(|item| name(item) > last);
    }
    let size = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(PAGE_MAX);
    let more = items.len() > size;
    items.truncate(size);
    let next = items.last().filter(|_| more).map(|item| name(item).to_owned());
    (items, next)
}
