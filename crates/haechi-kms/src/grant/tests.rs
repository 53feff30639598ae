use super::*;

fn pairs(pairs: &[(&str, &str)]) -> Option<BTreeMap<String, String>> {
    Some(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
}

fn equals(context: &[(&str, &str)]) -> Constraints {
    Constraints { equals: pairs(context), ..Constraints::default() }
}

fn subset(context: &[(&str, &str)]) -> Constraints {
    Constraints { subset: pairs(context), ..Constraints::default() }
}

#[test]
fn whatever_a_covered_constraint_admits_the_covering_one_admits_too() {
    let contexts: [&[(&str, &str)]; 5] =
        [&[], &[("a", "1")], &[("a", "2")], &[("b", "1")], &[("a", "1"), ("b", "1")]];
    let mut all = vec![Constraints::default()];
    for context in contexts {
        all.push(equals(context));
        all.push(subset(context));
        for other in contexts {
            all.push(Constraints { equals: pairs(context), ..subset(other) });
        }
    }
    let mut covered = 0;
    for (parent, child) in
        all.iter().flat_map(|parent| all.iter().map(move |child| (parent, child)))
    {
        if !parent.cover(child) {
            continue;
        }
        covered += 1;
        for context in contexts.iter().filter_map(|context| pairs(context)) {
            let escapes = child.admit(&context) && !parent.admit(&context);
            assert!(!escapes, "{child:?} admits {context:?} and {parent:?} does not");
        }
    }
    assert!(covered > all.len(), "each covers itself, and some cover others: {covered}");
}

#[test]
fn a_user_made_later_under_the_same_name_is_not_the_grantee() {
    let arn = "arn:aws:iam::111111111111:user/alice".to_owned();
    let party = Party { name: arn.clone(), unique_id: Some("AIDAOLD".to_owned()), service: false };
    let user = |unique_id: &str| Principal::User {
        arn: arn.clone(),
        unique_id: unique_id.to_owned(),
        account: "111111111111".to_owned(),
    };
    assert_eq!(party.speaks_for(&user("AIDAOLD")), Some(Granted::Principal));
    assert_eq!(party.speaks_for(&user("AIDANEW")), None);
}

#[test]
fn a_session_has_the_grants_of_its_role_and_its_own() {
    let session = Principal::AssumedRole {
        session_arn: "arn:aws:sts::111111111111:assumed-role/r/s".to_owned(),
        role_arn: "arn:aws:iam::111111111111:role/path/r".to_owned(),
        role_unique_id: "AROA".to_owned(),
        session_name: "s".to_owned(),
        account: "111111111111".to_owned(),
    };
    let party = |name: &str| Party { name: name.to_owned(), unique_id: None, service: false };
    let speaks = |name: &str| party(name).speaks_for(&session);
    assert_eq!(speaks("arn:aws:iam::111111111111:role/path/r"), Some(Granted::Principal));
    assert_eq!(speaks("arn:aws:sts::111111111111:assumed-role/r/s"), Some(Granted::Principal));
    assert_eq!(speaks("arn:aws:iam::111111111111:root"), Some(Granted::Account));
    assert_eq!(speaks("arn:aws:sts::111111111111:assumed-role/r/t"), None);
    assert_eq!(speaks("arn:aws:iam::222222222222:root"), None);
}

#[test]
fn principals_are_arns_of_accounts_users_roles_and_sessions() {
    for arn in [
        "arn:aws:iam::111111111111:root",
        "arn:aws:iam::111111111111:user/a",
        "arn:aws:iam::111111111111:role/p/a",
        "arn:aws:sts::111111111111:assumed-role/r/s",
        "arn:aws:sts::111111111111:federated-user/f",
    ] {
        assert!(check_principal(arn).is_ok(), "{arn}");
    }
    for text in [
        "*",
        "111111111111",
        "arn:aws:iam::111111111111:user/",
        "arn:aws:iam::111111111111:group/g",
        "arn:aws:iam::1:root",
        "arn:aws:sts::111111111111:assumed-role/r",
        "dynamodb.us-west-2.amazonaws.com",
    ] {
        assert!(check_principal(text).is_err(), "{text}");
    }
}
