use super::files::collect;
use super::*;

const ALLOW: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:*",
    "Resource":"*","Condition":{"StringEquals":{"kms:EncryptionContext:project":"demo"}}}]}"#;
const ALICE: &str = "arn:aws:iam::111122223333:user/alice";
const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1";

fn given(text: &str) -> Given {
    Given { name: "file.json".to_owned(), text: text.to_owned() }
}

fn question(context: &[(&str, &str)], given: GivenPolicies) -> Question {
    let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), vec![(*value).to_owned()]);
    Question {
        who: Who::Named(ALICE.to_owned()),
        action: "kms:Decrypt".to_owned(),
        resource: KEY.to_owned(),
        resource_account: None,
        context: context.iter().map(pair).collect(),
        given,
        notes: Vec::new(),
    }
}

fn answered(question: &Question) -> String {
    question.answer(collect(question, Timestamp::from_seconds(0)).unwrap()).unwrap().text
}

#[test]
fn policies_in_files_decide_by_the_condition_keys_that_are_given() {
    let policies = GivenPolicies { identity: vec![given(ALLOW)], ..GivenPolicies::default() };
    let context = [("kms:EncryptionContext:project", "demo")];
    let text = answered(&question(&context, policies.clone()));
    assert!(text.contains("no key policy was given"), "{text}");
    assert!(text.contains("ALLOWED by an identity-based policy"), "{text}");
    let text = answered(&question(&[], policies));
    assert!(text.contains("DENIED because no identity-based policy allows"), "{text}");
    assert!(text.contains("wants demo; the request has no such key"), "{text}");
    assert!(text.contains("  aws:principalarn  arn:aws:iam::111122223333:user/alice"), "{text}");
}

#[test]
fn a_key_policy_that_is_given_is_the_root_of_trust() {
    let nobody = r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"kms:*","Resource":"*"}]}"#;
    let policies = GivenPolicies {
        identity: vec![given(ALLOW)],
        resource: Some(given(nobody)),
        ..GivenPolicies::default()
    };
    let text = answered(&question(&[("kms:EncryptionContext:project", "demo")], policies));
    assert!(text.contains("DENIED because no resource-based policy allows"), "{text}");
}

#[test]
fn each_level_of_service_control_policies_must_allow() {
    let all = r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    let other = r#"{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
    let policies = GivenPolicies {
        identity: vec![given(all)],
        service_control: vec![vec![given(all)], vec![given(other)]],
        ..GivenPolicies::default()
    };
    let text = answered(&question(&[], policies));
    assert!(text.contains("DENIED because no service control policy allows"), "{text}");
    assert!(text.contains("Service control policies of the root: allow"), "{text}");
    assert!(text.contains("Service control policies of the account: do not allow"), "{text}");
}

#[test]
fn a_policy_that_is_none_is_refused_with_its_name() {
    let policies = GivenPolicies { identity: vec![given("{}")], ..GivenPolicies::default() };
    let question = question(&[], policies);
    let collected = collect(&question, Timestamp::from_seconds(0)).unwrap();
    let error = question.answer(collected).err().unwrap().to_string();
    assert!(error.starts_with("file.json: Syntax errors in policy."), "{error}");
}

#[test]
fn principals_are_known_by_their_names() {
    let name = |text: &str| principal(text).unwrap();
    assert!(matches!(name("111122223333"), Principal::Root { .. }));
    assert!(matches!(name("arn:aws:iam::111122223333:root"), Principal::Root { .. }));
    assert!(matches!(name(ALICE), Principal::User { .. }));
    assert!(matches!(name("kms.amazonaws.com"), Principal::Service { .. }));
    let Principal::AssumedRole { session_arn, role_arn, .. } =
        name("arn:aws:iam::111122223333:role/path/r")
    else {
        panic!("a role is its session");
    };
    assert_eq!(session_arn, "arn:aws:sts::111122223333:assumed-role/r/explain");
    assert_eq!(role_arn, "arn:aws:iam::111122223333:role/path/r");
    assert!(principal("alice").is_err());
}
