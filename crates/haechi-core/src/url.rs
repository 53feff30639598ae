//! URLs as they may be shown: without the password in them.
//!
//! Users subscribe endpoints as `https://user:password@host/…`. What is kept has the password, to
//! call by; what is shown or recorded has stars in its place, as AWS shows it.

use std::borrow::Cow;

use haechi_policy::{Policies, RecordedRequest, Request};

/// A text in which stars stand for the password, if it is a URL that has one.
pub fn without_password(text: &str) -> Cow<'_, str> {
    match around_password(text) {
        Some((before, behind)) => Cow::Owned(format!("{before}****{behind}")),
        None => Cow::Borrowed(text),
    }
}

/// What stands before the password of a URL, its colon included, and behind, from the `@` on.
fn around_password(url: &str) -> Option<(&str, &str)> {
    let start = url.find("://")? + "://".len();
    let rest = url.get(start..)?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let at = authority.rfind('@').or_else(|| at_behind_slash(authority, rest))?;
    let colon = rest.get(..at)?.find(':')?;
    Some((url.get(..=start + colon)?, rest.get(at..)?))
}

/// A password whose `/`, `?` or `#` nobody encoded makes a URL that cannot be called, and is one
/// nevertheless: what stands where a port would is none.
fn at_behind_slash(authority: &str, rest: &str) -> Option<usize> {
    let (host, port) = authority.split_once(':')?;
    let is_host = host.starts_with('[') || port.bytes().all(|byte| byte.is_ascii_digit());
    rest.rfind('@').filter(|_| !is_host)
}

/// A request as the record of its denial keeps it.
pub(crate) fn recorded(policies: &Policies<'_>, request: &Request<'_>) -> RecordedRequest {
    let mut recorded = RecordedRequest::of(policies, request);
    for value in recorded.context.values_mut().flatten() {
        if let Cow::Owned(shown) = without_password(value) {
            *value = shown;
        }
    }
    recorded
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn stars_stand_for_the_password_of_a_url() {
        for (url, shown) in [
            ("https://user:secret@host/x?y=a@b", "https://user:****@host/x?y=a@b"),
            ("http://user:a:b@c@host", "http://user:****@host"),
            ("HTTPS://user:@host", "HTTPS://user:****@host"),
            ("https://:secret@[::1]:8443/", "https://:****@[::1]:8443/"),
            ("https://user:se/cr?e#t@host/x", "https://user:****@host/x"),
            ("https://user:12ab/cd@host", "https://user:****@host"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }

    #[test]
    fn what_has_no_password_stays_as_it_is() {
        for text in [
            "https://host/x",
            "https://user@host/a:b",
            "https://host:8443/a@b:c@d",
            "https://[::1]:8443/a@b",
            "https://host/a:b@c",
            "arn:aws:sqs:us-east-1:111122223333:q",
            "someone@example.com",
            "",
        ] {
            assert_eq!(without_password(text), text);
        }
    }
}
