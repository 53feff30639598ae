//! Which services of AWS there are, as `Principal` names them.
//!
//! AWS refuses a trust policy whose service does not exist; it publishes no list. The one here
//! (`principals.txt`, generated) knows every service that AWS's own tables and managed policies
//! name. Beyond it count forms of those: of one Region (`logs.eu-west-1.amazonaws.com`), of China,
//! and parts of a service (`replication.ecr.amazonaws.com`), of which no list is complete.

use std::collections::HashSet;
use std::sync::LazyLock;

static NAMES: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    let lines = include_str!("principals.txt").lines();
    lines.filter(|line| !line.starts_with('#')).collect()
});

/// What service principals end in.
const SUFFIXES: [&str; 2] = [".amazonaws.com", ".amazonaws.com.cn"];

/// Whether there is a service with this service principal, as far as is known.
#[must_use]
pub fn is_service_principal(name: &str) -> bool {
    if NAMES.contains(name) && name.contains('.') && !SUFFIXES.iter().any(|end| name.ends_with(end))
    {
        // `alexa-appkit.amazon.com`: under no domain of AWS's.
        return name.ends_with(".amazon.com");
    }
    let Some(rest) = SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix)) else {
        return false;
    };
    let labels: Vec<&str> = rest.split('.').filter(|label| !is_region(label)).collect();
    if labels.iter().any(|label| !is_label(label)) {
        return false;
    }
    (0..labels.len())
        .filter_map(|from| labels.get(from..))
        .any(|part| NAMES.contains(part.join(".").as_str()))
}

fn is_label(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(is_part)
}

/// `eu-west-1`, `us-gov-east-1`.
fn is_region(label: &str) -> bool {
    let parts: Vec<&str> = label.split('-').collect();
    let [first, between @ .., number] = parts.as_slice() else { return false };
    let is_word = |text: &&str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase());
    (2..=4).contains(&first.len())
        && is_word(first)
        && !between.is_empty()
        && between.iter().all(is_word)
        && (1..=2).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_in_all_forms_of_their_names_are_known() {
        for name in [
            "ec2.amazonaws.com",
            "lambda.amazonaws.com",
            "ecs-tasks.amazonaws.com",
            "edgelambda.amazonaws.com",
            "kms.amazonaws.com",
            "cks.kms.amazonaws.com",
            "logs.eu-west-1.amazonaws.com",
            "delivery.logs.amazonaws.com",
            "states.us-gov-west-1.amazonaws.com",
            "ec2.amazonaws.com.cn",
            "dynamodb.application-autoscaling.amazonaws.com",
            "scheduler.amazonaws.com",
            "alexa-appkit.amazon.com",
        ] {
            assert!(is_service_principal(name), "{name}");
        }
    }

    #[test]
    fn what_is_no_service_is_not_known() {
        for name in [
            "foo.example.com",
            "lambda.amazon.com",
            "lamda.amazonaws.com",
            "lambda.amazonaws.com.evil.org",
            "amazonaws.com",
            ".amazonaws.com",
            "eu-west-1.amazonaws.com",
            "lambda..amazonaws.com",
            "LAMBDA.amazonaws.com",
            "lambda",
            "*.amazonaws.com",
            "",
        ] {
            assert!(!is_service_principal(name), "{name}");
        }
    }
}
