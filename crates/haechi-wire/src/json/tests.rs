use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::decode::{InputError, input};
use crate::schema::{integer, list, map, member, string};
use crate::{Shape, enumeration, structure};

static NAME: Schema = string("Name").length(1, 8);
static KEY: Schema = string("Key").length(1, 4);
static COUNT: Schema = integer("Count").range(1, 1024);
static TAGS: Schema = list("Tags", &member("member", &TAG)).length(0, 2);
static NAMES: Schema = list("Names", &member("member", &NAME));
static CONTEXT: Schema = map("Context", &KEY, &NAME);
static SETTINGS: Schema = map("Settings", &KEY, &NAME).sensitive();
static COLOURS: Schema = list("Colours", &member("member", &COLOUR));

enumeration! { pub enum Colour as COLOUR "Colour" { Red = "RED", Blue = "BLUE" } }
structure! { pub struct Tag as TAG "Tag" {
    required tag_key: String = member("TagKey", &NAME),
} }
structure! { pub struct Request as REQUEST "Request" {
    required name: String = member("Name", &NAME),
    optional number_of_bytes: i32 = member("NumberOfBytes", &COUNT),
    optional tags: Vec<Tag> = member("Tags", &TAGS),
    optional names: Vec<String> = member("Names", &NAMES),
    optional context: BTreeMap<String, String> = member("Context", &CONTEXT),
    optional settings: BTreeMap<String, String> = member("Settings", &SETTINGS),
    optional colour: Colour = member("Colour", &COLOUR),
    optional colours: Vec<Colour> = member("Colours", &COLOURS),
} }

fn read(body: &str) -> Result<Request, String> {
    input::<Request>(&mut JsonReader::new(body.as_bytes()), &REQUEST).map_err(|error| match error {
        InputError::Malformed(malformed) => format!("malformed: {malformed}"),
        InputError::Invalid(violations) => crate::validate::message(&violations),
    })
}

#[track_caller]
fn refused(body: &str) -> String {
    match read(body) {
        Ok(_) => panic!("{body} was accepted"),
        Err(message) => message,
    }
}

#[test]
fn a_structure_survives_a_round_trip_and_unknown_members_are_skipped() {
    let body = r#"{"Unknown":[{"a":[1,2]}],"Name":"a\"\nb","NumberOfBytes":7,
        "Tags":[{"TagKey":"k"}],"Names":[],"Context":{"k":"v"},"Colour":"BLUE"}"#;
    let request = read(body).unwrap();
    let mut writer = JsonWriter::new();
    request.write(&mut writer, &REQUEST);
    assert_eq!(
        String::from_utf8(writer.finish()).unwrap(),
        r#"{"Name":"a\"\nb","NumberOfBytes":7,"Tags":[{"TagKey":"k"}],"Names":[],"Context":{"k":"v"},"Colour":"BLUE"}"#
    );
}

#[test]
fn each_breach_is_told_in_aws_words() {
    assert_eq!(
        refused(r#"{"Name":"x","NumberOfBytes":0}"#),
        "1 validation error detected: Value '0' at 'numberOfBytes' failed to satisfy constraint: \
         Member must have value greater than or equal to 1"
    );
    assert_eq!(
        refused("{}"),
        "1 validation error detected: Value null at 'name' failed to satisfy constraint: \
         Member must not be null"
    );
    assert_eq!(
        refused(r#"{"Name":"x","Tags":[{"TagKey":""}]}"#),
        "1 validation error detected: Value '' at 'tags.1.member.tagKey' failed to satisfy \
         constraint: Member must have length greater than or equal to 1"
    );
}

#[test]
fn several_breaches_are_counted_and_joined() {
    assert_eq!(
        refused(r#"{"NumberOfBytes":1025,"Colour":"GREEN"}"#),
        "3 validation errors detected: Value 'GREEN' at 'colour' failed to satisfy constraint: \
         Member must satisfy enum value set: [RED, BLUE]; Value null at 'name' failed to satisfy \
         constraint: Member must not be null; Value '1025' at 'numberOfBytes' failed to satisfy \
         constraint: Member must have value less than or equal to 1024"
    );
}

#[test]
fn breaches_of_simple_items_are_told_of_the_collection() {
    assert_eq!(
        refused(r#"{"Name":"x","Names":["ok","far too long"]}"#),
        "1 validation error detected: Value '[ok, far too long]' at 'names' failed to satisfy \
         constraint: Member must satisfy constraint: [Member must have length less than or equal \
         to 8, Member must have length greater than or equal to 1]"
    );
    assert_eq!(
        refused(r#"{"Name":"x","Context":{"toolong":"v"}}"#),
        "1 validation error detected: Value '{toolong=v}' at 'context' failed to satisfy \
         constraint: Map keys must satisfy constraint: [Member must have length less than or equal \
         to 4, Member must have length greater than or equal to 1]"
    );
    assert_eq!(
        refused(r#"{"Name":"x","Settings":{"toolong":"v"}}"#),
        "1 validation error detected: Value at 'settings' failed to satisfy constraint: Map keys \
         must satisfy constraint: [Member must have length less than or equal to 4, Member must have \
         length greater than or equal to 1]",
        "what is sensitive is not shown"
    );
    assert_eq!(
        refused(r#"{"Name":"x","Colours":["GREEN","RED"]}"#),
        "1 validation error detected: Value '[GREEN, RED]' at 'colours' failed to satisfy \
         constraint: Member must satisfy enum value set: [RED, BLUE]"
    );
}

#[test]
fn items_of_a_list_that_is_too_long_are_shown_with_their_members() {
    assert_eq!(
        refused(r#"{"Name":"x","Tags":[{"TagKey":"a"},{"TagKey":"b"},{"TagKey":"c"}]}"#),
        "1 validation error detected: Value '[Tag(tagKey=a), Tag(tagKey=b), Tag(tagKey=c)]' at \
         'tags' failed to satisfy constraint: Member must have length less than or equal to 2"
    );
}

#[test]
fn wrong_types_are_malformed() {
    assert_eq!(
        refused(r#"{"Name":7}"#),
        "malformed: NUMBER_VALUE can not be converted to a String"
    );
    assert_eq!(refused(r#"{"Name":["a"]}"#), "malformed: Start of list found where not expected");
    assert!(refused(r#"{"Name":"x""#).starts_with("malformed: Invalid JSON"));
    assert!(refused(r#"{"Name":"x"} trailing"#).starts_with("malformed: Invalid JSON"));
    assert!(refused("[").starts_with("malformed"));
    assert!(refused(&format!(r#"{{"Deep":{}"#, "[".repeat(5000))).starts_with("malformed"));
}

#[test]
fn every_byte_that_needs_an_escape_is_found_wherever_it_stands_and_no_other() {
    for length in 0..=20_usize {
        for place in 0..length {
            for byte in 0..=u8::MAX {
                for around in [b' ', b'~', 0x80, 0xff] {
                    let mut bytes = vec![around; length];
                    bytes[place] = byte;
                    assert_eq!(has_special(&bytes), is_special(byte), "{bytes:?}");
                }
            }
        }
    }
}

#[test]
fn numbers_and_times_are_written_in_full() {
    for value in [0, 7, -7, 10, 1024, i64::MAX, i64::MIN] {
        let mut writer = JsonWriter::new();
        writer.integer(value);
        assert_eq!(writer.finish(), value.to_string().as_bytes());
    }
    for (millis, text) in [(0, "0"), (1_689_000_000_000, "1689000000"), (1_002, "1.002")] {
        let mut writer = JsonWriter::new();
        writer.timestamp(Timestamp::from_millis(millis));
        assert_eq!(writer.finish(), text.as_bytes());
    }
}

proptest! {
    #[test]
    fn no_body_panics(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = input::<Request>(&mut JsonReader::new(&body), &REQUEST);
    }

    #[test]
    fn any_string_is_escaped_as_serde_reads_it(text in ".*") {
        let mut out = Vec::new();
        push_string(&mut out, &text);
        prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
    }
}
