use super::*;
use crate::ContextMap;

const WILD: Syntax = Syntax { wildcards: true, variables_from: None, segments_until: 0 };
const FULL: Syntax = Syntax { wildcards: true, variables_from: Some(0), segments_until: 0 };

fn takes(pattern: &str, text: &str) -> bool {
    Template::compile(pattern, WILD).matches(text, &ContextMap::new())
}

#[test]
fn wildcards_take_any_characters_or_exactly_one() {
    for (pattern, text, expected) in [
        ("*", "", true),
        ("", "", true),
        ("", "a", false),
        ("a*", "a", true),
        ("*a", "bca", true),
        ("*a", "ab", false),
        ("a?c", "abc", true),
        ("a?c", "ac", false),
        ("a?c", "aéc", true),
        ("*ab*ab", "abab", true),
        ("*ab*ab", "ab", false),
        ("a*b*c", "a1b2b3c", true),
        ("a*b*c", "a1b2b3", false),
        ("??", "é", false),
        ("**", "x", true),
    ] {
        assert_eq!(takes(pattern, text), expected, "{pattern} {text}");
    }
}

#[test]
fn a_hostile_pattern_does_not_take_exponential_time() {
    let pattern = "*a".repeat(500) + "b";
    let text = "a".repeat(4000);
    assert!(!takes(&pattern, &text));
}

#[test]
fn a_variable_takes_its_value_and_never_as_a_wildcard() {
    let context = ContextMap::new().with("aws:UserName", "al*");
    let template = Template::compile("home/${AWS:username}/?", FULL);
    assert!(template.matches("home/al*/x", &context));
    assert!(!template.matches("home/alice/x", &context));
}

#[test]
fn a_variable_without_value_takes_nothing_unless_it_has_a_default() {
    let context = ContextMap::new();
    assert!(!Template::compile("${aws:userid}*", FULL).matches("anything", &context));
    let template = Template::compile("u/${aws:userid, 'anonymous'}", FULL);
    assert!(template.matches("u/anonymous", &context));
    assert!(template.matches("u/X", &context.with("aws:userid", "X")));
}

#[test]
fn special_variables_are_the_characters_themselves() {
    let context = ContextMap::new();
    let template = Template::compile("a${*}${?}${$}{b}", FULL);
    assert!(template.matches("a*?${b}", &context));
    assert!(!template.matches("axx${b}", &context));
}

#[test]
fn what_only_looks_like_a_variable_stands_for_itself() {
    let context = ContextMap::new().with("a", "1");
    for text in ["${", "${}", "${a", "${a, b}", "$a", "${a,'b'"] {
        assert!(Template::compile(text, FULL).matches(text, &context), "{text}");
    }
}

#[test]
fn without_variables_in_the_language_the_text_is_literal() {
    let context = ContextMap::new().with("a", "1");
    assert!(Template::compile("${a}", Syntax::LITERAL).matches("${a}", &context));
    assert!(!Template::compile("${a}", Syntax::LITERAL).matches("1", &context));
}

#[test]
fn a_key_with_several_values_is_no_variable() {
    let mut context = ContextMap::new();
    context.insert("aws:tagkeys", vec!["a".into(), "b".into()]);
    assert!(!Template::compile("${aws:TagKeys}", FULL).matches("a", &context));
}

#[test]
fn case_is_ignored_in_every_script() {
    let context = ContextMap::new().with("k", "ÉA");
    assert!(Template::compile("Éa", Syntax::LITERAL).equals_ignoring_case("éA", &context));
    let template = Template::compile(
        "x${k}",
        Syntax { wildcards: false, variables_from: Some(0), segments_until: 0 },
    );
    assert!(template.equals_ignoring_case("Xéa", &context));
}
