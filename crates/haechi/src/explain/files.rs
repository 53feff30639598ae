//! Policies in files: as they are written, and as AWS's clients print them.

use std::path::Path;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::{Collected, Given, Question, Who, old_language, principal};
use crate::Failure;
use haechi_wire::Timestamp;

/// Members in which AWS's answers carry a policy.
const CARRIERS: [&str; 8] = [
    "Policy",
    "PolicyDocument",
    "PolicyVersion",
    "Document",
    "Content",
    "AssumeRolePolicyDocument",
    "Role",
    "PolicyText",
];

/// The deepest nesting of such members.
const DEPTH_MAX: usize = 4;

/// Reads a policy.
///
/// # Errors
/// If the file cannot be read, or there is no policy in it.
pub fn read(path: &Path) -> Result<Given, Failure> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
    let text = policy(&text, DEPTH_MAX).ok_or_else(|| {
        format!("{name}: there is no policy in it, that is no JSON object with a Statement")
    })?;
    Ok(Given { name, text })
}

/// The policy in a text: itself, or what AWS's answer around it carries, encoded or not.
fn policy(text: &str, depth: usize) -> Option<String> {
    let text = text.trim();
    let decoded = percent_decode_str(text).decode_utf8().ok().filter(|_| text.starts_with('%'));
    let text = decoded.as_deref().unwrap_or(text);
    let Value::Object(members) = serde_json::from_str(text).ok()? else { return None };
    if members.contains_key("Statement") {
        // As it was written: members that stand twice are for the evaluator to refuse.
        return Some(text.to_owned());
    }
    let depth = depth.checked_sub(1)?;
    CARRIERS.iter().filter_map(|name| members.get(*name)).find_map(|carried| match carried {
        Value::String(text) => policy(text, depth),
        other => policy(&other.to_string(), depth),
    })
}

/// What decides a question where only the given policies count.
///
/// # Errors
/// If nobody is asked about.
pub fn collect(question: &Question, now: Timestamp) -> Result<Collected, Failure> {
    let principal = match &question.who {
        Who::Named(name) => principal(name)?,
        Who::Recorded(principal) => principal.clone(),
    };
    let mut collected = Collected::new(question, principal, now);
    if question.service() == "kms" && question.given.resource.is_none() {
        collected.notes.push(
            "no key policy was given: taken as one that leaves it to the account's policies"
                .to_owned(),
        );
    }
    collected.notes.extend(question.given.identity.iter().filter_map(old_language));
    Ok(collected)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[]}"#;

    #[test]
    fn a_policy_is_found_in_what_clients_print() {
        let quoted = serde_json::to_string(POLICY).unwrap();
        let encoded =
            percent_encoding::utf8_percent_encode(POLICY, percent_encoding::NON_ALPHANUMERIC);
        for text in [
            POLICY.to_owned(),
            format!(r#"{{"Policy":{quoted},"PolicyName":"default"}}"#),
            format!(r#"{{"PolicyVersion":{{"Document":{POLICY},"VersionId":"v1"}}}}"#),
            format!(r#"{{"UserName":"a","PolicyDocument":"{encoded}"}}"#),
            format!(r#"{{"Role":{{"AssumeRolePolicyDocument":{POLICY}}}}}"#),
            format!(r#"{{"Policy":{{"PolicySummary":{{}},"Content":{quoted}}}}}"#),
        ] {
            let found = policy(&text, DEPTH_MAX).unwrap_or_else(|| panic!("{text}"));
            let found: Value = serde_json::from_str(&found).unwrap();
            assert_eq!(found, serde_json::from_str::<Value>(POLICY).unwrap(), "{text}");
        }
        for text in ["", "[]", "{}", r#"{"Policy":"text"}"#] {
            assert_eq!(policy(text, DEPTH_MAX), None, "{text}");
        }
    }
}
