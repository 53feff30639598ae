//! `Limit`, `Marker`, `NextMarker`, `Truncated`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use haechi_core::Cx;
use haechi_core::paging::Cursor;
use haechi_kms_model::Error;

/// The limit asked for, or the operation's default; the model has checked that it is positive.
pub(crate) fn limit(asked: Option<i32>, default: u32) -> u32 {
    asked.and_then(|limit| u32::try_from(limit).ok()).unwrap_or(default)
}

fn invalid() -> Error {
    Error::InvalidMarkerException("The marker is not valid.".to_owned())
}

/// What a listing is of: a marker counts in the listing that handed it out and in no other.
/// `part` tells listings of one operation apart, as the id of the key does.
pub(crate) fn scope(cx: &Cx, part: &str) -> String {
    format!("{} {} {} {part}", cx.operation.name, cx.account(), cx.region)
}

/// A marker of this listing, for a place in it.
fn write(scope: &str, place: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode([scope.as_bytes(), b"\0", place].concat())
}

/// The place that a marker of this listing names.
fn read(scope: &str, marker: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(marker).ok()?;
    Some(bytes.strip_prefix(scope.as_bytes())?.strip_prefix(b"\0")?.to_vec())
}

/// The place in the store that a marker names.
pub(crate) fn cursor(scope: &str, marker: Option<&str>) -> Result<Option<Cursor>, Error> {
    let place = |text| read(scope, text).filter(|key| !key.is_empty()).ok_or_else(invalid);
    Ok(marker.map(place).transpose()?.map(Cursor))
}

/// The marker of a place in the store.
pub(crate) fn marker(scope: &str, cursor: &Cursor) -> String {
    write(scope, &cursor.0)
}

/// The marker before all names of a listing.
pub(crate) fn start(scope: &str) -> String {
    write(scope, b"")
}

/// Whether a marker is of this listing.
pub(crate) fn is_of(scope: &str, marker: &str) -> bool {
    read(scope, marker).is_some()
}

/// A page of names that are in order, and the marker of the next page.
pub(crate) fn page<'a>(
    scope: &str,
    names: impl Iterator<Item = &'a String>,
    marker: Option<&str>,
    limit: u32,
) -> Result<(Vec<&'a String>, Option<String>), Error> {
    let after = marker.map(|text| read(scope, text).ok_or_else(invalid)).transpose()?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let later = |name: &&String| after.as_deref().is_none_or(|after| name.as_bytes() > after);
    let mut rest = names.filter(later);
    let page: Vec<&String> = rest.by_ref().take(limit).collect();
    let more = rest.next().is_some();
    let next = page.last().filter(|_| more).map(|name| write(scope, name.as_bytes()));
    Ok((page, next))
}

/// A page of things in any lasting order, each with a name; the marker names the last one.
pub(crate) fn page_after<'a, T>(
    scope: &str,
    items: impl Iterator<Item = &'a T>,
    name: impl Fn(&T) -> &String,
    marker: Option<&str>,
    limit: u32,
) -> Result<(Vec<&'a T>, Option<String>), Error> {
    let mut rest = items;
    if let Some(text) = marker {
        let after = read(scope, text).ok_or_else(invalid)?;
        if !rest.any(|item| name(item).as_bytes() == after) {
            return Err(invalid());
        }
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let page: Vec<&T> = rest.by_ref().take(limit).collect();
    let last = page.last().filter(|_| rest.next().is_some());
    let next = last.map(|item| write(scope, name(item).as_bytes()));
    Ok((page, next))
}

#[cfg(test)]
mod tests;
