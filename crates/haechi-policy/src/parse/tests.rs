use super::*;

fn statement(inner: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow",{inner}}}]}}"#)
}

fn error(text: &str, kind: Kind) -> String {
    Document::parse(text, kind).unwrap_err().to_string()
}

#[test]
fn a_small_policy_is_read_whole() {
    let text = r#"{"Version":"2012-10-17","Id":"x","Statement":{"Sid":"a","Effect":"Deny",
        "NotAction":["kms:*","iam:Get*"],"NotResource":"arn:aws:kms:*:*:key/*",
        "Condition":{"Bool":{"aws:SecureTransport":false},"NumericLessThan":{"aws:MultiFactorAuthAge":3600}}}}"#;
    let document = Document::parse(text, Kind::Identity).unwrap();
    assert_eq!(document.version(), Version::V2012);
    assert_eq!(document.id(), Some("x"));
    assert_eq!(document.statement_count(), 1);
    let first = document.statements.first().unwrap();
    assert_eq!(first.effect, Effect::Deny);
    assert_eq!(first.conditions.len(), 2);
}

#[test]
fn mistakes_are_told_in_the_words_of_iam() {
    let syntax = "Syntax errors in policy.";
    let ok = r#""Action":"a:b","Resource":"*""#;
    for (text, message) in [
        ("not json".to_owned(), syntax),
        ("[]".to_owned(), syntax),
        ("{}".to_owned(), syntax),
        (r#"{"Statement":[]}"#.to_owned(), syntax),
        (r#"{"Statement":[1]}"#.to_owned(), syntax),
        (r#"{"Version":"2013","Statement":[]}"#.to_owned(), syntax),
        (statement(&format!(r#"{ok},"Effect":"Allow""#)), syntax),
        (statement(&format!(r#"{ok},"Foo":1"#)), syntax),
        (statement(&format!(r#"{ok},"NotAction":"a:c""#)), syntax),
        (statement(&format!(r#"{ok},"Sid":1"#)), syntax),
        (statement(&format!(r#"{ok},"Condition":[]"#)), syntax),
        (statement(&format!(r#"{ok},"Condition":{{"Foo":{{"a:b":"c"}}}}"#)), syntax),
        (statement(&format!(r#"{ok},"Condition":{{"Bool":{{"a:b":{{}}}}}}"#)), syntax),
        (statement(r#""Action":1,"Resource":"*""#), syntax),
        (r#"{"Statement":[{"Action":"a:b","Resource":"*"}]}"#.to_owned(), syntax),
        (
            r#"{"Statement":[{"Effect":"allow","Action":"a:b","Resource":"*"}]}"#.to_owned(),
            "The policy failed legacy parsing",
        ),
        (statement(r#""Resource":"*""#), "Policy statement must contain actions."),
        (statement(r#""Action":[],"Resource":"*""#), "Policy statement must contain actions."),
        (statement(r#""Action":"a:b""#), "Policy statement must contain resources."),
        (statement(r#""Action":"a:b","Resource":[]"#), "Policy statement must contain resources."),
        (
            statement(r#""Action":"a:b","Resource":"x""#),
            "Resource x must be in ARN format or \"*\".",
        ),
        (
            statement(r#""Action":"a:b","Resource":"arn:foo:s3:::b""#),
            "Partition \"foo\" is not valid for resource \"arn:foo:s3:::b\".",
        ),
        (
            statement(r#""Action":"a:b","Resource":"arn:aws""#),
            "Resource vendor must be fully qualified and cannot contain regexes.",
        ),
        (
            statement(r#""Action":"Encrypt","Resource":"*""#),
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
        ),
        (
            statement(r#""Action":"a:b:c","Resource":"*""#),
            "Actions/Condition can contain only one colon.",
        ),
        (statement(r#""Action":"a b:c","Resource":"*""#), "Vendor a b is not valid"),
        (
            statement(&format!(r#"{ok},"Principal":"*""#)),
            "Policy document should not specify a principal.",
        ),
        (
            r#"{"Statement":[{"Sid":"s","Effect":"Allow","Action":"a:b","Resource":"*"},
               {"Sid":"s","Effect":"Deny","Action":"a:b","Resource":"*"}]}"#
                .to_owned(),
            "Statement IDs (SID) in a single policy must be unique.",
        ),
    ] {
        assert_eq!(error(&text, Kind::Identity), message, "{text}");
    }
}

#[test]
fn a_trust_policy_has_principals_no_resources_and_only_sts_actions() {
    let principal = r#""Principal":{"AWS":"123456789012"}"#;
    let assume = r#""Action":"sts:AssumeRole""#;
    assert!(Document::parse(&statement(&format!("{principal},{assume}")), Kind::Trust).is_ok());
    assert_eq!(error(&statement(assume), Kind::Trust), "Missing required field Principal");
    let with_resource = statement(&format!(r#"{principal},{assume},"Resource":"*""#));
    assert_eq!(error(&with_resource, Kind::Trust), "Has prohibited field Resource");
    assert_eq!(error("{", Kind::Trust), "This policy contains invalid Json");
    let other = statement(&format!(r#"{principal},"Action":"s3:GetObject""#));
    assert_eq!(
        error(&other, Kind::Trust),
        "AssumeRole policy may only specify STS AssumeRole actions."
    );
}

#[test]
fn principals_that_no_principal_is_written_as_are_refused() {
    for (principal, message) in [
        (r#""bob""#, r#"Invalid principal in policy: "AWS":"bob""#),
        (r#"{"AWS":"bob"}"#, r#"Invalid principal in policy: "AWS":"bob""#),
        (
            r#"{"AWS":"arn:aws:iam::1:user/a"}"#,
            r#"Invalid principal in policy: "AWS":"arn:aws:iam::1:user/a""#,
        ),
        (
            r#"{"AWS":"arn:aws:iam::123456789012:user/*"}"#,
            r#"Invalid principal in policy: "AWS":"arn:aws:iam::123456789012:user/*""#,
        ),
        (
            r#"{"AWS":"arn:aws:iam::123456789012:group/g"}"#,
            r#"Invalid principal in policy: "AWS":"arn:aws:iam::123456789012:group/g""#,
        ),
        (r#"{"Service":"lambda"}"#, r#"Invalid principal in policy: "SERVICE":"lambda""#),
        ("{}", "Missing required field Principal"),
        (r#"{"Foo":"bar"}"#, "Syntax errors in policy."),
    ] {
        let text =
            statement(&format!(r#""Principal":{principal},"Action":"kms:*","Resource":"*""#));
        assert_eq!(error(&text, Kind::Resource), message);
    }
}

#[test]
fn principals_can_be_listed_and_bound() {
    let text = statement(
        r#""Principal":{"AWS":["*","123456789012","arn:aws:iam::123456789012:root",
        "arn:aws:iam::123456789012:user/a/b","arn:aws:iam::123456789012:role/r",
        "arn:aws:sts::123456789012:assumed-role/r/s","arn:aws:sts::123456789012:federated-user/f",
        "AIDAJQABLZS4A3QDU576Q"],"Service":"kms.amazonaws.com",
        "Federated":"accounts.google.com"},"Action":"kms:*","Resource":"*""#,
    );
    let mut document = Document::parse(&text, Kind::Resource).unwrap();
    assert_eq!(document.aws_principals().count(), 8);
    assert_eq!(document.service_principals().collect::<Vec<_>>(), ["kms.amazonaws.com"]);
    assert_eq!(document.federated_principals().collect::<Vec<_>>(), ["accounts.google.com"]);
    let mut asked = Vec::new();
    document.bind_principals(|arn| {
        asked.push(arn.to_owned());
        Some("AIDAEXAMPLE".to_owned())
    });
    assert_eq!(asked, ["arn:aws:iam::123456789012:user/a/b", "arn:aws:iam::123456789012:role/r"]);
}

#[test]
fn principals_are_bound_by_statement() {
    let text = r#"{"Version":"2012-10-17","Statement":[
        {"Sid":"one","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:role/r"},
         "Action":"*","Resource":"*"},
        {"Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::123456789012:role/r"},
         "Action":"*","Resource":"*"}]}"#;
    let mut document = Document::parse(text, Kind::Resource).unwrap();
    document.bind_statements(|sid, _| sid.map(|_| "AROAEXAMPLE".to_owned()));
    let shown = document.statements.iter().map(|one| one.principals.patterns()[0].to_string());
    let role = "arn:aws:iam::123456789012:role/r";
    assert_eq!(shown.collect::<Vec<_>>(), [format!("{role} (AROAEXAMPLE)"), role.to_owned()]);
}

#[test]
fn a_text_that_is_too_long_is_not_read() {
    let text = " ".repeat(POLICY_BYTES_MAX + 1);
    assert!(matches!(
        Document::parse(&text, Kind::Identity),
        Err(ParseError::TooLong { bytes }) if bytes == text.len()
    ));
}

#[test]
fn managed_policies_must_be_written_in_the_current_version() {
    let text = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    assert!(Document::parse(text, Kind::Identity).is_ok());
    let current = |text| Document::parse_current(text, Kind::Identity);
    assert_eq!(current(text).err(), Some(ParseError::VersionTooOld));
    // Before anything but the grammar.
    let worse = r#"{"Statement":{"Effect":"denY","Action":"*","Resource":"arn:aws"}}"#;
    assert_eq!(current(worse).err(), Some(ParseError::VersionTooOld));
    assert!(matches!(current(r#"{"Statement":1}"#).err(), Some(ParseError::Syntax { .. })));
}

#[test]
fn mistakes_come_in_the_order_in_which_iam_looks_for_them() {
    let legacy = "The policy failed legacy parsing";
    for (text, message) in [
        // Seen before the missing actions, the resources and the actions' prefixes.
        (r#""Resource":"arn:aws:s3::b""#, legacy),
        (r#""Action":"a:b","Resource":"arn:aws::::b""#, legacy),
        (r#""Action":"a:b","Resource":"arn:aws::b""#, legacy),
        (r#""Condition":{"DateEquals":{"a":"tomorrow"}}"#, legacy),
        (r#""Resource":"x""#, "Policy statement must contain actions."),
        (r#""Action":"a:b:c","Resource":"x""#, "Resource x must be in ARN format or \"*\"."),
        // But not before a resource that is no ARN of AWS.
        (
            r#""Action":"a:b","Resource":["arn:foo:s3:::b","arn:aws:s3::b"]"#,
            "Partition \"foo\" is not valid for resource \"arn:foo:s3:::b\".",
        ),
        (
            r#""Action":"a:b","Resource":"aws:s3:::b""#,
            "Partition \"s3\" is not valid for resource \"arn:s3:::b:*\".",
        ),
        (
            r#""Action":"a:b","Resource":"a:b""#,
            "Partition \"b\" is not valid for resource \"arn:b:*:*:*:*\".",
        ),
        (
            r#""Action":"a:b","Resource":"arn:aws:s3:us-east-1::b""#,
            "Resource arn:aws:s3:us-east-1::b can not contain region information.",
        ),
        (
            r#""Action":"a:b","Resource":"arn:aws:iam:us-east-1::user/b""#,
            "IAM resource arn:aws:iam:us-east-1::user/b cannot contain region information.",
        ),
        (
            r#""Action":"a:b","Resource":"*","Condition":{"x":{"a":"1"}}"#,
            "Syntax errors in policy.",
        ),
        (r#""Action":"invalid""#, "Policy statement must contain resources."),
    ] {
        assert_eq!(error(&statement(text), Kind::Identity), message, "{text}");
    }
    let path = error(&statement(r#""Action":"a:b","Resource":"arn:aws:iam:::b""#), Kind::Identity);
    assert!(
        path.starts_with("IAM resource path must either be \"*\", root, or start with user/,"),
        "{path}"
    );
}

#[test]
fn what_iam_takes_is_taken() {
    for text in [
        r#""Action":"a:b","Resource":["arn:aws:s3:::b",null]"#,
        r#""Action":"a:b","Resource":"*","Condition":{"StringEqualsIfExists":{"a":"b"}}"#,
        r#""Action":"a:b","Resource":"*","Condition":{"DateGreaterThan":{"a":[]}}"#,
        r#""Action":"a:b","Resource":"arn:aws:iam::111122223333:*""#,
        r#""Action":"a:b","Resource":"arn:aws:iam::111122223333:root""#,
        r#""Action":"a:b","Resource":"arn:aws:iam::*:user/${aws:username}""#,
        r#""Action":"a:b","Resource":"arn:aws:s3:eu-west-1:111122223333:accesspoint/p""#,
    ] {
        let parsed = Document::parse(&statement(text), Kind::Identity);
        assert!(parsed.is_ok(), "{text}: {:?}", parsed.err());
    }
}
