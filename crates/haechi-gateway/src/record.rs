//! The CloudTrail record of a call.
//!
//! Shape: "CloudTrail record contents", "userIdentity element" and real records (`eventVersion`
//! 1.11). Written by hand because it is made for every call; names and order are CloudTrail's.

use std::net::IpAddr;

use haechi_core::regions::WITHOUT_REGIONS;
use haechi_core::{Caller, MadeCall, Region, RequestInfo, Resource};
use haechi_policy::{Principal, RecordedRequest};
use haechi_wire::json::push_string;
use haechi_wire::{Fault, Problem, Protocol, ServiceSchema};

use crate::serve::{Passage, Tls};
use crate::shown;

/// Behind a service's name, where it stands for itself.
const SERVICES: &str = ".amazonaws.com";

/// The version of the record's shape.
const EVENT_VERSION: &str = "1.11";

/// Bytes of an error's message, at most; CloudTrail cuts here too.
const MESSAGE_MAX: usize = 1024;

/// What a record tells.
#[derive(Clone, Copy)]
pub(crate) struct Event<'a> {
    pub service: &'static ServiceSchema,
    pub operation: &'a str,
    pub protocol: Protocol,
    pub request: &'a RequestInfo,
    /// The id of the request: of a call that a service made, not of the one that it made it for.
    pub request_id: &'a str,
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
    /// What the call touched.
    pub resources: &'a [Resource],
    /// What else there is to tell of a call that succeeded.
    pub details: &'a [(&'static str, String)],
    pub event_id: &'a str,
    /// `sharedEventID`, where other accounts get a record of this call too.
    pub shared_event_id: Option<&'a str>,
    /// The account that gets this record, where it is not the caller's.
    pub owner: Option<&'a str>,
    /// Where a service made the call.
    pub made: Option<&'a MadeCall>,
    /// The node that handled the call, where there are several.
    pub node: Option<&'a str>,
    /// Of a denial: the request, for haechi's part of the record.
    pub refused: Option<&'a RecordedRequest>,
}

impl<'a> Event<'a> {
    /// Of a call that is not done yet, by nobody so far.
    pub(crate) fn begun(passage: &'a Passage<'_>, event_id: &'a str) -> Event<'a> {
        Event {
            service: passage.identified.service,
            operation: &passage.identified.operation,
            protocol: passage.identified.protocol,
            request: &passage.info,
            request_id: &passage.info.id,
            host: passage.host(),
            tls: passage.connection.tls.as_ref(),
            region: None,
            caller: None,
            access_key_id: None,
            read_only: passage.read_only,
            parameters: &passage.parameters,
            elements: &[],
            problem: None,
            resources: &[],
            details: &[],
            event_id,
            shared_event_id: None,
            owner: None,
            node: None,
            made: None,
            refused: None,
        }
    }
}

/// Accounts other than the caller's that own something the call touched, each once.
pub(crate) fn other_owners<'a>(caller: Option<&Caller>, resources: &'a [Resource]) -> Vec<&'a str> {
    let own = caller.map(|caller| caller.account.as_str());
    let mut owners: Vec<&str> = Vec::new();
    for resource in resources {
        let account = resource.account.as_str();
        if own.is_some_and(|own| own != account)
            && account.len() == 12
            && !owners.contains(&account)
        {
            owners.push(account);
        }
    }
    owners
}

/// A member's name as it is written behind another member.
#[derive(Clone, Copy)]
struct Name(&'static str);

/// A [`Name`]: put together when haechi is built, because a record has some thirty.
macro_rules! name {
    ($name:literal) => {
        Name(concat!(",\"", $name, "\":"))
    };
}

/// Builds the JSON object.
struct Json {
    out: Vec<u8>,
}

impl Json {
    #[inline]
    fn name(&mut self, Name(name): Name) {
        let is_first = self.out.last() == Some(&b'{');
        let name = name.as_bytes();
        self.out.extend_from_slice(if is_first { name.get(1..).unwrap_or_default() } else { name });
    }

    fn text(&mut self, name: Name, value: &str) {
        self.name(name);
        push_string(&mut self.out, value);
    }

    /// A text that needs no escaping, in parts: what haechi made itself.
    fn plain(&mut self, name: Name, parts: &[&str]) {
        self.name(name);
        self.out.push(b'"');
        for part in parts {
            self.out.extend_from_slice(part.as_bytes());
        }
        self.out.push(b'"');
    }

    fn raw(&mut self, name: Name, value: &[u8]) {
        self.name(name);
        let none = value.is_empty() || value == b"{}";
        self.out.extend_from_slice(if none { b"null" } else { value });
    }
}

/// The record, as JSON.
pub(crate) fn record(event: &Event<'_>) -> Vec<u8> {
    let mut json = Json { out: Vec::with_capacity(1536) };
    json.out.push(b'{');
    json.plain(name!("eventVersion"), &[EVENT_VERSION]);
    json.name(name!("userIdentity"));
    identity(&mut json, event);
    json.plain(name!("eventTime"), &[&event.request.time.iso8601()]);
    json.plain(name!("eventSource"), &[event.service.name, SERVICES]);
    json.text(name!("eventName"), &shown::event_name(event.service.name, event.operation));
    json.plain(name!("awsRegion"), &[region(event)]);
    source(&mut json, event);
    error(&mut json, event);
    let (service, operation) = (event.service.name, event.operation);
    let parameters = shown::parameters(service, operation, event.caller, event.parameters);
    json.raw(name!("requestParameters"), &parameters);
    json.raw(name!("responseElements"), event.elements);
    additional(&mut json, event);
    json.plain(name!("requestID"), &[event.request_id]);
    json.plain(name!("eventID"), &[event.event_id]);
    let read_only = shown::read_only(service, operation, event.read_only);
    json.raw(name!("readOnly"), if read_only { b"true" } else { b"false" });
    resources(&mut json, event);
    json.plain(name!("eventType"), &["AwsApiCall"]);
    let is_data = shown::is_data_event(service, operation);
    json.raw(name!("managementEvent"), if is_data { b"false" } else { b"true" });
    let own = event.caller.map_or("", |caller| caller.account.as_str());
    json.text(name!("recipientAccountId"), event.owner.unwrap_or(own));
    if let Some(shared_event_id) = event.shared_event_id {
        json.plain(name!("sharedEventID"), &[shared_event_id]);
    }
    json.plain(name!("eventCategory"), &[if is_data { "Data" } else { "Management" }]);
    if let Some(tls) = event.tls {
        json.name(name!("tlsDetails"));
        json.out.push(b'{');
        json.text(name!("tlsVersion"), tls.version);
        json.text(name!("cipherSuite"), &tls.cipher_suite);
        json.text(name!("clientProvidedHostHeader"), event.host.unwrap_or_default());
        json.out.push(b'}');
    }
    json.out.push(b'}');
    refused(&mut json.out, event);
    json.out
}

fn additional(json: &mut Json, event: &Event<'_>) {
    if event.details.is_empty() && event.node.is_none() {
        return;
    }
    json.name(name!("additionalEventData"));
    json.out.push(b'{');
    for (name, value) in event.details {
        if json.out.last() != Some(&b'{') {
            json.out.push(b',');
        }
        push_string(&mut json.out, name);
        json.out.push(b':');
        push_string(&mut json.out, value);
    }
    if let Some(node) = event.node {
        json.text(name!("haechiNode"), node);
    }
    json.out.push(b'}');
}

/// Where the call came from; a call that a service made came from there.
fn source(json: &mut Json, event: &Event<'_>) {
    if let Some(made) = event.made {
        json.plain(name!("sourceIPAddress"), &[made.service, SERVICES]);
        json.plain(name!("userAgent"), &[made.service, SERVICES]);
        return;
    }
    json.name(name!("sourceIPAddress"));
    push_address(&mut json.out, event.request.source_ip);
    json.text(name!("userAgent"), event.request.user_agent.as_deref().unwrap_or_default());
}

/// An address as a JSON string.
fn push_address(out: &mut Vec<u8>, address: IpAddr) {
    let IpAddr::V4(address) = address else {
        push_string(out, &address.to_string());
        return;
    };
    // By hand: formatting takes a sixth of the time of the whole record.
    out.push(b'"');
    for (index, octet) in address.octets().into_iter().enumerate() {
        if index > 0 {
            out.push(b'.');
        }
        for (divisor, least) in [(100, 100), (10, 10), (1, 0)] {
            if octet >= least {
                out.push(b'0' + octet / divisor % 10);
            }
        }
    }
    out.push(b'"');
}

fn error(json: &mut Json, event: &Event<'_>) {
    let own = event.problem.map(|problem| (code(problem, event.protocol), problem.message()));
    let Some((code, message)) = own.or_else(|| event.made?.problem.clone()) else { return };
    json.text(name!("errorCode"), code);
    let message = haechi_wire::audit::error_message(&message);
    let message = shortened(&message);
    if !message.is_empty() {
        json.text(name!("errorMessage"), message);
    }
}

/// haechi's part of the record ([`haechi_core::audit::parts`]); the owner of what was touched learns
/// nothing of it.
fn refused(out: &mut Vec<u8>, event: &Event<'_>) {
    let denied =
        event.problem.is_some_and(|one| code(one, event.protocol).starts_with("AccessDenied"));
    if let Some(request) = event.refused.filter(|_| denied && event.owner.is_none()) {
        out.push(b'\n');
        out.extend_from_slice(request.to_json().as_bytes());
    }
}

/// The first line, cut: after it, a signature's error shows the request's headers, and with them
/// its session token.
fn shortened(message: &str) -> &str {
    let line = message.lines().next().unwrap_or_default();
    line.get(..line.floor_char_boundary(MESSAGE_MAX)).unwrap_or(line)
}

fn region<'a>(event: &Event<'a>) -> &'a str {
    let Some(region) = event.region else { return "" };
    if WITHOUT_REGIONS.contains(&event.service.name) {
        region.of_global_services()
    } else {
        region.as_str()
    }
}

/// Records say `AccessDenied` whatever the service's protocol makes of it.
fn code(problem: &Problem, protocol: Protocol) -> &'static str {
    match problem {
        Problem::Fault(Fault::AccessDenied(_)) => "AccessDenied",
        other => other.code(protocol),
    }
}

fn identity(json: &mut Json, event: &Event<'_>) {
    json.out.push(b'{');
    match (event.caller, event.owner) {
        (None, _) => {
            json.text(name!("type"), "Unknown");
            if let Some(access_key_id) = event.access_key_id {
                json.text(name!("accessKeyId"), access_key_id);
            }
        }
        // The owner of what was touched learns whose call it was, and no more of the caller.
        (Some(caller), Some(_)) => {
            json.text(name!("type"), "AWSAccount");
            json.text(name!("principalId"), &caller.user_id);
            json.plain(name!("accountId"), &[caller.account.as_str()]);
        }
        (Some(caller), None) => caller_identity(json, caller),
    }
    // A service that calls for itself says so already.
    let by_itself = |caller: &Caller| matches!(caller.principal, Principal::Service { .. });
    if let Some(made) = event.made
        && (event.owner.is_some() || !event.caller.is_some_and(by_itself))
    {
        json.plain(name!("invokedBy"), &[made.service, SERVICES]);
    }
    json.out.push(b'}');
}

fn caller_identity(json: &mut Json, caller: &Caller) {
    let kind = match &caller.principal {
        Principal::Root { .. } => "Root",
        Principal::User { .. } => "IAMUser",
        Principal::AssumedRole { .. } => "AssumedRole",
        Principal::FederatedUser { .. } => "FederatedUser",
        Principal::Service { .. } => {
            json.text(name!("type"), "AWSService");
            json.text(name!("invokedBy"), caller.arn());
            return;
        }
        Principal::Federated { provider } => {
            federated_identity(json, caller, provider);
            return;
        }
        Principal::Anonymous => "Unknown",
    };
    json.plain(name!("type"), &[kind]);
    json.text(name!("principalId"), &caller.user_id);
    json.text(name!("arn"), caller.arn());
    json.plain(name!("accountId"), &[caller.account.as_str()]);
    json.text(name!("accessKeyId"), &caller.access_key_id);
    if let Some(name) = &caller.user_name {
        json.text(name!("userName"), name);
    }
    session_context(json, caller);
}

/// Whom an identity provider vouches for, on the way to a role. No account: the record goes to the
/// role's.
fn federated_identity(json: &mut Json, caller: &Caller, provider: &str) {
    let is_saml = provider.contains(":saml-provider/");
    json.text(name!("type"), if is_saml { "SAMLUser" } else { "WebIdentityUser" });
    json.text(name!("principalId"), &caller.user_id);
    json.text(name!("userName"), caller.user_name.as_deref().unwrap_or_default());
    json.text(name!("identityProvider"), provider);
}

/// Of temporary credentials: who issued them, and when.
fn session_context(json: &mut Json, caller: &Caller) {
    let Some(issued) = caller.issued else { return };
    json.name(name!("sessionContext"));
    json.out.push(b'{');
    let account = caller.account.as_str();
    match &caller.principal {
        Principal::AssumedRole { role_arn, role_unique_id, .. } => {
            issuer(json, "Role", role_unique_id, role_arn, account);
        }
        Principal::FederatedUser { user_arn: Some(arn), user_unique_id: Some(id), .. } => {
            issuer(json, "IAMUser", id, arn, account);
        }
        Principal::FederatedUser { .. } => {
            issuer(json, "Root", account, &format!("arn:aws:iam::{account}:root"), account);
        }
        _ => {}
    }
    let session = caller.session.as_ref();
    if let Some(provider) = session.and_then(|session| session.federated_provider.as_deref()) {
        json.name(name!("webIdFederationData"));
        json.out.push(b'{');
        json.text(name!("federatedProvider"), provider);
        json.out.extend_from_slice(b",\"attributes\":{}}");
    }
    json.name(name!("attributes"));
    json.out.push(b'{');
    json.text(name!("creationDate"), &issued.iso8601());
    let has_mfa = session.is_some_and(|session| session.mfa.is_some());
    json.text(name!("mfaAuthenticated"), if has_mfa { "true" } else { "false" });
    json.out.push(b'}');
    if let Some(name) = session.and_then(|session| session.source_identity.as_deref()) {
        json.text(name!("sourceIdentity"), name);
    }
    json.out.push(b'}');
}

fn issuer(json: &mut Json, kind: &str, id: &str, arn: &str, account: &str) {
    json.name(name!("sessionIssuer"));
    json.out.push(b'{');
    json.plain(name!("type"), &[kind]);
    json.text(name!("principalId"), id);
    json.text(name!("arn"), arn);
    json.text(name!("accountId"), account);
    if kind != "Root" {
        json.text(name!("userName"), arn.rsplit('/').next().unwrap_or_default());
    }
    json.out.push(b'}');
}

fn resources(json: &mut Json, event: &Event<'_>) {
    if event.resources.is_empty() {
        return;
    }
    json.name(name!("resources"));
    json.out.push(b'[');
    for (index, resource) in event.resources.iter().enumerate() {
        if index > 0 {
            json.out.push(b',');
        }
        json.out.push(b'{');
        json.text(name!("accountId"), &resource.account);
        json.text(name!("type"), resource.kind);
        json.text(name!("ARN"), &resource.arn);
        json.out.push(b'}');
    }
    json.out.push(b']');
}

#[cfg(test)]
mod tests;
