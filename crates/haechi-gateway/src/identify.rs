//! Which service and operation a request is for, and in which protocol.
//!
//! One port serves everything, so this goes by what the request itself says: `X-Amz-Target`
//! (JSON), `Action` (query), and else the credential scope or the host (`kms.us-east-1.localhost`),
//! which tell whose method and path they are (REST), or at least whose error to render.

use haechi_core::Router;
use haechi_wire::query::Form;
use haechi_wire::{Fault, Protocol, ServiceSchema, rest};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method, Response, StatusCode, Uri, header};

use crate::answer::{self, Body};

/// What a request is for.
pub struct Identified {
    /// The service.
    pub service: &'static ServiceSchema,
    /// The operation's name, as the request gives it.
    pub operation: String,
    /// The protocol to read and answer in.
    pub protocol: Protocol,
    /// The parameters, where the protocol is query.
    pub form: Option<Form>,
}

/// A request that is for nothing that haechi knows, and the protocol to say so in.
pub struct Unidentified {
    /// What to answer.
    pub fault: Fault,
    /// In which protocol.
    pub protocol: Protocol,
    /// The service that was probably meant, for the XML namespace.
    pub service: Option<&'static ServiceSchema>,
}

impl Identified {
    /// The operation's name, if the service's model has it.
    pub(crate) fn operation(&self) -> Option<&'static str> {
        self.service.operations.iter().copied().find(|known| *known == self.operation)
    }

    /// What to answer where the model does not have the operation.
    pub(crate) fn unknown(self) -> Unidentified {
        let Identified { service, operation, protocol, form } = self;
        let fault = match form {
            Some(_) if service.address.is_some() => Fault::UnknownService(format!(
                "The action {operation} is not valid for this endpoint."
            )),
            Some(form) => {
                let version = form.value("Version").unwrap_or("NO_VERSION_SPECIFIED");
                let told = format!("Could not find operation {operation} for version {version}");
                Fault::UnknownService(told)
            }
            None => Fault::UnknownOperation(operation),
        };
        Unidentified { fault, protocol, service: Some(service) }
    }
}

impl Unidentified {
    pub(crate) fn answer(self, request_id: &str) -> Response<Body> {
        // Recorded of a queue's URL that is asked for nothing.
        if let (Fault::UnknownOperation(_), Protocol::RestXml) = (&self.fault, self.protocol) {
            let body = b"<UnknownOperationException/>\n".to_vec();
            return answer::response(StatusCode::NOT_FOUND, "text/xml", request_id, body);
        }
        let namespace = self.service.map_or("", |service| service.xml_namespace);
        answer::problem(&self.fault.into(), self.protocol, namespace, request_id)
    }
}

/// Names the operation, in the JSON protocols.
const TARGET: HeaderName = HeaderName::from_static("x-amz-target");

/// Headers that decide something and so may be there once only. (More than one `Authorization`
/// has an answer of AWS's own.)
const SINGLE: [&str; 7] = [
    "host",
    "content-type",
    "content-encoding",
    "x-amz-target",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-content-sha256",
];

/// Finds out what a request is for.
///
/// # Errors
/// [`Unidentified`] says what to answer, and how.
pub fn identify(router: &Router, parts: &Parts, body: &[u8]) -> Result<Identified, Unidentified> {
    let mut found = sought(router, parts, body);
    if accepts_json(&parts.headers) {
        let (protocol, service) = match &mut found {
            Ok(identified) => (&mut identified.protocol, Some(identified.service)),
            Err(unidentified) => (&mut unidentified.protocol, unidentified.service),
        };
        // Queues' answers in JSON have names of their own, which are not recorded.
        let is_queue = service.is_some_and(|service| service.address.is_some());
        if *protocol == Protocol::Query && !is_queue {
            *protocol = Protocol::QueryJson;
        }
    }
    found
}

/// Whether a client wants JSON and not XML: it names that type alone, or before the other.
fn accepts_json(headers: &HeaderMap) -> bool {
    let wanted = text(headers, &header::ACCEPT).unwrap_or_default().split(',');
    let mut types = wanted.map(|range| range.split(';').next().unwrap_or_default().trim());
    let named = types.find(|name| {
        ["application/json", "text/xml", "application/xml"]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
    });
    named.is_some_and(|name| name.eq_ignore_ascii_case("application/json"))
}

fn sought(router: &Router, parts: &Parts, body: &[u8]) -> Result<Identified, Unidentified> {
    let target = text(&parts.headers, &TARGET);
    let content_type = text(&parts.headers, &header::CONTENT_TYPE).unwrap_or_default();
    let unreadable = unreadable(&parts.headers);
    if let (&Method::POST, Some(target), None) = (&parts.method, target, &unreadable) {
        let hint = || hinted(router, parts);
        return by_target(router, target, content_type, hint);
    }
    let hinted = hinted(router, parts);
    let json = target.is_some() || begins(content_type, "application/x-amz-json");
    let protocol = match hinted.and_then(|service| service.protocols.first()) {
        Some(protocol) => *protocol,
        None if json => Protocol::Json11,
        None => Protocol::Query,
    };
    let unidentified = |fault| Err(Unidentified { fault, protocol, service: hinted });
    if let Some(fault) = unreadable {
        return unidentified(fault);
    }
    let query = parts.uri.query().unwrap_or_default();
    let form = begins(content_type, "application/x-www-form-urlencoded");
    if matches!(parts.method, Method::GET | Method::POST)
        && target.is_none()
        && (form || query.contains("Action="))
    {
        return by_action(router, &parts.uri, body, hinted);
    }
    if let Some(service) = hinted.filter(|service| !service.routes.is_empty()) {
        return by_route(service, parts);
    }
    if parts.method == Method::GET && hinted.is_some_and(|service| service.address.is_some()) {
        let fault = Fault::UnknownOperation(parts.uri.path().to_owned());
        return Err(Unidentified { fault, protocol: Protocol::RestXml, service: hinted });
    }
    let message = match hinted {
        Some(_) => {
            "The request names no operation: it is not a POST with an X-Amz-Target header, \
                    nor has it an Action parameter."
        }
        None => "The request names no service that haechi knows.",
    };
    unidentified(Fault::UnknownService(message.to_owned()))
}

/// What is wrong with the headers, whatever the request is for.
fn unreadable(headers: &HeaderMap) -> Option<Fault> {
    // As many names as values: nothing is there twice.
    if headers.len() != headers.keys_len() {
        let twice = SINGLE.iter().find(|name| headers.get_all(**name).iter().nth(1).is_some());
        if let Some(name) = twice {
            return Some(Fault::Malformed(format!("The header {name} is there more than once")));
        }
    }
    // AWS's services take compressed bodies for a few operations only, none of which is here.
    let encoding = headers.get(header::CONTENT_ENCODING)?;
    let plain = encoding.as_bytes().eq_ignore_ascii_case(b"identity");
    (!plain).then(|| Fault::Malformed(format!("Content-Encoding {encoding:?} is not supported")))
}

/// `X-Amz-Target: TrentService.Encrypt`.
fn by_target(
    router: &Router,
    target: &str,
    content_type: &str,
    hint: impl FnOnce() -> Option<&'static ServiceSchema>,
) -> Result<Identified, Unidentified> {
    let ten = begins(content_type, "application/x-amz-json-1.0");
    let protocol = if ten { Protocol::Json10 } else { Protocol::Json11 };
    let (prefix, operation) = target.rsplit_once('.').unwrap_or((target, ""));
    // Newer SDKs say only how a service's shape is called, without what once stood before it:
    // `CloudTrail_20131101`, where botocore says `com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101`.
    let is_named = |whole: &str| {
        !whole.is_empty() && (whole == prefix || whole.rsplit('.').next() == Some(prefix))
    };
    let named = router.services().find(|service| is_named(service.target_prefix));
    match named {
        Some(service) => {
            Ok(Identified { service, operation: operation.to_owned(), protocol, form: None })
        }
        None => Err(Unidentified {
            fault: Fault::UnknownOperation(target.to_owned()),
            protocol,
            service: hint(),
        }),
    }
}

/// `GET /2015-03-31/functions/{FunctionName}`.
fn by_route(service: &'static ServiceSchema, parts: &Parts) -> Result<Identified, Unidentified> {
    let protocol = Protocol::RestJson;
    let (method, uri) = (parts.method.as_str(), &parts.uri);
    let query = uri.query().unwrap_or_default();
    match rest::find(service.routes, method, uri.path(), query) {
        Some(operation) => {
            Ok(Identified { service, operation: operation.to_owned(), protocol, form: None })
        }
        None => Err(Unidentified {
            fault: Fault::UnknownOperation(format!("{method} {}", uri.path())),
            protocol,
            service: Some(service),
        }),
    }
}

/// Whether a media type begins so; its letters have no case.
fn begins(content_type: &str, prefix: &str) -> bool {
    content_type.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// `Action=GetUser&Version=2010-05-08`, in the body or the query string or some in each. A
/// parameter is there once only, so that a body that was not signed overrides nothing that was.
fn by_action(
    router: &Router,
    uri: &Uri,
    body: &[u8],
    hinted: Option<&'static ServiceSchema>,
) -> Result<Identified, Unidentified> {
    let protocol = Protocol::Query;
    let unidentified = |fault| Unidentified { fault, protocol, service: hinted };
    let query = uri.query().unwrap_or_default();
    let mut form = Form::parse(&[query.as_bytes(), body])
        .map_err(|malformed| unidentified(Fault::Malformed(malformed.0)))?;
    let version = form.value("Version");
    let speaks = |service: &&'static ServiceSchema| {
        version.is_none_or(|version| service.version == version)
            && service.protocols.contains(&Protocol::Query)
    };
    // The scope decides where two services share a version; the version where nothing is signed.
    let named = || version.and_then(|_| router.services().find(speaks));
    // A link names the operation alone.
    let linked = || version.is_none().then(|| router.opened(form.value("Action")?)).flatten();
    let Some(service) = linked().or_else(|| hinted.filter(speaks)).or_else(named) else {
        let version = version.unwrap_or("NO_VERSION_SPECIFIED");
        let message = format!("Could not find any service for API version '{version}'.");
        return Err(unidentified(Fault::UnknownService(message)));
    };
    let Some(operation) = form.value("Action").map(str::to_owned) else {
        let message = "The request is missing the Action parameter.".to_owned();
        return Err(unidentified(Fault::UnknownService(message)));
    };
    if version.is_none() && service.address.is_none() && router.opened(&operation).is_none() {
        return Err(Identified { service, operation, protocol, form: Some(form) }.unknown());
    }
    if let Some(address) = service.address.filter(|_| uri.path() != "/") {
        if address.elsewhere.contains(&operation.as_str()) {
            return Err(Identified { service, operation, protocol, form: Some(form) }.unknown());
        }
        form.fill(address.member, uri.path());
    }
    Ok(Identified { service, operation, protocol, form: Some(form) })
}

/// The service of the credential scope, or of the host's first label.
pub(crate) fn hinted(router: &Router, parts: &Parts) -> Option<&'static ServiceSchema> {
    let scoped = text(&parts.headers, &header::AUTHORIZATION)
        .and_then(|value| value.split("Credential=").nth(1))
        .or_else(|| parts.uri.query()?.split("X-Amz-Credential=").nth(1))
        .and_then(|credential| credential.split(['/', '&', ','].as_slice()).nth(3));
    let escaped = parts
        .uri
        .query()
        .and_then(|query| query.split("X-Amz-Credential=").nth(1))
        .and_then(|credential| credential.split("%2F").nth(3));
    let host = text(&parts.headers, &header::HOST).or_else(|| parts.uri.host());
    let label = host.and_then(|host| host.split('.').next());
    [scoped, escaped, label].into_iter().flatten().find_map(|name| router.named(name))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
