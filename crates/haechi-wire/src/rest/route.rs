//! From method and path to an operation.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// What the model says of where an operation is called.
#[derive(Debug)]
pub struct Route {
    /// The operation's name.
    pub operation: &'static str,
    /// HTTP method.
    pub method: &'static str,
    /// URI pattern: `/functions/{FunctionName}/aliases/{Name}`; `{Key+}` takes the rest of the
    /// path; after `?` stand parameters that must be there.
    pub uri: &'static str,
}

/// The operation that a request is for. Where several fit, the one whose pattern says most in plain
/// text: `/functions/settings` before `/functions/{Name}`.
pub fn find(routes: &[Route], method: &str, path: &str, query: &str) -> Option<&'static str> {
    let fits = |route: &&Route| {
        let (pattern, wanted) = route.uri.split_once('?').unwrap_or((route.uri, ""));
        route.method == method
            && labels(pattern, path).is_some()
            && wanted.split('&').filter(|part| !part.is_empty()).all(|part| has(query, part))
    };
    let best = routes.iter().filter(fits).max_by_key(|route| plainness(route.uri))?;
    Some(best.operation)
}

/// Segments in plain text, and that no label takes several of them, count; then parameters.
fn plainness(uri: &str) -> (usize, bool, usize) {
    let (pattern, wanted) = uri.split_once('?').unwrap_or((uri, ""));
    let plain = segments(pattern).filter(|segment| !segment.starts_with('{')).count();
    let parameters = wanted.split('&').filter(|part| !part.is_empty()).count();
    (plain, !pattern.contains("+}"), parameters)
}

fn has(query: &str, wanted: &str) -> bool {
    query.split('&').any(|part| part == wanted || part.split('=').next() == Some(wanted))
}

/// Parts between slashes. One slash at the end more or less is no difference: models and clients
/// do not agree on it.
fn segments(path: &str) -> impl Iterator<Item = &str> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    (!path.is_empty()).then(|| path.split('/')).into_iter().flatten()
}

/// The labels of a pattern with what stands in their places, decoded; `None` if the path does not
/// fit. Labels are never empty.
pub(super) fn labels<'a>(
    pattern: &'static str,
    path: &'a str,
) -> Option<Vec<(&'static str, Cow<'a, str>)>> {
    let mut found = Vec::new();
    let mut rest = segments(path);
    for segment in segments(pattern) {
        let label = segment.strip_prefix('{').and_then(|label| label.strip_suffix('}'));
        let Some(label) = label else {
            if rest.next()? != segment {
                return None;
            }
            continue;
        };
        if let Some(greedy) = label.strip_suffix('+') {
            let all: Vec<&str> = rest.by_ref().collect();
            if all.is_empty() {
                return None;
            }
            let decoded = percent_decode_str(&all.join("/")).decode_utf8().ok()?.into_owned();
            found.push((greedy, Cow::Owned(decoded)));
            return Some(found);
        }
        let value = percent_decode_str(rest.next()?).decode_utf8().ok()?;
        if value.is_empty() {
            return None;
        }
        found.push((label, value));
    }
    if rest.next().is_some() { None } else { Some(found) }
}
