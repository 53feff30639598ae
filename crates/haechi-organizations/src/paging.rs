//! `MaxResults` and `NextToken`: pages of lists that are in memory and in the order of a key.

use haechi_core::paging::Cursor;
use haechi_organizations_model::Error;

use crate::error::invalid;

/// Items of a page, where the caller names no number.
const PAGE_DEFAULT: usize = 20;

/// A page, and the token of the next. `items` are in the order of `key`, which is unique.
pub(crate) fn page<T>(
    mut items: Vec<T>,
    key: impl Fn(&T) -> String,
    token: Option<&str>,
    results_max: Option<i32>,
) -> Result<(Option<Vec<T>>, Option<String>), Error> {
    if let Some(token) = token {
        let last = Cursor::decode(token).and_then(|cursor| String::from_utf8(cursor.0).ok());
        let last = last
            .ok_or_else(|| invalid("INVALID_NEXT_TOKEN", "You provided an invalid next token."))?;
        items.retain(|item| key(item) > last);
    }
    items.sort_by_cached_key(&key);
    let limit = results_max.and_then(|most| usize::try_from(most).ok()).unwrap_or(PAGE_DEFAULT);
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(|last| Cursor(key(last).into_bytes()).encode());
    Ok((Some(items), next))
}
