//! Inline policies.

use haechi_iam_model::ops::{
    CreatePolicy, DeleteUserPolicy, GetUserPolicy, ListUserPolicies, PutUserPolicy,
};
use haechi_iam_model::shapes::{
    CreatePolicyRequest, DeleteUserPolicyRequest, GetUserPolicyRequest, ListUserPoliciesRequest,
};

use crate::cast::{ALLOW_ALL, Stage, put, told};

fn of(policy: &str) -> GetUserPolicyRequest {
    let (user_name, policy_name) = ("alice".to_owned(), policy.to_owned());
    GetUserPolicyRequest { user_name, policy_name }
}

/// Undoes RFC 3986's percent-encoding, and takes nothing else for encoded.
fn decoded(text: &str) -> String {
    let (mut out, mut bytes) = (Vec::new(), text.bytes());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
            let digits = std::str::from_utf8(&digits).unwrap();
            out.push(u8::from_str_radix(digits, 16).unwrap());
        } else {
            assert!(byte.is_ascii_alphanumeric() || b"-._~".contains(&byte), "{byte}");
            out.push(byte);
        }
    }
    String::from_utf8(out).unwrap()
}

#[tokio::test]
async fn a_policy_comes_back_url_encoded_byte_for_byte() {
    let document = "{\"Version\": \"2012-10-17\",\n\t\"Statement\": [{\"Effect\":\"Allow\",\
        \"Action\":\"s3:Get*\",\"Resource\":\"arn:aws:s3:::b/a%3Ab+c d~é\"}]}";
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    stage.put_policy("alice", "p", document).await;
    let answer = stage.ok::<GetUserPolicy>(of("p")).await;
    assert!(answer.policy_document.starts_with("%7B%22Version%22%3A%20%222012-10-17%22%2C%0A%09"));
    assert_eq!(decoded(&answer.policy_document), document);
    assert_eq!((answer.user_name.as_str(), answer.policy_name.as_str()), ("alice", "p"));
}

#[tokio::test]
async fn policies_are_listed_by_name_replaced_and_deleted() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    for name in ["b", "a", "b"] {
        stage.put_policy("alice", name, ALLOW_ALL).await;
    }
    let list = || ListUserPoliciesRequest { user_name: "alice".to_owned(), ..Default::default() };
    assert_eq!(stage.ok::<ListUserPolicies>(list()).await.policy_names, ["a", "b"]);
    let delete =
        || DeleteUserPolicyRequest { user_name: "alice".to_owned(), policy_name: "a".to_owned() };
    stage.ok::<DeleteUserPolicy>(delete()).await;
    assert_eq!(stage.ok::<ListUserPolicies>(list()).await.policy_names, ["b"]);
    let missing = told("NoSuchEntity", "The user policy with name a cannot be found.");
    assert_eq!(stage.refused::<DeleteUserPolicy>(delete()).await, missing);
    assert_eq!(stage.refused::<GetUserPolicy>(of("a")).await, missing);
}

#[tokio::test]
async fn what_is_not_an_identity_policy_is_refused_in_awss_words_and_changes_nothing() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    stage.put_policy("alice", "p", ALLOW_ALL).await;
    let with_principal = ALLOW_ALL.replace("\"Action\"", "\"Principal\":\"*\",\"Action\"");
    for (document, message) in [
        ("not json", "Syntax errors in policy."),
        ("{}", "Syntax errors in policy."),
        (&with_principal, "Policy document should not specify a principal."),
    ] {
        let refused = stage.refused::<PutUserPolicy>(put("alice", "p", document)).await;
        assert_eq!(refused, told("MalformedPolicyDocument", message));
    }
    let kept = stage.ok::<GetUserPolicy>(of("p")).await.policy_document;
    assert_eq!(decoded(&kept), ALLOW_ALL);
}

fn of_length(characters: usize) -> String {
    let frame = "{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\
        \"Action\":\"s3:*\",\"Resource\":\"arn:aws:s3:::\"}}";
    let name = "x".repeat(characters - frame.len());
    frame.replace(":::", &format!(":::{name}"))
}

#[tokio::test]
async fn all_policies_of_a_user_together_have_2048_characters_at_most_white_space_not_counted() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    let exact = of_length(2048);
    assert_eq!(exact.len(), 2048);
    let spaced = exact.replacen('{', "{ \n\t", 1);
    stage.put_policy("alice", "p", &spaced).await;
    let message = "Maximum policy size of 2048 bytes exceeded for user alice";
    let too_long = told("LimitExceeded", message);
    let refused = stage.refused::<PutUserPolicy>(put("alice", "p", &of_length(2049))).await;
    assert_eq!(refused, too_long);
    let refused = stage.refused::<PutUserPolicy>(put("alice", "q", ALLOW_ALL)).await;
    assert_eq!(refused, too_long);
}

#[tokio::test]
async fn a_sid_has_letters_and_digits_only() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    let document = |sid: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"{sid}","Effect":"Allow",
                "Action":"s3:*","Resource":"*"}}]}}"#
        )
    };
    for good in ["", "Read1"] {
        stage.put_policy("alice", "p", &document(good)).await;
    }
    let words = "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the \
                 regular expression [0-9A-Za-z]*";
    for bad in ["a b", "with-dash", "straße"] {
        let refused = stage.refused::<PutUserPolicy>(put("alice", "p", &document(bad))).await;
        assert_eq!(refused, told("MalformedPolicyDocument", words));
        let input = CreatePolicyRequest {
            policy_name: "p".to_owned(),
            policy_document: document(bad),
            ..Default::default()
        };
        assert_eq!(stage.refused::<CreatePolicy>(input).await.1, words);
    }
}

#[tokio::test]
async fn names_of_policies_are_not_distinguished_by_case() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    stage.put_policy("alice", "MixedName", ALLOW_ALL).await;
    let next = ALLOW_ALL.replace("Allow", "Deny");
    stage.put_policy("alice", "mixedname", &next).await;
    let list = || ListUserPoliciesRequest { user_name: "alice".to_owned(), ..Default::default() };
    assert_eq!(stage.ok::<ListUserPolicies>(list()).await.policy_names, ["MixedName"]);
    let shown = stage.ok::<GetUserPolicy>(of("MIXEDNAME")).await;
    assert_eq!((&*shown.policy_name, decoded(&shown.policy_document)), ("MIXEDNAME", next));
    let (user_name, policy_name) = ("alice".to_owned(), "mixedName".to_owned());
    stage.ok::<DeleteUserPolicy>(DeleteUserPolicyRequest { user_name, policy_name }).await;
    assert!(stage.ok::<ListUserPolicies>(list()).await.policy_names.is_empty());
}
