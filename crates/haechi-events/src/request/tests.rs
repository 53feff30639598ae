use serde_json::json;

use super::*;

fn destination(endpoint: &str, method: &str) -> ApiDestinationRecord {
    ApiDestinationRecord {
        name: "d".to_owned(),
        id: "i".to_owned(),
        description: None,
        connection_arn: String::new(),
        endpoint: endpoint.to_owned(),
        method: method.to_owned(),
        rate_per_second: 300,
        created_ms: 0,
        modified_ms: 0,
        unknown: Default::default(),
    }
}

fn authorization(text: &str) -> Authorization {
    serde_json::from_str(text).unwrap()
}

fn target() -> HttpRecord {
    let pairs = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    HttpRecord {
        path: vec!["$.detail.id".to_owned(), "fixed".to_owned()],
        headers: pairs(&[("X-Kind", "$.detail-type"), ("host", "elsewhere"), ("x-own", "target")]),
        query: pairs(&[("n", "$.detail.n"), ("q", "target")]),
    }
}

fn header<'a>(request: &'a HttpRequest, name: &str) -> Vec<&'a str> {
    let named = request.headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
    named.map(|(_, value)| value.as_str()).collect()
}

#[test]
fn a_connection_s_parameters_come_before_those_of_the_target() {
    let event = json!({"detail-type": "Order", "detail": {"id": "a/b", "n": 5}});
    let own = authorization(
        r#"{"api_key_name": "X-Key", "api_key_value": "k", "invocation_http_parameters": {
            "header_parameters": [{"key": "X-Own", "value": "connection"}],
            "query_string_parameters": [{"key": "q", "value": "connection"}],
            "body_parameters": [{"key": "tenant", "value": "t"}]}}"#,
    );
    let request = build(
        &destination("https://a.example/*/x/*?v=1", "POST"),
        &filled(&target(), &event),
        &own,
        None,
        r#"{"a": 1}"#,
    );
    assert_eq!(request.url.as_str(), "https://a.example/a%2Fb/x/fixed?v=1&n=5&q=connection");
    assert_eq!(request.body.as_str(), r#"{"a":1,"tenant":"t"}"#);
    for (name, expected) in [
        ("x-kind", vec!["Order"]),
        ("x-own", vec!["connection"]),
        ("x-key", vec!["k"]),
        ("host", vec![]),
        ("content-type", vec!["application/json; charset=utf-8"]),
        ("user-agent", vec![USER_AGENT]),
    ] {
        assert_eq!(header(&request, name), expected, "{name}");
    }
}

#[test]
fn each_type_authorises_in_its_way() {
    let basic = authorization(r#"{"username": "u", "password": "p:w"}"#);
    let none = HttpRecord::default();
    let at = destination("https://a.example/", "PUT");
    let request = build(&at, &none, &basic, None, "text");
    assert_eq!(header(&request, "authorization"), ["Basic dTpwOnc="]);
    assert_eq!((request.method, request.body.as_str()), ("PUT", "text"));
    let oauth = authorization(
        r#"{"client_id": "i", "client_secret": "s", "authorization_endpoint": "https://t/", "http_method": "POST"}"#,
    );
    let token = Zeroizing::new("abc".to_owned());
    let request = build(&at, &none, &oauth, Some(&token), "{}");
    assert_eq!(header(&request, "authorization"), ["Bearer abc"]);
}

#[test]
fn what_is_only_asked_for_has_no_body() {
    let basic = authorization(r#"{"username": "u", "password": "p"}"#);
    for method in ["GET", "HEAD"] {
        let at = destination("https://a.example/*", method);
        let request = build(&at, &HttpRecord::default(), &basic, None, "{}");
        assert_eq!((request.body.as_str(), request.method), ("", method));
        assert_eq!(request.url.as_str(), "https://a.example/*", "no value, no change");
    }
}
