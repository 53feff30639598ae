use super::*;

#[test]
fn sorted_lower_case_names_are_borrowed_as_they_are() {
    let names = normalise_names(Cow::Borrowed("host;x-amz-date"));
    assert!(matches!(names, Cow::Borrowed("host;x-amz-date")));
}

#[test]
fn other_lists_of_names_are_put_in_order() {
    for (sent, normal) in [
        ("X-Amz-Date;Host", "host;x-amz-date"),
        ("host;host", "host"),
        (";host;;a;", "a;host"),
        ("host\nx-amz-date:1;a", "a"),
        ("", ""),
    ] {
        assert_eq!(normalise_names(Cow::Borrowed(sent)), normal, "{sent:?}");
    }
}

#[test]
fn slashes_after_a_credential_are_ignored() {
    assert_eq!(trim_slashes(Cow::Borrowed("a/b//")), "a/b");
    assert_eq!(trim_slashes(Cow::Owned("a/b/".into())), "a/b");
}
