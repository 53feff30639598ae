//! `Limit`, `Marker`, `NextMarker`, `Truncated`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use haechi_core::paging::Cursor;
use haechi_kms_model::Error;

/// The limit asked for, or the operation's default; the model has checked that it is positive.
pub(crate) fn limit(asked: Option<i32>, default: u32) -> u32 {
    asked.and_then(|limit| u32::try_from(limit).ok()).unwrap_or(default)
}

fn invalid() -> Error {
    Error::InvalidMarkerException("The marker is not valid.".to_owned())
}

/// The place in the store that a marker names.
pub(crate) fn cursor(marker: Option<&str>) -> Result<Option<Cursor>, Error> {
    marker.map(|text| Cursor::decode(text).ok_or_else(invalid)).transpose()
}

/// A page of names that are in order, and the marker of the next page.
pub(crate) fn page<'a>(
    names: impl Iterator<Item = &'a String>,
    marker: Option<&str>,
    limit: u32,
) -> Result<(Vec<&'a String>, Option<String>), Error> {
    let after = marker
        .map(|text| URL_SAFE_NO_PAD.decode(text).ok().and_then(|name| String::from_utf8(name).ok()))
        .map(|name| name.ok_or_else(invalid))
        .transpose()?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut rest = names.filter(|name| after.as_ref().is_none_or(|after| *name > after));
    let page: Vec<&String> = rest.by_ref().take(limit).collect();
    let more = rest.next().is_some();
    let next = page.last().filter(|_| more).map(|name| URL_SAFE_NO_PAD.encode(name.as_bytes()));
    Ok((page, next))
}

/// A page of things in any lasting order, each with a name; the marker names the last one.
pub(crate) fn page_after<'a, T>(
    items: impl Iterator<Item = &'a T>,
    name: impl Fn(&T) -> &String,
    marker: Option<&str>,
    limit: u32,
) -> Result<(Vec<&'a T>, Option<String>), Error> {
    let mut rest = items;
    if let Some(text) = marker {
        let after = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
        if !rest.any(|item| name(item).as_bytes() == after) {
            return Err(invalid());
        }
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let page: Vec<&T> = rest.by_ref().take(limit).collect();
    let last = page.last().filter(|_| rest.next().is_some());
    let next = last.map(|item| URL_SAFE_NO_PAD.encode(name(item).as_bytes()));
    Ok((page, next))
}

#[cfg(test)]
mod tests;
