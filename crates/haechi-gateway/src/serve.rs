//! One request, stage by stage.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use haechi_core::router::{Answer, Endpoint};
use haechi_core::{AuditLog, Caller, Clock, Cx, Env, Identities, Region, RequestInfo, Router};
use haechi_sigv4::RequestView;
use haechi_wire::audit::AuditWriter;
use haechi_wire::decode::InputError;
use haechi_wire::json::{JsonReader, JsonWriter};
use haechi_wire::query::{self, QueryReader};
use haechi_wire::{Fault, Problem, Protocol, Reader, ServiceSchema};
use http::request::Parts;
use http::{HeaderMap, Method, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::authenticate::authenticate;
use crate::body::{self, BodyError};
use crate::dev::DevControls;
use crate::identify::{Identified, Unidentified, identify};
use crate::metrics::Metrics;
use crate::record::{Event, Tls, record};
use crate::Limits;

/// CloudTrail keeps this much of a user agent.
const USER_AGENT_MAX: usize = 1024;

/// Everything that a request passes through.
pub struct Gateway {
    /// Operations and their handlers.
    pub router: Router,
    /// Who the callers are.
    pub identities: Arc<dyn Identities>,
    /// Where records go.
    pub audit: Arc<dyn AuditLog>,
    /// haechi's time and randomness.
    pub env: Env,
    /// The machine's clock, for signatures.
    pub wall: Arc<dyn Clock>,
    /// What a client may take up.
    pub limits: Limits,
    /// What is counted.
    pub metrics: Metrics,
    /// The controls of `--dev`, where it is on.
    pub dev: Option<Arc<dyn DevControls>>,
}

/// What is known of the connection that a request came on.
pub(crate) struct Connection {
    pub peer: IpAddr,
    pub tls: Option<Tls>,
}

/// The client went away: nothing can be answered.
#[derive(Debug, thiserror::Error)]
#[error("the client closed the connection or was too slow")]
pub(crate) struct Gone;

/// An answer's body: either of them is wiped when it has been sent.
type Body = Full<Bytes>;

/// A call on its way through the stages; what is known of it when it ends goes into the record.
struct Passage<'a> {
    identified: &'a Identified,
    info: RequestInfo,
    caller: Option<Arc<Caller>>,
    region: Option<Region>,
    access_key_id: Option<String>,
    cx: Option<Cx>,
    read_only: bool,
    parameters: Vec<u8>,
}

impl Gateway {
    /// Answers one request.
    pub(crate) async fn serve(
        &self,
        connection: &Connection,
        request: http::Request<Incoming>,
    ) -> Result<Response<Body>, Gone> {
        let started = Instant::now();
        let (parts, incoming) = request.into_parts();
        let limits = &self.limits;
        let body = match body::read(incoming, limits.body_bytes_max, limits.body_timeout).await {
            Ok(body) => body,
            Err(BodyError::Gone) => return Err(Gone),
            Err(BodyError::Fault(fault)) => {
                let protocol = identify(&self.router, &parts, &[])
                    .map_or_else(|unidentified| unidentified.protocol, |found| found.protocol);
                return Ok(self.problem(&fault.into(), protocol, "", "", true));
            }
        };
        if parts.uri.path().starts_with("/_haechi/")
            && let Some(dev) = &self.dev
        {
            return Ok(self.dev(&**dev, &parts, &body).await);
        }
        let Ok(request_id) = self.env.uuid() else {
            let fault = Fault::internal("randomness failed");
            return Ok(self.problem(&fault.into(), Protocol::Json11, "", "", true));
        };
        let request_id = request_id.to_string();
        let identified = match gzip(&parts).map_or_else(|| identify(&self.router, &parts, &body), Err)
        {
            Ok(identified) => identified,
            Err(Unidentified { fault, protocol, service }) => {
                self.metrics.unidentified.inc();
                let namespace = service.map_or("", |service| service.xml_namespace);
                return Ok(self.problem(&fault.into(), protocol, namespace, &request_id, false));
            }
        };
        let known = identified.service.operations.iter();
        let Some(operation) = known.copied().find(|known| *known == identified.operation) else {
            self.metrics.unidentified.inc();
            let fault = unknown_operation(&identified);
            let namespace = identified.service.xml_namespace;
            return Ok(self.problem(&fault.into(), identified.protocol, namespace, &request_id, false));
        };
        let info = self.info(connection, &parts.headers, request_id);
        let (response, code) = self.call(connection, &parts, &body, &identified, info).await;
        self.metrics.called(identified.service.name, operation, code, started.elapsed());
        Ok(response)
    }

    fn info(&self, connection: &Connection, headers: &HeaderMap, id: String) -> RequestInfo {
        let text = |name: &str| {
            let value = headers.get(name)?.to_str().ok()?;
            Some(value.get(..USER_AGENT_MAX).unwrap_or(value).to_owned())
        };
        RequestInfo {
            id,
            source_ip: connection.peer,
            user_agent: text("user-agent"),
            referer: text("referer"),
            secure_transport: connection.tls.is_some(),
            time: self.env.now(),
        }
    }

    /// A call of a known operation: from authentication to the record. Answers the response and
    /// the code to count.
    async fn call(
        &self,
        connection: &Connection,
        parts: &Parts,
        body: &[u8],
        identified: &Identified,
        info: RequestInfo,
    ) -> (Response<Body>, &'static str) {
        let (protocol, service) = (identified.protocol, identified.service);
        let id = info.id.clone();
        let mut passage = Passage {
            identified,
            info,
            caller: None,
            region: None,
            access_key_id: None,
            cx: None,
            read_only: false,
            parameters: Vec::new(),
        };
        let outcome = if self.audit.is_healthy() {
            self.pass(&mut passage, parts, body).await
        } else {
            Err(unavailable("the audit log cannot be written").into())
        };
        let elements = match (&outcome, passage.read_only) {
            (Ok(answer), false) => redacted(&**answer),
            _ => Vec::new(),
        };
        let problem = outcome.as_ref().err();
        if let Some(Problem::Fault(fault @ (Fault::Internal(_) | Fault::Unavailable { .. }))) = problem {
            tracing::error!(request = id, operation = identified.operation, error = ?fault, "a call failed");
        }
        let record = self.record(&passage, connection, &parts.headers, &elements, problem);
        let audited = match record {
            Ok(record) => self.audit.append(record).await.map_err(unavailable),
            Err(fault) => Err(fault),
        };
        let outcome = match audited {
            Ok(()) => outcome,
            Err(fault) => {
                tracing::error!(request = id, error = ?fault, "a call could not be audited");
                Err(fault.into())
            }
        };
        match outcome {
            Ok(answer) => (success(&*answer, identified, &id), "OK"),
            Err(problem) => {
                let response = self.problem(&problem, protocol, service.xml_namespace, &id, false);
                (response, problem.code(protocol))
            }
        }
    }

    /// Authenticates, decodes, validates, handles.
    async fn pass(
        &self,
        passage: &mut Passage<'_>,
        parts: &Parts,
        body: &[u8],
    ) -> Result<Box<dyn Answer>, Problem> {
        let identified = passage.identified;
        let (service, protocol) = (identified.service, identified.protocol);
        let view = RequestView::from(parts);
        let authenticated =
            authenticate(&*self.identities, &*self.wall, service, protocol, &view, body).await;
        let authenticated = match authenticated {
            Ok(authenticated) => authenticated,
            Err(refused) => {
                passage.access_key_id = refused.access_key_id;
                passage.region = refused.region;
                return Err(refused.fault.into());
            }
        };
        passage.caller = Some(Arc::clone(&authenticated.caller));
        passage.region = Some(authenticated.region.clone());
        let endpoint = self.router.endpoint(service, &identified.operation)?;
        passage.read_only = endpoint.schema().read_only;
        let call = decode(&**endpoint, identified, body)?;
        let mut writer = AuditWriter::default();
        call.write_input(&mut writer);
        passage.parameters = writer.finish();
        let cx = passage.cx.insert(Cx::new(
            self.env.clone(),
            passage.info.clone(),
            authenticated.region,
            authenticated.caller,
            endpoint.schema(),
        ));
        call.run(cx).await
    }

    fn record(
        &self,
        passage: &Passage<'_>,
        connection: &Connection,
        headers: &HeaderMap,
        elements: &[u8],
        problem: Option<&Problem>,
    ) -> Result<Vec<u8>, Fault> {
        let event_id = self.env.uuid().map_err(Fault::internal)?.to_string();
        Ok(record(&Event {
            service: passage.identified.service,
            operation: &passage.identified.operation,
            protocol: passage.identified.protocol,
            request: &passage.info,
            host: headers.get("host").and_then(|host| host.to_str().ok()),
            tls: connection.tls.as_ref(),
            region: passage.region.as_ref(),
            caller: passage.caller.as_deref(),
            access_key_id: passage.access_key_id.as_deref(),
            read_only: passage.read_only,
            parameters: &passage.parameters,
            elements,
            problem,
            cx: passage.cx.as_ref(),
            event_id: &event_id,
        }))
    }

    async fn dev(&self, dev: &dyn DevControls, parts: &Parts, body: &[u8]) -> Response<Body> {
        let answer = match (&parts.method, parts.uri.path()) {
            (&Method::POST, "/_haechi/clock") => match advance(body) {
                Ok(seconds) => dev.advance(seconds).await,
                Err(fault) => Err(fault),
            },
            (&Method::POST, "/_haechi/reset") => dev.reset().await,
            (_, path) => Err(Fault::UnknownOperation(path.to_owned())),
        };
        match answer {
            Ok(json) => response(StatusCode::OK, "application/json", "", json.into_bytes()),
            Err(fault) => self.problem(&fault.into(), Protocol::Json11, "", "", false),
        }
    }

    fn problem(
        &self,
        problem: &Problem,
        protocol: Protocol,
        namespace: &str,
        request_id: &str,
        close: bool,
    ) -> Response<Body> {
        let status = StatusCode::from_u16(problem.status(protocol))
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = problem.body(protocol, namespace, request_id);
        let mut response = response(status, protocol.content_type(), request_id, body);
        if close {
            // What is left of the request's body would be taken for the next request.
            let value = http::HeaderValue::from_static("close");
            response.headers_mut().insert(http::header::CONNECTION, value);
        }
        response
    }
}

fn unknown_operation(identified: &Identified) -> Fault {
    let Identified { service, operation, protocol, .. } = identified;
    match protocol {
        Protocol::Query | Protocol::Ec2 => Fault::UnknownService(format!(
            "Could not find operation {operation} for version {}",
            service.version
        )),
        _ => Fault::UnknownOperation(operation.clone()),
    }
}

fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Fault {
    Fault::Unavailable {
        message: "The request could not be recorded, so it is refused. Try again later.",
        source: source.into(),
    }
}

/// Compressed bodies: AWS's services take them for a few operations only, none of which is here.
fn gzip(parts: &Parts) -> Option<Unidentified> {
    let encoding = parts.headers.get("content-encoding")?.to_str().ok()?;
    let meant = encoding != "identity" && encoding != "aws-chunked";
    meant.then(|| Unidentified {
        fault: Fault::Malformed(format!("Content-Encoding {encoding} is not supported")),
        protocol: if parts.headers.contains_key("x-amz-target") {
            Protocol::Json11
        } else {
            Protocol::Query
        },
        service: None,
    })
}

/// `{"advance_seconds": 31622400}`.
fn advance(body: &[u8]) -> Result<i64, Fault> {
    use haechi_wire::schema::{Schema, integer, member, structure_of};
    static SECONDS: Schema = integer("Seconds");
    static CLOCK: Schema =
        structure_of("Clock", &[member("advance_seconds", &SECONDS).required()]);
    let wrong = |error: &dyn std::fmt::Display| {
        Fault::Validation(format!("Send {{\"advance_seconds\": N}}: {error}"))
    };
    let mut reader = JsonReader::new(body);
    let mut read = || {
        let mut seconds = None;
        reader.begin_structure()?;
        while reader.next_member(CLOCK.members())?.is_some() {
            seconds = Some(reader.integer()?);
        }
        reader.finish()?;
        Ok::<_, haechi_wire::Malformed>(seconds)
    };
    match read() {
        Ok(Some(seconds)) if seconds >= 0 => Ok(seconds),
        Ok(_) => Err(wrong(&"N is a whole number of seconds, not negative")),
        Err(malformed) => Err(wrong(&malformed)),
    }
}

fn decode(
    endpoint: &dyn Endpoint,
    identified: &Identified,
    body: &[u8],
) -> Result<Box<dyn haechi_core::router::Call>, Fault> {
    let decode = |reader: &mut dyn Reader| {
        endpoint.decode(reader).map_err(|error| match error {
            InputError::Malformed(malformed) => Fault::Malformed(malformed.0),
            InputError::Invalid(message) => Fault::Validation(message),
        })
    };
    match &identified.form {
        Some(form) => decode(&mut QueryReader::new(form)),
        None => decode(&mut JsonReader::new(body)),
    }
}

fn redacted(answer: &dyn Answer) -> Vec<u8> {
    let mut writer = AuditWriter::default();
    answer.write(&mut writer);
    match writer.finish() {
        empty if empty == b"{}" => Vec::new(),
        elements => elements,
    }
}

fn success(answer: &dyn Answer, identified: &Identified, request_id: &str) -> Response<Body> {
    let protocol = identified.protocol;
    let body = match protocol {
        Protocol::Query | Protocol::Ec2 | Protocol::RestXml => {
            xml(answer, identified.service, &identified.operation, request_id)
        }
        _ => {
            let mut writer = JsonWriter::new();
            answer.write(&mut writer);
            writer.finish()
        }
    };
    response(StatusCode::OK, protocol.content_type(), request_id, body)
}

fn xml(
    answer: &dyn Answer,
    service: &'static ServiceSchema,
    operation: &str,
    request_id: &str,
) -> Vec<u8> {
    let wrapper = answer.schema().result_wrapper;
    query::response_body(operation, wrapper, service.xml_namespace, request_id, |writer| {
        answer.write(writer);
    })
}

fn response(
    status: StatusCode,
    content_type: &'static str,
    request_id: &str,
    body: Vec<u8>,
) -> Response<Body> {
    // Wiped once sent: it may hold a plaintext.
    let body = Bytes::from_owner(Zeroizing::new(body));
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(content_type));
    if let Ok(value) = http::HeaderValue::from_str(request_id)
        && !request_id.is_empty()
    {
        headers.insert("x-amzn-requestid", value);
    }
    response
}
