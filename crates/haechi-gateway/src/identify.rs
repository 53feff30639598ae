//! Which service and operation a request is for, and in which protocol.
//!
//! One port serves everything, so this goes by what the request itself says: `X-Amz-Target`
//! (JSON), `Action` (query), and else the credential scope or the host (`kms.us-east-1.localhost`),
//! which at least tell whose error to render.

use haechi_core::Router;
use haechi_wire::query::Form;
use haechi_wire::{Fault, Protocol, ServiceSchema};
use http::HeaderMap;
use http::request::Parts;

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

/// Finds out what a request is for.
///
/// # Errors
/// [`Unidentified`] says what to answer, and how.
pub fn identify(
    router: &Router,
    parts: &Parts,
    body: &[u8],
) -> Result<Identified, Unidentified> {
    let hinted = hinted(router, parts);
    if let Some(target) = text(&parts.headers, "x-amz-target") {
        return by_target(router, target, &parts.headers, hinted);
    }
    let content_type = text(&parts.headers, "content-type").unwrap_or_default();
    let query = parts.uri.query().unwrap_or_default();
    if content_type.starts_with("application/x-www-form-urlencoded") || query.contains("Action=") {
        return by_action(router, query, body, hinted);
    }
    let json = content_type.starts_with("application/x-amz-json");
    let protocol = match hinted.and_then(|service| service.protocols.first()) {
        Some(protocol) => *protocol,
        None if json => Protocol::Json11,
        None => Protocol::Query,
    };
    let message = match hinted {
        Some(_) => "The request names no operation: it has neither an X-Amz-Target header nor an \
                    Action parameter."
            .to_owned(),
        None => "The request names no service that haechi knows.".to_owned(),
    };
    Err(Unidentified { fault: Fault::UnknownService(message), protocol, service: hinted })
}

/// `X-Amz-Target: TrentService.Encrypt`.
fn by_target(
    router: &Router,
    target: &str,
    headers: &HeaderMap,
    hinted: Option<&'static ServiceSchema>,
) -> Result<Identified, Unidentified> {
    let ten = text(headers, "content-type").is_some_and(|value| value.ends_with("json-1.0"));
    let protocol = if ten { Protocol::Json10 } else { Protocol::Json11 };
    let (prefix, operation) = target.rsplit_once('.').unwrap_or((target, ""));
    let named = router.services().find(|service| {
        !service.target_prefix.is_empty() && service.target_prefix == prefix
    });
    match named {
        Some(service) => {
            Ok(Identified { service, operation: operation.to_owned(), protocol, form: None })
        }
        None => Err(Unidentified {
            fault: Fault::UnknownOperation(target.to_owned()),
            protocol,
            service: hinted,
        }),
    }
}

/// `Action=GetUser&Version=2010-05-08`, in the body or the query string.
fn by_action(
    router: &Router,
    query: &str,
    body: &[u8],
    hinted: Option<&'static ServiceSchema>,
) -> Result<Identified, Unidentified> {
    let protocol = Protocol::Query;
    let unidentified = |fault| Unidentified { fault, protocol, service: hinted };
    let source = if body.is_empty() { query.as_bytes() } else { body };
    let form = Form::parse(source)
        .map_err(|malformed| unidentified(Fault::Malformed(malformed.0)))?;
    let version = form.value("Version").unwrap_or_default();
    let speaks = |service: &&'static ServiceSchema| {
        service.version == version && service.protocols.contains(&Protocol::Query)
    };
    // The scope decides where two services share a version; the version where nothing is signed.
    let service = hinted.filter(speaks).or_else(|| router.services().find(speaks));
    let Some(service) = service else {
        let message = format!("Could not find any service for API version '{version}'.");
        return Err(unidentified(Fault::UnknownService(message)));
    };
    let Some(operation) = form.value("Action").map(str::to_owned) else {
        let message = "The request is missing the Action parameter.".to_owned();
        return Err(unidentified(Fault::UnknownService(message)));
    };
    Ok(Identified { service, operation, protocol, form: Some(form) })
}

/// The service of the credential scope, or of the host's first label.
fn hinted(router: &Router, parts: &Parts) -> Option<&'static ServiceSchema> {
    let scoped = text(&parts.headers, "authorization")
        .and_then(|value| value.split("Credential=").nth(1))
        .or_else(|| parts.uri.query()?.split("X-Amz-Credential=").nth(1))
        .and_then(|credential| credential.split(['/', '&', ','].as_slice()).nth(3));
    let escaped = parts
        .uri
        .query()
        .and_then(|query| query.split("X-Amz-Credential=").nth(1))
        .and_then(|credential| credential.split("%2F").nth(3));
    let host = text(&parts.headers, "host").or_else(|| parts.uri.host());
    let label = host.and_then(|host| host.split('.').next());
    [scoped, escaped, label].into_iter().flatten().find_map(|name| router.named(name))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
