//! The query protocol's answers in JSON, for clients that accept nothing else: what
//! `GetCallerIdentity` is asked by those who let others vouch for themselves with a presigned one.

use crate::buffer::{put, put_byte};
use crate::json::{JsonWriter, push_string};

/// The body of a successful answer: `{"GetUserResponse":{"GetUserResult":{…`.
pub fn response_body(
    operation: &str,
    result_wrapper: Option<&str>,
    request_id: &str,
    write: impl FnOnce(&mut JsonWriter),
) -> Vec<u8> {
    let mut out = format!("{{\"{operation}Response\":{{").into_bytes();
    if let Some(wrapper) = result_wrapper {
        put(&mut out, format!("\"{wrapper}\":").as_bytes());
        let mut writer = JsonWriter::after(out);
        write(&mut writer);
        out = writer.finish();
        put_byte(&mut out, b',');
    }
    put(
        &mut out,
        format!("\"ResponseMetadata\":{{\"RequestId\":\"{request_id}\"}}}}}}").as_bytes(),
    );
    out
}

/// The body of an error.
pub fn error_body(code: &str, message: &str, sender: bool, request_id: &str) -> Vec<u8> {
    let mut out = b"{\"Error\":{\"Code\":".to_vec();
    push_string(&mut out, code);
    if !message.is_empty() {
        put(&mut out, b",\"Message\":");
        push_string(&mut out, message);
    }
    let kind = if sender { "Sender" } else { "Receiver" };
    put(&mut out, format!(",\"Type\":\"{kind}\"}},\"RequestId\":\"{request_id}\"}}").as_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Schema, list, member, string, timestamp};
    use crate::{Shape, Timestamp, structure};

    static TEXT: Schema = string("Text");
    static WHEN: Schema = timestamp("When");
    static NAMES: Schema = list("Names", &member("member", &TEXT));

    structure! { pub struct User as USER "User" {
        required user_name: String = member("UserName", &TEXT),
        optional created: Timestamp = member("CreateDate", &WHEN),
        optional names: Vec<String> = member("Names", &NAMES),
    } }

    #[test]
    fn an_answer_is_wrapped_as_in_xml_and_dates_are_numbers() {
        let user = User {
            user_name: "a\"b".to_owned(),
            created: Some(Timestamp::from_seconds(7)),
            names: Some(vec!["n".to_owned(), "m".to_owned()]),
        };
        let body =
            response_body("GetUser", Some("GetUserResult"), "id-1", |out| user.write(out, &USER));
        let expected = r#"{"GetUserResponse":{"GetUserResult":{"UserName":"a\"b","CreateDate":7,"Names":["n","m"]},"ResponseMetadata":{"RequestId":"id-1"}}}"#;
        assert_eq!(String::from_utf8(body).unwrap(), expected);
    }

    #[test]
    fn an_answer_without_a_result_has_its_request_id_alone() {
        let body = response_body("DeleteUser", None, "id-1", |_| ());
        let expected = r#"{"DeleteUserResponse":{"ResponseMetadata":{"RequestId":"id-1"}}}"#;
        assert_eq!(String::from_utf8(body).unwrap(), expected);
    }

    #[test]
    fn an_error_says_who_is_at_fault() {
        let body = error_body("AccessDenied", "no \"x\"", true, "id-1");
        let expected = r#"{"Error":{"Code":"AccessDenied","Message":"no \"x\"","Type":"Sender"},"RequestId":"id-1"}"#;
        assert_eq!(String::from_utf8(body).unwrap(), expected);
    }
}
