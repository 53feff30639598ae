use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::decode::input;
use crate::schema::{list, map, member, string, timestamp};
use crate::{Shape, structure};

static TEXT: Schema = string("Text");
static WHEN: Schema = timestamp("When");
static NAMES: Schema = list("Names", &member("member", &TEXT));
static TAGS: Schema = list("Tags", &member("member", &TAG));
static MAP: Schema = map("Map", &TEXT, &TEXT);

structure! { pub struct Tag as TAG "Tag" {
    required key: String = member("Key", &TEXT),
    optional value: String = member("Value", &TEXT),
} }
structure! { pub struct User as USER "User" {
    required user_name: String = member("UserName", &TEXT),
    optional created: Timestamp = member("CreateDate", &WHEN),
    optional tags: Vec<Tag> = member("Tags", &TAGS),
    optional names: Vec<String> = member("Names", &NAMES),
    optional map: BTreeMap<String, String> = member("Map", &MAP),
} }

fn read(body: &str) -> User {
    let form = Form::parse(&[body.as_bytes()]).unwrap();
    input::<User>(&mut QueryReader::new(&form), &USER).unwrap()
}

#[test]
fn dots_and_numbers_make_structures_lists_and_maps() {
    let user = read(
        "Action=CreateUser&UserName=al%20ice+x&Tags.member.2.Key=b&Tags.member.10.Key=c\
         &Tags.member.1.Key=a&Tags.member.1.Value=1&Names.1=flat&Map.entry.1.key=k&Map.entry.1.value=v",
    );
    assert_eq!(user.user_name, "al ice x");
    let keys: Vec<String> = user.tags.unwrap().into_iter().map(|tag| tag.key).collect();
    assert_eq!(keys, ["a", "b", "c"], "in the order of the numbers");
    assert_eq!(user.names.unwrap(), ["flat"]);
    assert_eq!(user.map.unwrap().get("k").unwrap(), "v");
}

#[test]
fn an_empty_list_parameter_is_an_empty_list() {
    assert!(read("UserName=a&Tags=").tags.unwrap().is_empty());
}

#[test]
fn an_answer_is_wrapped_and_escaped() {
    let user = User {
        user_name: "<a&b>".to_owned(),
        created: Some(Timestamp::from_seconds(0)),
        tags: Some(vec![Tag { key: "k".to_owned(), value: None }]),
        names: Some(vec!["n".to_owned()]),
        map: Some(BTreeMap::from([("x".to_owned(), "y".to_owned())])),
    };
    let body = response_body("GetUser", Some("GetUserResult"), "urn:x", "id-1", |writer| {
        user.write(writer, &USER);
    });
    assert_eq!(
        String::from_utf8(body).unwrap(),
        "<GetUserResponse xmlns=\"urn:x\"><GetUserResult><UserName>&lt;a&amp;b&gt;</UserName>\
         <CreateDate>1970-01-01T00:00:00Z</CreateDate><Tags><member><Key>k</Key></member></Tags>\
         <Names><member>n</member></Names><Map><entry><key>x</key><value>y</value></entry></Map>\
         </GetUserResult><ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata></GetUserResponse>"
    );
}

static FLAT_NAMES: Schema = list("FlatNames", &member("member", &TEXT)).flat("Name", "", "");
static FLAT_TAGS: Schema = list("FlatTags", &member("member", &TAG)).flat("Tag", "", "");
static FLAT_MAP: Schema = map("FlatMap", &TEXT, &TEXT).flat("Attribute", "Name", "Value");
static FLAT_STRUCTURES: Schema = map("FlatStructures", &TEXT, &TAG).flat("Label", "Name", "Value");

structure! { pub struct Queue as QUEUE "Queue" {
    optional names: Vec<String> = member("Names", &FLAT_NAMES),
    optional tags: Vec<Tag> = member("Tags", &FLAT_TAGS),
    optional map: BTreeMap<String, String> = member("Attributes", &FLAT_MAP),
    optional labels: BTreeMap<String, Tag> = member("Labels", &FLAT_STRUCTURES),
    optional last: String = member("Last", &TEXT),
} }

#[test]
fn what_is_flat_has_no_element_around_it_either_way() {
    let form = "Name.1=n&Name.2=m&Tag.1.Key=k&Attribute.1.Name=x&Attribute.1.Value=y\
        &Label.1.Name=l&Label.1.Value.Key=v&Last=z";
    let form = Form::parse(&[form.as_bytes()]).unwrap();
    let queue = input::<Queue>(&mut QueryReader::new(&form), &QUEUE).unwrap();
    let body = response_body("Get", Some("GetResult"), "urn:x", "id-1", |writer| {
        queue.write(writer, &QUEUE);
    });
    assert_eq!(
        String::from_utf8(body).unwrap(),
        "<GetResponse xmlns=\"urn:x\"><GetResult><Name>n</Name><Name>m</Name>\
         <Tag><Key>k</Key></Tag><Attribute><Name>x</Name><Value>y</Value></Attribute>\
         <Label><Name>l</Name><Value><Key>v</Key></Value></Label><Last>z</Last></GetResult>\
         <ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata></GetResponse>"
    );
}

#[test]
fn a_parameter_is_filled_in_only_where_it_is_missing() {
    let mut form = Form::parse(&[b"A=1"]).unwrap();
    form.fill("A", "2");
    form.fill("B", "3");
    assert_eq!((form.value("A"), form.value("B")), (Some("1"), Some("3")));
}

#[test]
fn an_error_says_whose_fault_it_is() {
    let told = ("NoSuchEntity", "The user with name <x> cannot be found.");
    let body = error_body(told, (true, false), "urn:x", "id-1");
    assert_eq!(
        String::from_utf8(body).unwrap(),
        "<ErrorResponse xmlns=\"urn:x\"><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>\
         The user with name &lt;x&gt; cannot be found.</Message></Error><RequestId>id-1</RequestId></ErrorResponse>"
    );
}

fn numbered(count: usize) -> String {
    (0..count).map(|number| format!("a{number}=1&")).collect()
}

#[test]
fn limits_hold() {
    assert!(Form::parse(&[numbered(PARAMETERS_MAX).as_bytes()]).is_ok());
    assert!(Form::parse(&[numbered(PARAMETERS_MAX + 1).as_bytes()]).is_err());
    assert!(Form::parse(&["a.".repeat(100).as_bytes()]).is_err());
    assert!(Form::parse(&[b"a=%ff"]).is_err());
}

#[test]
fn a_parameter_is_there_once_wherever_it_comes_from() {
    let form = Form::parse(&[b"Action=A&&B=1", b"C=%2B+x"]).unwrap();
    assert_eq!((form.value("Action"), form.value("C")), (Some("A"), Some("+ x")));
    for sources in [[&b"A=1&A=2"[..], b""], [b"A=1", b"A=1"], [b"T.member.1=a", b"T%2Emember.1=b"]]
    {
        assert!(Form::parse(&sources).is_err());
    }
}

proptest! {
    #[test]
    fn no_form_panics(body in "[A-Za-z0-9.=&%+]{0,200}") {
        if let Ok(form) = Form::parse(&[body.as_bytes()]) {
            let _ = input::<User>(&mut QueryReader::new(&form), &USER);
        }
    }
}
