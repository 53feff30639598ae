use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Option<Reference> {
    Reference::parse("us-east-1", text)
}

#[test]
fn a_name_may_carry_a_version_or_a_label() {
    let reference = parse("/app/prod/db:3").unwrap();
    assert_eq!(reference.name.joined(), "app/prod/db");
    assert_eq!(reference.selector, Some(Selector::Version(3)));
    let reference = parse("db:release-1.0").unwrap();
    assert_eq!(reference.selector, Some(Selector::Label("release-1.0".to_owned())));
    assert_eq!(parse("db:"), None);
    assert_eq!(parse("db:1:2"), None);
    assert_eq!(parse("db:99999999999999999999"), None);
}

#[test]
fn an_arn_of_this_region_names_a_parameter_and_any_other_does_not() {
    let reference = parse("arn:aws:ssm:us-east-1:111111111111:parameter/app/db:live").unwrap();
    assert_eq!(reference.account.as_deref(), Some("111111111111"));
    assert_eq!(reference.name, parse("/app/db").unwrap().name);
    assert_eq!(parse("arn:aws:ssm:eu-west-1:111111111111:parameter/app/db"), None);
    assert_eq!(parse("arn:aws:kms:us-east-1:111111111111:parameter/app/db"), None);
    assert_eq!(parse("arn:aws:ssm:us-east-1:111111111111:document/app"), None);
}

#[test]
fn a_slash_before_a_name_of_one_level_makes_no_other_name() {
    assert_eq!(parse("/db").unwrap().name, parse("db").unwrap().name);
}

#[test]
fn empty_levels_and_other_characters_are_no_names() {
    for text in ["", "/", "//a", "/a//b", "/a/", "a b", "/a/é", "a\n"] {
        assert_eq!(parse(text), None, "{text:?}");
    }
}

#[test]
fn a_path_may_end_with_a_slash() {
    assert_eq!(path("/a/b/").unwrap(), ["a", "b"]);
    assert_eq!(path("/").unwrap(), Vec::<String>::new());
    assert_eq!(path("/aws/service/x").unwrap().len(), 3);
    for text in ["a", "", "//", "/a//b", "/ssm", "/awsome", "/a b"] {
        assert!(path(text).is_err(), "{text:?}");
    }
}

proptest! {
    #[test]
    fn any_text_is_a_reference_or_none_and_what_is_one_says_so_again(text in ".{0,40}") {
        if let Some(reference) = parse(&text) {
            let again = parse(&format!("/{}", reference.name.joined())).unwrap();
            prop_assert_eq!(again.name, reference.name);
        }
        let _ = path(&text);
    }
}
