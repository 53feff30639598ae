//! Names that are valid once they exist.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Text that is not the name it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {wanted}")]
pub struct NameError {
    text: String,
    wanted: &'static str,
}

/// An AWS account: 12 digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountId(String);

impl AccountId {
    /// Accepts exactly 12 digits.
    pub fn parse(text: &str) -> Option<AccountId> {
        let valid = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
        valid.then(|| AccountId(text.to_owned()))
    }

    /// Where an account is named and there is none: of a request without a signature, as CloudTrail
    /// writes it. It is nobody's, for it has no digits.
    pub fn anonymous() -> AccountId {
        AccountId("anonymous".to_owned())
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for AccountId {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<AccountId> for String {
    fn from(name: AccountId) -> String {
        name.0
    }
}

impl FromStr for AccountId {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let wanted = "an account id: 12 digits";
        AccountId::parse(text).ok_or_else(|| NameError { text: text.to_owned(), wanted })
    }
}

/// An AWS Region. Any name of the form of AWS's is one; each is separate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Region(String);

impl Region {
    /// Accepts `us-east-1`, `eu-isoe-west-1`, `eusc-de-east-1` and their like.
    pub fn parse(text: &str) -> Option<Region> {
        let is_word =
            |part: &[u8]| (2..=12).contains(&part.len()) && part.iter().all(u8::is_ascii_lowercase);
        let is_number =
            |part: &[u8]| (1..=2).contains(&part.len()) && part.iter().all(u8::is_ascii_digit);
        // Bytes, not text: each request has one to be read, and they are short.
        let mut parts = text.as_bytes().split(|byte| *byte == b'-');
        let (mut words, number) = (0, parts.next_back());
        let valid = number.is_some_and(is_number)
            && parts.all(|part| {
                words += 1;
                is_word(part)
            })
            && (2..=3).contains(&words);
        valid.then(|| Region(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where services without Regions are said to be, in this partition.
    pub fn of_global_services(&self) -> &str {
        match self.partition() {
            "aws" => "us-east-1",
            "aws-cn" => "cn-north-1",
            "aws-us-gov" => "us-gov-west-1",
            _ => self.as_str(),
        }
    }

    /// The partition it belongs to, as it stands in ARNs.
    pub fn partition(&self) -> &'static str {
        let starts = |prefix| self.0.starts_with(prefix);
        if starts("cn-") {
            "aws-cn"
        } else if starts("us-gov-") {
            "aws-us-gov"
        } else if starts("eusc-") {
            "aws-eusc"
        } else if starts("us-iso-") {
            "aws-iso"
        } else if starts("us-isob-") {
            "aws-iso-b"
        } else if starts("eu-isoe-") {
            "aws-iso-e"
        } else if starts("us-isof-") {
            "aws-iso-f"
        } else {
            "aws"
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for Region {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<Region> for String {
    fn from(name: Region) -> String {
        name.0
    }
}

impl FromStr for Region {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let wanted = "the name of a Region, such as us-east-1";
        Region::parse(text).ok_or_else(|| NameError { text: text.to_owned(), wanted })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_twelve_digits() {
        assert!(AccountId::parse("000000000000").is_some());
        for wrong in
            ["", "00000000000", "0000000000000", "00000000000a", "００００００００００００"]
        {
            assert!(AccountId::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn regions_have_the_form_of_aws() {
        for right in
            ["us-east-1", "ap-southeast-5", "us-gov-west-1", "us-iso-east-1", "eusc-de-east-1"]
        {
            assert!(Region::parse(right).is_some(), "{right}");
        }
        for wrong in
            ["", "us", "us-east", "us-east-a", "US-EAST-1", "us/east/1", "a-b-1", "us-east-1-"]
        {
            assert!(Region::parse(wrong).is_none(), "{wrong}");
        }
        assert_eq!(Region::parse("cn-north-1").unwrap().partition(), "aws-cn");
    }

    #[test]
    fn each_published_region_has_its_name_and_its_partition() {
        let mut count = 0;
        for (name, partition) in crate::regions::published() {
            let region = Region::parse(name).unwrap();
            assert_eq!(region.partition(), partition, "{name}");
            count += 1;
        }
        assert!(count > 40, "{count}");
        assert!(crate::regions::is_published("eu-central-2"));
        assert!(!crate::regions::is_published("eu-central-9"));
    }
}
