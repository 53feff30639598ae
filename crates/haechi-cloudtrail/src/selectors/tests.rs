use super::*;
use crate::event::tests::record;

fn field(name: &str, change: impl FnOnce(&mut AdvancedFieldSelector)) -> AdvancedFieldSelector {
    let mut field = AdvancedFieldSelector { field: name.to_owned(), ..Default::default() };
    change(&mut field);
    field
}

fn management() -> AdvancedFieldSelector {
    field("eventCategory", |field| field.equals = Some(vec!["Management".to_owned()]))
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
fn advanced_selectors_need_every_field_and_take_negations() {
    let some = |text: &str| Some(vec![text.to_owned()]);
    let starts = field("eventName", |field| field.starts_with = some("Create"));
    let selectors = advanced(vec![management(), starts]).unwrap();
    assert!(wants(&selectors, "CreateKey") && !wants(&selectors, "DeleteKey"));
    let not = field("eventName", |field| field.not_ends_with = some("Key"));
    let selectors = advanced(vec![management(), not]).unwrap();
    assert!(!wants(&selectors, "CreateKey") && wants(&selectors, "CreateAlias"));
    let data = field("eventCategory", |field| field.equals = some("Data"));
    assert!(!wants(&advanced(vec![data]).unwrap(), "CreateKey"));
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
