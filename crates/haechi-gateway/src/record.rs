//! The CloudTrail record of a call.
//!
//! Shape: "CloudTrail record contents" and real records (`eventVersion` 1.11). Written by hand
//! because it is made for every call; names and order are CloudTrail's.

use haechi_core::{Caller, Cx, Region, RequestInfo};
use haechi_policy::Principal;
use haechi_wire::json::push_string;
use haechi_wire::{Problem, Protocol, ServiceSchema};

use crate::serve::Tls;

/// The version of the record's shape.
const EVENT_VERSION: &str = "1.11";

/// Bytes of an error's message, at most; CloudTrail cuts here too.
const MESSAGE_MAX: usize = 1024;

/// What a record tells.
pub(crate) struct Event<'a> {
    pub service: &'static ServiceSchema,
    pub operation: &'a str,
    pub protocol: Protocol,
    pub request: &'a RequestInfo,
    pub host: Option<&'a str>,
    pub tls: Option<&'a Tls>,
    pub region: Option<&'a Region>,
    pub caller: Option<&'a Caller>,
    /// The key that an unauthenticated request presented.
    pub access_key_id: Option<&'a str>,
    pub read_only: bool,
    /// JSON of the input and of the output, redacted; empty for none.
    pub parameters: &'a [u8],
    pub elements: &'a [u8],
    pub problem: Option<&'a Problem>,
    pub cx: Option<&'a Cx>,
    pub event_id: &'a str,
}

/// Builds the JSON object.
struct Json {
    out: Vec<u8>,
}

impl Json {
    fn name(&mut self, name: &str) {
        if !matches!(self.out.last(), Some(b'{')) {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        push_string(&mut self.out, value);
    }

    fn raw(&mut self, name: &str, value: &[u8]) {
        self.name(name);
        self.out.extend_from_slice(if value.is_empty() { b"null" } else { value });
    }
}

/// The record, as JSON.
pub(crate) fn record(event: &Event<'_>) -> Vec<u8> {
    let mut json = Json { out: Vec::with_capacity(1536) };
    json.out.push(b'{');
    json.text("eventVersion", EVENT_VERSION);
    json.name("userIdentity");
    identity(&mut json, event);
    json.text("eventTime", &event.request.time.iso8601());
    json.text("eventSource", &format!("{}.amazonaws.com", event.service.name));
    json.text("eventName", event.operation);
    json.text("awsRegion", event.region.map_or("", Region::as_str));
    json.text("sourceIPAddress", &event.request.source_ip.to_string());
    json.text("userAgent", event.request.user_agent.as_deref().unwrap_or_default());
    if let Some(problem) = event.problem {
        json.text("errorCode", problem.code(event.protocol));
        let message = problem.message();
        let message = shortened(&message);
        if !message.is_empty() {
            json.text("errorMessage", message);
        }
    }
    json.raw("requestParameters", event.parameters);
    json.raw("responseElements", event.elements);
    json.text("requestID", &event.request.id);
    json.text("eventID", event.event_id);
    json.raw("readOnly", if event.read_only { b"true" } else { b"false" });
    resources(&mut json, event);
    json.text("eventType", "AwsApiCall");
    json.raw("managementEvent", b"true");
    json.text("recipientAccountId", event.caller.map_or("", |caller| caller.account.as_str()));
    json.text("eventCategory", "Management");
    if let Some(tls) = event.tls {
        json.name("tlsDetails");
        json.out.push(b'{');
        json.text("tlsVersion", tls.version);
        json.text("cipherSuite", &tls.cipher_suite);
        json.text("clientProvidedHostHeader", event.host.unwrap_or_default());
        json.out.push(b'}');
    }
    json.out.push(b'}');
    json.out
}

/// The first line, cut: after it, a signature's error shows the request's headers, and with them
/// its session token.
fn shortened(message: &str) -> &str {
    let line = message.lines().next().unwrap_or_default();
    line.get(..line.floor_char_boundary(MESSAGE_MAX)).unwrap_or(line)
}

fn identity(json: &mut Json, event: &Event<'_>) {
    json.out.push(b'{');
    let Some(caller) = event.caller else {
        json.text("type", "Unknown");
        if let Some(access_key_id) = event.access_key_id {
            json.text("accessKeyId", access_key_id);
        }
        json.out.push(b'}');
        return;
    };
    let kind = match &caller.principal {
        Principal::Root { .. } => "Root",
        Principal::User { .. } => "IAMUser",
        Principal::AssumedRole { .. } => "AssumedRole",
        Principal::FederatedUser { .. } => "FederatedUser",
        Principal::Service { .. } => "AWSService",
        Principal::Federated { .. } | Principal::Anonymous => "Unknown",
    };
    json.text("type", kind);
    json.text("principalId", &caller.user_id);
    json.text("arn", caller.arn());
    json.text("accountId", caller.account.as_str());
    json.text("accessKeyId", &caller.access_key_id);
    if let Some(name) = &caller.user_name {
        json.text("userName", name);
    }
    json.out.push(b'}');
}

fn resources(json: &mut Json, event: &Event<'_>) {
    let resources = event.cx.map(Cx::noted).unwrap_or_default();
    if resources.is_empty() {
        return;
    }
    json.name("resources");
    json.out.push(b'[');
    for (index, resource) in resources.iter().enumerate() {
        if index > 0 {
            json.out.push(b',');
        }
        json.out.push(b'{');
        json.text("accountId", &resource.account);
        json.text("type", resource.kind);
        json.text("ARN", &resource.arn);
        json.out.push(b'}');
    }
    json.out.push(b']');
}
