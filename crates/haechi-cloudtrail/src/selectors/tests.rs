use super::*;
use crate::event::tests::record;

fn field(name: &str, change: impl FnOnce(&mut AdvancedFieldSelector)) -> AdvancedFieldSelector {
    let mut field = AdvancedFieldSelector { field: name.to_owned(), ..Default::default() };
    change(&mut field);
    field
}

fn equal(name: &str, values: &[&str]) -> AdvancedFieldSelector {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    field(name, |field| field.equals = Some(values))
}

fn category(name: &str) -> AdvancedFieldSelector {
    equal("eventCategory", &[name])
}

fn kind(name: &str) -> AdvancedFieldSelector {
    equal("resources.type", &[name])
}

fn management() -> AdvancedFieldSelector {
    category("Management")
}

fn advanced(fields: Vec<AdvancedFieldSelector>) -> Result<Selectors, Error> {
    Selectors::advanced(vec![AdvancedEventSelector { name: None, field_selectors: fields }])
}

fn wants(selectors: &Selectors, name: &str) -> bool {
    let bytes = record("111122223333", "eu-west-1", name, "2026-01-01T00:00:00Z");
    selectors.wants(&Event::parse(&bytes).unwrap())
}

#[test]
fn a_new_trail_keeps_all_management_events() {
    let selectors = Selectors::default();
    assert!(wants(&selectors, "CreateKey") && !selectors.are_custom());
}

#[test]
fn basic_selectors_choose_by_kind_and_source() {
    let basic = |kind, excluded: &[&str]| {
        let excluded = excluded.iter().map(|source| (*source).to_owned()).collect();
        Selectors::basic(vec![EventSelector {
            read_write_type: Some(kind),
            exclude_management_event_sources: Some(excluded),
            ..EventSelector::default()
        }])
    };
    // The record is a write to KMS.
    assert!(wants(&basic(ReadWriteType::WriteOnly, &[]).unwrap(), "CreateKey"));
    assert!(!wants(&basic(ReadWriteType::ReadOnly, &[]).unwrap(), "CreateKey"));
    assert!(!wants(&basic(ReadWriteType::All, &["kms.amazonaws.com"]).unwrap(), "CreateKey"));
    assert!(basic(ReadWriteType::All, &["iam.amazonaws.com"]).is_err());
    assert!(Selectors::basic(Vec::new()).is_err());
}

#[test]
fn data_events_are_kept_where_their_resource_is_named() {
    let invoked = |name: &str| {
        let bytes = record("111122223333", "eu-west-1", name, "2026-01-01T00:00:00Z");
        let text = String::from_utf8(bytes).unwrap();
        let text = text.replace("AWS::KMS::Key", "AWS::Lambda::Function");
        text.replace(r#""eventCategory":"Management""#, r#""eventCategory":"Data""#)
    };
    let invoked = invoked("Invoke");
    let event = Event::parse(invoked.as_bytes()).unwrap();
    let arn = event.resources[0].arn.to_string();
    let of = |value: &str| {
        of_data(&[&[("AWS::Lambda::Function", &[value.to_owned()])]]).unwrap().wants(&event)
    };
    assert!(of("arn:aws:lambda") && !of("arn:aws:lambda:us-east-1:111122223333:function:f"));
    assert!(
        !of_data(&[&[("AWS::DynamoDB::Table", &["arn:aws:dynamodb".to_owned()])]])
            .unwrap()
            .wants(&event)
    );
    assert!(!Selectors::default().wants(&event));
    let by = |kind_wanted: &str, fields: Vec<AdvancedFieldSelector>| {
        advanced([vec![category("Data"), kind(kind_wanted)], fields].concat()).unwrap()
    };
    assert!(by("AWS::Lambda::Function", vec![]).wants(&event));
    assert!(by("AWS::Lambda::Function", vec![equal("resources.ARN", &[&arn])]).wants(&event));
    assert!(!by("AWS::SQS::Queue", vec![]).wants(&event));
    assert!(!advanced(vec![management()]).unwrap().wants(&event));
}

#[test]
fn advanced_selectors_need_every_field_and_take_negations() {
    let some = |text: &str| Some(vec![text.to_owned()]);
    let starts = field("eventName", |field| field.starts_with = some("Create"));
    let selectors = advanced(vec![management(), starts]).unwrap();
    assert!(wants(&selectors, "CreateKey") && !wants(&selectors, "DeleteKey"));
    let not = field("eventName", |field| field.not_ends_with = some("Key"));
    let selectors = advanced(vec![management(), not]).unwrap();
    assert!(!wants(&selectors, "CreateKey") && wants(&selectors, "CreateAlias"));
    let data = advanced(vec![category("Data"), kind("AWS::KMS::Key")]).unwrap();
    assert!(!wants(&data, "CreateKey"));
}

#[test]
fn advanced_selectors_that_say_nothing_or_nonsense_are_refused() {
    let some = |text: &str| Some(vec![text.to_owned()]);
    assert!(advanced(vec![field("eventName", |field| field.equals = some("x"))]).is_err());
    assert!(advanced(vec![management(), management()]).is_err());
    assert!(
        advanced(vec![management(), field("colour", |field| field.equals = some("x"))]).is_err()
    );
    assert!(advanced(vec![management(), field("eventName", |_| {})]).is_err());
    let starts = field("readOnly", |field| field.starts_with = some("t"));
    assert!(advanced(vec![management(), starts]).is_err());
}

/// Basic selectors, each with these types and values of data resources.
fn of_data(selectors: &[&[(&str, &[String])]]) -> Result<Selectors, Error> {
    let selector = |resources: &&[(&str, &[String])]| EventSelector {
        data_resources: Some(
            resources
                .iter()
                .map(|(kind, values)| DataResource {
                    r#type: Some((*kind).to_owned()),
                    values: Some(values.to_vec()),
                })
                .collect(),
        ),
        ..EventSelector::default()
    };
    Selectors::basic(selectors.iter().map(selector).collect())
}

#[test]
fn basic_selectors_take_data_resources_of_three_types_by_their_arns() {
    let (s3, lambda, table) = ("AWS::S3::Object", "AWS::Lambda::Function", "AWS::DynamoDB::Table");
    for (kind, value) in [
        (s3, "arn:aws:s3"),
        (s3, "arn:aws:s3:::"),
        (s3, "arn:aws:s3:::bucket/"),
        (s3, "arn:aws:s3:::bucket/prefix"),
        (lambda, "arn:aws:lambda"),
        (lambda, "arn:aws:lambda:us-west-2:111122223333:function:hello"),
        (table, "arn:aws:dynamodb"),
        (table, "arn:aws:dynamodb:us-west-2:111122223333:table/t"),
    ] {
        assert!(of_data(&[&[(kind, &[value.to_owned()])]]).is_ok(), "{kind} {value}");
    }
    for (kind, value) in [
        ("AWS::S3::Bucket", "arn:aws:s3"),
        ("AWS::KMS::Key", "arn:aws:kms"),
        (s3, "bucket"),
        (s3, ""),
        (s3, "arn:aws:s3-object-lambda:::b"),
        (s3, "arn:aws:lambda"),
        (lambda, "arn:aws:s3"),
        (table, "*"),
    ] {
        let refused = of_data(&[&[(kind, &[value.to_owned()])]]);
        let is_refused = matches!(refused, Err(Error::InvalidEventSelectorsException(_)));
        assert!(is_refused, "{kind} {value}");
    }
}

#[test]
fn a_trail_has_250_data_resources_at_most_unless_it_has_all_of_a_type() {
    let buckets = |count: usize| -> Vec<String> {
        (0..count).map(|number| format!("arn:aws:s3:::bucket-{number}/")).collect()
    };
    let (s3, lambda) = ("AWS::S3::Object", "AWS::Lambda::Function");
    let one = ["arn:aws:lambda:us-west-2:111122223333:function:hello".to_owned()];
    let all = ["arn:aws:lambda".to_owned()];
    assert!(of_data(&[&[(s3, &buckets(250))]]).is_ok());
    assert!(of_data(&[&[(s3, &buckets(251))]]).is_err());
    // They count over all selectors of the trail.
    assert!(of_data(&[&[(s3, &buckets(250))], &[(lambda, &one)]]).is_err());
    assert!(of_data(&[&[(s3, &buckets(249))], &[(lambda, &one)]]).is_ok());
    assert!(of_data(&[&[(s3, &buckets(250))], &[(lambda, &all)]]).is_ok());
}

#[test]
fn advanced_selectors_have_a_known_category_and_the_fields_that_go_with_it() {
    let object = || kind("AWS::S3::Object");
    let source = || equal("eventSource", &["kms.amazonaws.com"]);
    let read = |values: &[&str]| equal("readOnly", values);
    let not_object = field("resources.type", |field| {
        field.not_equals = Some(vec!["AWS::S3::Object".to_owned()]);
    });
    for (index, right) in [
        vec![management(), read(&["true"])],
        vec![management(), read(&["false"])],
        vec![category("Data"), object(), read(&["true"])],
        vec![category("NetworkActivity"), source()],
    ]
    .into_iter()
    .enumerate()
    {
        assert!(advanced(right).is_ok(), "{index}");
    }
    for (index, wrong) in [
        vec![category("Insight")],
        vec![category("management")],
        vec![equal("eventCategory", &["Management", "Data"]), object()],
        vec![category("Data")],
        vec![category("Data"), not_object],
        vec![management(), object()],
        vec![category("NetworkActivity"), source(), object()],
        vec![management(), read(&["maybe"])],
        vec![management(), read(&["true", "false"])],
    ]
    .into_iter()
    .enumerate()
    {
        let refused = advanced(wrong);
        assert!(matches!(refused, Err(Error::InvalidEventSelectorsException(_))), "{index}");
    }
}
