//! Data types: what a value must look like.
//!
//! Source: User Guide, "Parameter data types in Parameter Store".

use std::net::{Ipv4Addr, Ipv6Addr};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use haechi_core::{AccountId, Region};
use haechi_ssm_model::Error;
use haechi_ssm_model::shapes::ParameterType;

use crate::error::invalid;

/// The data type of what names none.
pub(crate) const TEXT: &str = "text";
const IMAGE: &str = "aws:ec2:image";
const INTEGRATION: &str = "aws:ssm:integration";

/// All of them.
pub(crate) const ALL: [&str; 16] = [
    TEXT,
    IMAGE,
    INTEGRATION,
    "aws:region",
    "aws:account:id",
    "boolean",
    "integer",
    "float",
    "binary",
    "hostname",
    "email",
    "ipv4-address",
    "ipv6-address",
    "url",
    "json",
    "jsonc",
];

/// Whether it is for advanced parameters only.
pub(crate) fn needs_advanced(data_type: &str) -> bool {
    matches!(data_type, "url" | "json" | "jsonc")
}

/// Whether a parameter of one data type may become one of another.
pub(crate) fn may_become(old: &str, new: &str) -> bool {
    let fixed = |name: &str| matches!(name, IMAGE | INTEGRATION);
    old == new || !(fixed(old) || fixed(new))
}

/// Checks that a value is of a data type, which must be one.
pub(crate) fn check(data_type: &str, kind: ParameterType, value: &str) -> Result<(), Error> {
    if !ALL.contains(&data_type) {
        return Err(invalid(format!(
            "The following data type is not supported: {data_type} (Data type names are all \
             lowercase.)"
        )));
    }
    let suits = match data_type {
        TEXT => true,
        IMAGE => kind == ParameterType::String,
        INTEGRATION => kind == ParameterType::SecureString,
        _ if needs_advanced(data_type) => kind != ParameterType::StringList,
        _ => true,
    };
    if !suits {
        return Err(invalid(format!(
            "The data type {data_type} is not supported for parameters of type {}.",
            kind.as_str()
        )));
    }
    let conforms = match kind {
        ParameterType::StringList => value.split(',').all(|item| conforms(data_type, item)),
        _ => conforms(data_type, value),
    };
    if conforms {
        return Ok(());
    }
    // The value may be a secret: it is not repeated.
    Err(invalid(format!("The parameter value does not conform to the data type {data_type}.")))
}

fn conforms(data_type: &str, value: &str) -> bool {
    match data_type {
        IMAGE => is_image(value),
        "aws:region" => Region::parse(value).is_some(),
        "aws:account:id" => AccountId::parse(value).is_some(),
        "boolean" => matches!(value, "true" | "false"),
        "integer" => value.parse::<i64>().is_ok(),
        "float" => is_float(value),
        "binary" => STANDARD.decode(value).is_ok(),
        "hostname" => is_hostname(value),
        "email" => is_email(value),
        "ipv4-address" => value.parse::<Ipv4Addr>().is_ok(),
        "ipv6-address" => value.parse::<Ipv6Addr>().is_ok(),
        "url" => is_url(value),
        "json" => is_json(value),
        "jsonc" => is_json(&without_comments(value)),
        _ => true,
    }
}

fn is_image(value: &str) -> bool {
    let rest = value.strip_prefix("ami-").unwrap_or_default();
    matches!(rest.len(), 8 | 17) && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Digits, maybe a point, maybe an exponent; Rust's `inf` and `nan` are no numbers here.
fn is_float(value: &str) -> bool {
    let plain =
        |byte: u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E');
    value.bytes().all(plain) && value.parse::<f64>().is_ok_and(f64::is_finite)
}

/// Source: RFC 1123, section 2.1.
fn is_hostname(value: &str) -> bool {
    let label = |text: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !text.is_empty()
            && text.len() <= 63
            && !text.starts_with('-')
            && !text.ends_with('-')
            && text.bytes().all(inner)
    };
    !value.is_empty() && value.len() <= 253 && value.split('.').all(label)
}

/// Source: RFC 5322, the part without quotes and comments.
fn is_email(value: &str) -> bool {
    let Some((local, domain)) = value.rsplit_once('@') else { return false };
    let atom = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
    let dotted = local.split('.').all(|part| !part.is_empty() && part.bytes().all(atom));
    dotted && local.len() <= 64 && domain.contains('.') && is_hostname(domain)
}

/// Source: RFC 3986: a scheme, an authority, and no character that must be escaped.
fn is_url(value: &str) -> bool {
    let Some((scheme, rest)) = value.split_once("://") else { return false };
    let mut letters = scheme.bytes();
    let begins = letters.next().is_some_and(|byte| byte.is_ascii_alphabetic());
    let goes_on =
        letters.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte);
    begins && goes_on && !authority.is_empty() && rest.bytes().all(plain)
}

fn is_json(value: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(value).is_ok()
}

/// JSON with blanks in place of `//` and `/* */` comments outside of strings.
fn without_comments(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut characters = value.chars().peekable();
    let mut quoted = false;
    while let Some(character) = characters.next() {
        match (character, characters.peek()) {
            ('\\', Some(_)) if quoted => {
                out.push(character);
                out.extend(characters.next());
            }
            ('"', _) => {
                quoted = !quoted;
                out.push(character);
            }
            ('/', Some('/')) if !quoted => {
                characters.by_ref().find(|next| *next == '\n');
                out.push(' ');
            }
            ('/', Some('*')) if !quoted => {
                characters.next();
                let mut star = false;
                let closed = characters.by_ref().any(|next| {
                    let end = star && next == '/';
                    star = next == '*';
                    end
                });
                // One that does not end is no comment.
                out.push(if closed { ' ' } else { '/' });
            }
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(data_type: &str, value: &str) -> bool {
        check(data_type, ParameterType::String, value).is_ok()
    }

    #[test]
    fn each_data_type_takes_what_conforms_and_nothing_else() {
        for (data_type, good, bad) in [
            ("text", "anything at all", None),
            ("aws:ec2:image", "ami-0123456789abcdef0", Some("ami-012")),
            ("aws:region", "eu-west-1", Some("europe")),
            ("aws:account:id", "123456789012", Some("12345678901")),
            ("boolean", "true", Some("True")),
            ("integer", "-42", Some("4.2")),
            ("float", "6.02e23", Some("NaN")),
            ("binary", "aGFlY2hp", Some("aGFlY2h")),
            ("hostname", "db-1.example.com", Some("-db.example.com")),
            ("email", "a.b+c@example.com", Some("a..b@example.com")),
            ("ipv4-address", "192.0.2.1", Some("192.0.2.256")),
            ("ipv6-address", "2001:db8::1", Some("192.0.2.1")),
            ("url", "https://example.com/a?b=c#d", Some("example.com/a b")),
            ("json", r#"{"a":[1,null]}"#, Some("{'a':1}")),
            ("jsonc", "{ // one\n\"a\": /* two */ \"//no\" }", Some("{ /* \"a\": 1 }")),
        ] {
            assert!(takes(data_type, good), "{data_type} {good}");
            if let Some(bad) = bad {
                assert!(!takes(data_type, bad), "{data_type} {bad}");
            }
        }
        assert!(!takes("Integer", "1"));
    }

    #[test]
    fn each_item_of_a_list_must_conform() {
        let list = |value| check("integer", ParameterType::StringList, value);
        assert!(list("1,2,3").is_ok());
        assert!(list("1,b,3").is_err());
    }

    #[test]
    fn an_image_stays_an_image() {
        assert!(may_become("text", "integer"));
        assert!(!may_become("text", "aws:ec2:image"));
        assert!(!may_become("aws:ssm:integration", "text"));
        assert!(may_become("aws:ec2:image", "aws:ec2:image"));
    }
}
