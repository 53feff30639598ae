use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::decode::{InputError, input};
use crate::schema::{
    Location, Schema, blob, boolean, integer, list, map, member, string, timestamp,
};
use crate::{Blob, Shape, Timestamp, structure};

static NAME: Schema = string("Name").length(1, 20);
static FLAG: Schema = boolean("Flag");
static COUNT: Schema = integer("Count").range(1, 10);
static WHEN: Schema = timestamp("When");
static BYTES: Schema = blob("Bytes");
static NAMES: Schema = list("Names", &member("member", &NAME));
static TEXTS: Schema = map("Texts", &NAME, &NAME);

structure! { pub struct Inner as INNER "Inner" {
    optional name: String = member("Name", &NAME),
} }

structure! { pub struct Everything as EVERYTHING "Everything" {
    required function_name: String = member("FunctionName", &NAME).at(Location::Uri("FunctionName")),
    optional qualifier: String = member("Qualifier", &NAME).at(Location::Query("Qualifier")),
    optional tag_keys: Vec<String> = member("TagKeys", &NAMES).at(Location::Query("tagKeys")),
    optional count: i32 = member("Count", &COUNT).at(Location::Header("X-Count")),
    optional since: Timestamp = member("Since", &WHEN).at(Location::Header("X-Since")),
    optional metadata: BTreeMap<String, String> =
        member("Metadata", &TEXTS).at(Location::Headers("x-meta-")),
    optional inner: Inner = member("Inner", &INNER),
    optional names: Vec<String> = member("Names", &NAMES),
    optional texts: BTreeMap<String, String> = member("Texts", &TEXTS),
    optional flag: bool = member("Flag", &FLAG),
} }

structure! { pub struct Raw as RAW "Raw" {
    required name: String = member("Name", &NAME).at(Location::Uri("Name")),
    optional status: i32 = member("Status", &COUNT).at(Location::StatusCode),
    optional kind: String = member("Kind", &NAME).at(Location::Header("X-Kind")),
    optional payload: Blob = member("Payload", &BYTES).at(Location::Payload),
} }

structure! { pub struct Document as DOCUMENT "Document" {
    optional kind: String = member("Kind", &NAME).at(Location::Header("X-Kind")),
    optional inner: Inner = member("Inner", &INNER).at(Location::Payload),
} }

fn request<'a>(path: &'a str, query: &'a str, body: &'a [u8]) -> Request<'a> {
    let headers = vec![
        ("x-count", "7"),
        ("x-since", "Tue, 29 Apr 2014 18:30:38 GMT"),
        ("X-Meta-colour", "blue"),
    ];
    Request { pattern: "/functions/{FunctionName}", path, query, headers, body }
}

fn read<T: Shape>(request: Request<'_>, schema: &'static Schema) -> Result<T, InputError> {
    input(&mut RestReader::new(request, schema)?, schema)
}

fn written<T: Shape>(value: &T, schema: &'static Schema) -> Response {
    let mut writer = RestWriter::new(schema);
    value.write(&mut writer, schema);
    writer.finish()
}

#[test]
fn members_are_read_from_where_the_model_says() {
    let body =
        br#"{"Inner":{"Name":"n","Other":[1]},"Names":["a","b"],"Texts":{"k":"v"},"Flag":true,
        "FunctionName":"ignored","X":{}}"#;
    let query = "Qualifier=%24LATEST&tagKeys=a+b&tagKeys=c&other";
    let value: Everything =
        read(request("/functions/arn%3Aaws%2F1", query, body), &EVERYTHING).unwrap();
    assert_eq!(value.function_name, "arn:aws/1");
    assert_eq!(value.qualifier.as_deref(), Some("$LATEST"));
    assert_eq!(value.tag_keys, Some(vec!["a b".to_owned(), "c".to_owned()]));
    assert_eq!(value.count, Some(7));
    assert_eq!(value.since, Some(Timestamp::from_seconds(1_398_796_238)));
    assert_eq!(value.metadata.unwrap().get("colour").unwrap(), "blue");
    assert_eq!(value.inner.unwrap().name.as_deref(), Some("n"));
    assert_eq!(value.names, Some(vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(value.texts.unwrap().get("k").unwrap(), "v");
    assert_eq!(value.flag, Some(true));
}

#[test]
fn an_empty_body_is_an_input_of_bound_members_alone() {
    let value: Everything = read(request("/functions/f/", "", b""), &EVERYTHING).unwrap();
    assert_eq!((value.function_name.as_str(), value.names), ("f", None));
}

#[test]
fn a_bound_value_meets_its_constraints() {
    let long = "/functions/abcdefghijklmnopqrstuvwxyz";
    let refused = read::<Everything>(request(long, "", b""), &EVERYTHING).err().unwrap();
    assert!(refused.to_string().contains("at 'functionName' failed to satisfy"), "{refused}");
}

#[test]
fn what_is_no_number_or_no_document_is_malformed() {
    let mut wrong = request("/functions/f", "", b"");
    wrong.headers = vec![("x-count", "seven")];
    assert!(matches!(read::<Everything>(wrong, &EVERYTHING), Err(InputError::Malformed(_))));
    let list = request("/functions/f", "", b"[]");
    assert!(matches!(read::<Everything>(list, &EVERYTHING), Err(InputError::Malformed(_))));
    let rest = request("/functions/f", "", b"{} x");
    assert!(matches!(read::<Everything>(rest, &EVERYTHING), Err(InputError::Malformed(_))));
    let path = request("/elsewhere/f", "", b"");
    assert!(matches!(read::<Everything>(path, &EVERYTHING), Err(InputError::Malformed(_))));
}

#[test]
fn a_payload_is_the_body_as_it_is() {
    let raw = |body: &'static [u8]| Request {
        pattern: "/{Name}/invocations",
        ..request("/f/invocations", "", body)
    };
    let value: Raw = read(raw(b"\xff{not json"), &RAW).unwrap();
    assert_eq!(value.payload, Some(Blob(b"\xff{not json".to_vec())));
    let value: Raw = read(raw(b""), &RAW).unwrap();
    assert_eq!(value.payload, None);
    let document: Document =
        read(Request { pattern: "/d", ..request("/d", "", br#"{"Name":"n"}"#) }, &DOCUMENT)
            .unwrap();
    assert_eq!(document.inner.unwrap().name.as_deref(), Some("n"));
}

#[test]
fn an_output_goes_where_the_model_says() {
    let raw = Raw {
        name: String::new(),
        status: Some(202),
        kind: Some("Unhandled".to_owned()),
        payload: Some(Blob(b"\x00\xff".to_vec())),
    };
    let response = written(&raw, &RAW);
    assert_eq!((response.status, response.body.as_slice()), (Some(202), &b"\x00\xff"[..]));
    assert_eq!(response.headers, [("X-Kind".to_owned(), "Unhandled".to_owned())]);
    let inner = Some(Inner { name: Some("n".to_owned()) });
    let response = written(&Document { kind: None, inner: inner.clone() }, &DOCUMENT);
    assert_eq!(response.body, br#"{"Name":"n"}"#);
    let everything = Everything {
        inner,
        names: Some(vec!["a".to_owned()]),
        metadata: Some(BTreeMap::from([
            ("a".to_owned(), "1".to_owned()),
            ("b".to_owned(), "2".to_owned()),
        ])),
        since: Some(Timestamp::from_seconds(1_398_796_238)),
        flag: Some(false),
        ..Everything::default()
    };
    let response = written(&everything, &EVERYTHING);
    let text = String::from_utf8(response.body).unwrap();
    assert_eq!(text, r#"{"FunctionName":"","Inner":{"Name":"n"},"Names":["a"],"Flag":false}"#);
    let header = |name: &str| response.headers.iter().find(|(known, _)| known == name).unwrap();
    assert_eq!(header("X-Since").1, "Tue, 29 Apr 2014 18:30:38 GMT");
    assert_eq!((header("x-meta-a").1.as_str(), header("x-meta-b").1.as_str()), ("1", "2"));
}

const ROUTES: &[Route] = &[
    Route { operation: "List", method: "GET", uri: "/functions/" },
    Route { operation: "Create", method: "POST", uri: "/functions" },
    Route { operation: "Get", method: "GET", uri: "/functions/{Name}" },
    Route { operation: "Settings", method: "GET", uri: "/functions/settings" },
    Route { operation: "Alias", method: "GET", uri: "/functions/{Name}/aliases/{Alias}" },
    Route { operation: "Object", method: "GET", uri: "/objects/{Key+}" },
    Route { operation: "Acl", method: "GET", uri: "/objects/{Key+}?acl" },
];

#[test]
fn the_pattern_that_says_most_wins() {
    let found = |method, path, query| find(ROUTES, method, path, query).unwrap_or("none");
    assert_eq!(found("GET", "/functions", ""), "List");
    assert_eq!(found("GET", "/functions/", "Marker=1"), "List");
    assert_eq!(found("POST", "/functions/", ""), "Create");
    assert_eq!(found("GET", "/functions/settings", ""), "Settings");
    assert_eq!(found("GET", "/functions/a%2Fb", ""), "Get");
    assert_eq!(found("GET", "/functions/a/aliases/b", ""), "Alias");
    assert_eq!(found("GET", "/functions/a/aliases//", ""), "none");
    assert_eq!(found("DELETE", "/functions/a", ""), "none");
    assert_eq!(found("GET", "/objects/a/b/c", ""), "Object");
    assert_eq!(found("GET", "/objects/a", "acl"), "Acl");
    assert_eq!(found("GET", "/objects/", ""), "none");
}

proptest! {
    #[test]
    fn no_request_panics(
        path in "[/a-z%0-9F.]{0,40}", query in "[a-zA-Z=&%+0-9]{0,60}",
        body in proptest::collection::vec(any::<u8>(), 0..60),
    ) {
        let _ = read::<Everything>(request(&path, &query, &body), &EVERYTHING);
        let raw = Request { pattern: "/{Name}", ..request(&path, &query, &body) };
        let _ = read::<Raw>(raw, &RAW);
        let _ = find(ROUTES, "GET", &path, &query);
    }
}
