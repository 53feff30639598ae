//! How CloudTrail shows a request or an answer: JSON with names in lower camel case, and without
//! secrets.
//!
//! Facts from real records: key material, plaintexts and ciphertexts are absent, not masked, and so
//! are credentials' and secrets' values; other sensitive text reads `HIDDEN_DUE_TO_SECURITY_REASONS`.

use crate::schema::{Member, Schema};
use crate::timestamp::Timestamp;
use crate::{Writer, json};

/// Shapes of text whose members are left out rather than masked.
const ABSENT: &[&str] = &[
    "accessKeySecretType",
    "clientTokenType",
    "SecretStringType",
    "passwordType",
    "PrivateKey",
    "privateKeyType",
];

/// Members that hold what users send each other; models do not mark them, CloudTrail masks them.
const MASKED: &[&str] = &["MessageBody", "Body", "StringValue", "Detail"];

/// Shapes of such text, where a member's name says too little: messages of topics, events, and what
/// targets and functions are given. CloudTrail masks them or does not record the call at all.
const MASKED_SHAPES: &[&str] = &["message", "subject", "TargetInput", "TransformerInput"];

/// Words of an error after which a caller's secret is repeated to him.
const REPEATS: &[&str] = &["String measured: "];

/// Where a message begins to repeat structures: `Value '[PutEventsRequestEntry(`.
fn repeats_structures(message: &str) -> Option<usize> {
    let start = message.find("Value '[")? + "Value '[".len();
    let rest = message.get(start..)?;
    let name = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
    (name > 0 && rest.as_bytes().get(name) == Some(&b'(')).then_some(start + name + 1)
}

/// An error's message, as it may be recorded.
pub fn error_message(message: &str) -> String {
    let end = |words: &&str| message.find(*words).map(|at| at + words.len());
    let end = REPEATS.iter().find_map(end).or_else(|| repeats_structures(message));
    match end.and_then(|end| message.get(..end)) {
        Some(start) => format!("{start}HIDDEN_DUE_TO_SECURITY_REASONS"),
        None => message.to_owned(),
    }
}

/// What models do not call sensitive and may count yet: one-time codes that were refused, tokens of
/// grants.
const CODES: &[&str] = &["authenticationCodeType", "tokenCodeType", "GrantTokenType"];

/// Bytes that most requests take here.
const USUAL_BYTES: usize = 256;

/// Writes the JSON of `requestParameters` or `responseElements`.
pub struct AuditWriter {
    out: Vec<u8>,
    /// The member whose value comes next; named only once it is known that the value is shown.
    pending: Option<&'static str>,
}

impl Default for AuditWriter {
    fn default() -> Self {
        AuditWriter { out: Vec::with_capacity(USUAL_BYTES), pending: None }
    }
}

impl AuditWriter {
    /// The finished document.
    pub fn finish(self) -> Vec<u8> {
        self.out
    }

    fn separate(&mut self) {
        if !matches!(self.out.last(), None | Some(b'{' | b'[' | b':')) {
            self.out.push(b',');
        }
    }

    /// Writes what must stand before a value that is shown.
    fn show(&mut self) {
        let Some(name) = self.pending.take() else { return };
        self.separate();
        self.out.push(b'"');
        // Secrets Manager's `ARN`, which was `aRN` in records until February 2024.
        let name = if name == "ARN" { "arn" } else { name };
        let mut bytes = name.bytes();
        self.out.extend(bytes.next().map(|first| first.to_ascii_lowercase()));
        self.out.extend(bytes);
        self.out.extend_from_slice(b"\":");
    }
}

impl Writer for AuditWriter {
    fn begin_structure(&mut self) {
        self.show();
        self.out.push(b'{');
    }
    fn member(&mut self, member: &'static Member) {
        self.pending = Some(member.name);
    }
    fn end_structure(&mut self) {
        self.pending = None;
        self.out.push(b'}');
    }
    fn begin_list(&mut self, _: &'static Member) {
        self.show();
        self.out.push(b'[');
    }
    fn item(&mut self) {
        self.separate();
    }
    fn end_list(&mut self) {
        self.out.push(b']');
    }
    fn begin_map(&mut self) {
        self.show();
        self.out.push(b'{');
    }
    fn key(&mut self, key: &str) {
        self.separate();
        json::push_string(&mut self.out, key);
        self.out.push(b':');
    }
    fn end_map(&mut self) {
        self.out.push(b'}');
    }
    fn string(&mut self, value: &str, schema: &'static Schema) {
        let is_absent = schema.sensitive && ABSENT.contains(&schema.name);
        if (is_absent || CODES.contains(&schema.name)) && self.pending.take().is_some() {
            return;
        }
        let masked = schema.sensitive
            || MASKED_SHAPES.contains(&schema.name)
            || self.pending.is_some_and(|name| MASKED.contains(&name));
        self.show();
        let shown = if masked { "HIDDEN_DUE_TO_SECURITY_REASONS" } else { value };
        json::push_string(&mut self.out, shown);
    }
    fn blob(&mut self, value: &[u8], _: &'static Schema) {
        // As a member it is left out; inside a collection something must stand in its place.
        if self.pending.take().is_none() {
            json::push_string(&mut self.out, &format!("{} bytes", value.len()));
        }
    }
    fn boolean(&mut self, value: bool) {
        self.show();
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
    }
    fn integer(&mut self, value: i64) {
        self.show();
        self.out.extend_from_slice(value.to_string().as_bytes());
    }
    fn double(&mut self, value: f64) {
        self.show();
        let text = if value.is_finite() { value.to_string() } else { "null".to_owned() };
        self.out.extend_from_slice(text.as_bytes());
    }
    fn timestamp(&mut self, value: Timestamp) {
        self.show();
        // As real records show them: `Oct 27, 2025, 12:16:57 AM`.
        json::push_string(&mut self.out, &value.format("%b %-d, %Y, %-I:%M:%S %p"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{blob, member, string, timestamp};
    use crate::{SecretBlob, SecretString, Shape, structure};

    static TEXT: Schema = string("Text");
    static SECRET: Schema = string("Secret").sensitive();
    static CREDENTIAL: Schema = string("accessKeySecretType").sensitive();
    static CODE: Schema = string("tokenCodeType");
    static BYTES: Schema = blob("Bytes").sensitive();
    static WHEN: Schema = timestamp("When");
    structure! { pub struct Request as REQUEST "Request" {
        optional key_id: String = member("KeyId", &TEXT),
        optional plaintext: SecretBlob = member("Plaintext", &BYTES),
        optional password: SecretString = member("Password", &SECRET),
        optional valid_to: Timestamp = member("ValidTo", &WHEN),
        optional access_key: SecretString = member("AccessKey", &CREDENTIAL),
        optional token_code: String = member("TokenCode", &CODE),
    } }

    #[test]
    fn secrets_are_hidden_and_blobs_credentials_and_codes_left_out() {
        let request = Request {
            key_id: Some("k\"1".to_owned()),
            plaintext: Some(SecretBlob(b"hunter2".to_vec())),
            password: Some(SecretString("hunter2".to_owned())),
            valid_to: Some(Timestamp::from_seconds(1_688_991_869)),
            access_key: Some(SecretString("hunter2".to_owned())),
            token_code: Some("123456".to_owned()),
        };
        let mut writer = AuditWriter::default();
        request.write(&mut writer, &REQUEST);
        assert_eq!(
            String::from_utf8(writer.finish()).unwrap(),
            r#"{"keyId":"k\"1","password":"HIDDEN_DUE_TO_SECURITY_REASONS","validTo":"Jul 10, 2023, 12:24:29 PM"}"#
        );
    }

    static MESSAGE: Schema = string("message");
    static STRING: Schema = string("String");
    structure! { pub struct Sent as SENT "Sent" {
        optional body: String = member("Body", &STRING),
        optional detail: String = member("Detail", &STRING),
        optional message: String = member("Message", &MESSAGE),
        optional name: String = member("Name", &STRING),
    } }

    #[test]
    fn what_users_send_each_other_is_masked_whichever_way_it_goes() {
        let text = || Some("hunter2".to_owned());
        let sent = Sent { body: text(), detail: text(), message: text(), name: text() };
        let mut writer = AuditWriter::default();
        sent.write(&mut writer, &SENT);
        let shown = String::from_utf8(writer.finish()).unwrap();
        assert_eq!(shown.matches("hunter2").count(), 1, "{shown}");
        assert_eq!(shown.matches("HIDDEN_DUE_TO_SECURITY_REASONS").count(), 3, "{shown}");
    }

    #[test]
    fn an_error_that_repeats_a_secret_is_recorded_without_it() {
        let told = "… exceeded the 4KB limit. String measured: {\"P\":\"hunter2\"}";
        let shown = error_message(told);
        assert!(shown.ends_with("String measured: HIDDEN_DUE_TO_SECURITY_REASONS"), "{shown}");
        assert_eq!(error_message("not found"), "not found");
        let entries =
            "1 validation error detected: Value '[PutEventsRequestEntry(detail=hunter2)]'";
        let hidden = "Value '[PutEventsRequestEntry(HIDDEN_DUE_TO_SECURITY_REASONS";
        assert!(error_message(entries).ends_with(hidden), "{}", error_message(entries));
        assert_eq!(error_message("Value '[a, b]' at 'keys'"), "Value '[a, b]' at 'keys'");
    }
}
