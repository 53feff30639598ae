//! Names of trails, of the buckets that they deliver to, and of prefixes in these.
//!
//! Source: API Reference, CreateTrail; S3 User Guide, "General purpose bucket naming rules".

use haechi_cloudtrail_model::Error;
use haechi_core::Cx;

/// A trail as a caller named it.
pub(crate) struct TrailId {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) name: String,
    pub(crate) arn: String,
}

impl TrailId {
    /// Reads a name or an ARN.
    pub(crate) fn parse(cx: &Cx, text: &str) -> Result<TrailId, Error> {
        if !text.starts_with("arn:") {
            check_name(text)?;
            return Ok(TrailId::new(cx, text));
        }
        let mut parts = text.splitn(6, ':').skip(1);
        let mut next = || parts.next().unwrap_or_default();
        let (partition, service, region, account, resource) =
            (next(), next(), next(), next(), next());
        let name = resource.strip_prefix("trail/").unwrap_or_default();
        if service != "cloudtrail" || partition != cx.region.partition() || account.len() != 12 {
            return Err(Error::CloudTrailARNInvalidException(format!("{text} is not a valid ARN")));
        }
        check_name(name)?;
        let (account, region) = (account.to_owned(), region.to_owned());
        Ok(TrailId { account, region, name: name.to_owned(), arn: text.to_owned() })
    }

    /// The trail of this name in the caller's account and Region.
    pub(crate) fn new(cx: &Cx, name: &str) -> TrailId {
        TrailId {
            account: cx.account().to_string(),
            region: cx.region.to_string(),
            name: name.to_owned(),
            arn: cx.arn("cloudtrail", &format!("trail/{name}")),
        }
    }

    /// It is not there, or not the caller's.
    pub(crate) fn unknown(&self, cx: &Cx) -> Error {
        let (arn, account) = (&self.arn, cx.account());
        Error::TrailNotFoundException(format!("Unknown trail: {arn} for the user: {account}"))
    }
}

/// Whether a trail may have this name.
pub(crate) fn check_name(name: &str) -> Result<(), Error> {
    let refuse = |message: String| Err(Error::InvalidTrailNameException(message));
    let alphanumeric = |byte: &u8| byte.is_ascii_alphanumeric();
    let (bytes, length) = (name.as_bytes(), name.chars().count());
    if length < 3 {
        return refuse(format!(
            "Trail name too short. Minimum allowed length: 3 characters. Specified name length: {length} characters."
        ));
    }
    if length > 128 {
        return refuse(format!(
            "Trail name too long. Maximum allowed length: 128 characters. Specified name length: {length} characters."
        ));
    }
    if !bytes.first().is_some_and(alphanumeric) {
        return refuse("Trail name must starts with a letter or number.".to_owned());
    }
    if !bytes.last().is_some_and(alphanumeric) {
        return refuse("Trail name must ends with a letter or number.".to_owned());
    }
    let mark = |byte: &u8| b"._-".contains(byte);
    if !bytes.iter().all(|byte| alphanumeric(byte) || mark(byte)) {
        return refuse(
            "Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, periods (.), hyphens (-), and underscores (_)."
                .to_owned(),
        );
    }
    let adjacent = bytes.windows(2).any(|pair| pair.iter().all(mark));
    if adjacent || is_address(name) {
        return refuse("Trail name cannot have adjacent periods, underscores or dashes, or be in IP address format.".to_owned());
    }
    Ok(())
}

/// Whether this can be the name of a bucket. Every such bucket exists: it is a folder.
pub(crate) fn check_bucket(name: &str) -> Result<(), Error> {
    let edge = |byte: Option<&u8>| {
        byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    let bytes = name.as_bytes();
    let inside = |byte: &u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-')
    };
    let valid = (3..=63).contains(&bytes.len())
        && edge(bytes.first())
        && edge(bytes.last())
        && bytes.iter().all(inside)
        && !name.contains("..")
        && !is_address(name);
    if valid {
        return Ok(());
    }
    Err(Error::InvalidS3BucketNameException(format!("Bucket name {name} is not valid.")))
}

/// Whether keys may begin with this. It names folders too, so nothing in it may lead elsewhere.
pub(crate) fn check_prefix(prefix: &str) -> Result<(), Error> {
    let shown = |byte: u8| byte.is_ascii_alphanumeric() || b"!-_.*'()/ +=:@".contains(&byte);
    let valid = prefix.len() <= 200
        && prefix.bytes().all(shown)
        && prefix.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if valid {
        return Ok(());
    }
    Err(Error::InvalidS3PrefixException(format!("S3 prefix {prefix} is not valid.")))
}

fn is_address(name: &str) -> bool {
    name.parse::<std::net::Ipv4Addr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trail_names_are_as_aws_takes_them() {
        for right in ["abc", "a-b_c.d", "Trail1", &"a".repeat(128)] {
            assert!(check_name(right).is_ok(), "{right}");
        }
        let long = "a".repeat(129);
        for wrong in ["", "ab", &long, "-abc", "abc-", "a--b", "a._b", "a b", "é1é", "10.0.0.1"] {
            assert!(check_name(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn no_bucket_or_prefix_leads_out_of_the_folder() {
        for wrong in ["..", "a..b", "a/b", "/etc", "AAA", "ab", "1.2.3.4", "-ab", ".hidden"] {
            assert!(check_bucket(wrong).is_err(), "{wrong}");
        }
        assert!(check_bucket("my.logs-2").is_ok());
        for wrong in ["../x", "a/../b", "/a", "a/", "a//b", ".", "a\0b"] {
            assert!(check_prefix(wrong).is_err(), "{wrong}");
        }
        assert!(check_prefix("one/two words").is_ok());
    }
}
