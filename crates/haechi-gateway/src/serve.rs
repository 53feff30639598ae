//! One request, stage by stage.

use std::net::IpAddr;
use std::sync::Arc;

use haechi_core::router::{Answer, Call, Endpoint};
use haechi_core::{
    AuditLog, Caller, Clock, Cluster, Cx, Env, Identities, Intent, Intents, Region, RequestInfo,
    Router,
};
use haechi_policy::Principal;
use haechi_sigv4::RequestView;
use haechi_wire::audit::AuditWriter;
use haechi_wire::decode::InputError;
use haechi_wire::json::JsonReader;
use haechi_wire::query::{Form, QueryReader};
use haechi_wire::rest::{self, RestReader};
use haechi_wire::{Fault, Problem, Protocol, Reader};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method, Response, StatusCode, header};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use crate::answer::{self, Body};
use crate::authenticate::{Authenticated, authenticate};
use crate::dev::{self, DevControls};
use crate::done::{Called, Done, Handled};
use crate::identify::{Identified, hinted, identify};
use crate::metrics::Metrics;
use crate::record::Event;
use crate::recorder::Recorder;
use crate::{Limits, Quotas, invalid, sessions, shown};

/// CloudTrail keeps this much of a user agent.
const USER_AGENT_MAX: usize = 1024;

/// Where a call stands in a trace of X-Ray.
const TRACE: HeaderName = HeaderName::from_static("x-amzn-trace-id");

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
    /// What clients may take up.
    pub limits: Limits,
    /// How many requests an account may make.
    pub quotas: Arc<Quotas>,
    /// What is counted.
    pub metrics: Metrics,
    /// The controls of `--dev`, where it is on.
    pub dev: Option<Arc<dyn DevControls>>,
    /// This node among others over its store, where there are others.
    pub cluster: Option<Arc<Cluster>>,
    /// What tells of changes whose record is not on disk yet; `None` where nothing outlives the
    /// process.
    pub intents: Option<Arc<Intents>>,
    /// Whether the root key is not there yet: every call is then refused, and nothing is recorded.
    pub sealed: bool,
}

/// What a caller is told while the root key is sealed.
const SEALED: &str = "haechi is sealed: its operators have to unseal it. Nothing was done.";

/// What is known of the connection that a request came on.
pub struct Connection {
    peer: IpAddr,
    pub(crate) tls: Option<Tls>,
    /// Its place among all connections; kept until its last call is done.
    _place: Option<OwnedSemaphorePermit>,
}

/// How a connection is encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// `TLSv1.3`.
    pub version: &'static str,
    /// `TLS_AES_128_GCM_SHA256`.
    pub cipher_suite: String,
}

impl Connection {
    /// From `peer`, in the open or over TLS.
    pub fn new(peer: IpAddr, tls: Option<Tls>) -> Connection {
        Connection { peer, tls, _place: None }
    }

    pub(crate) fn placed(peer: IpAddr, tls: Option<Tls>, place: OwnedSemaphorePermit) -> Self {
        Connection { peer, tls, _place: Some(place) }
    }
}

/// A call on its way through the stages; what is known of it when it ends goes into the record.
pub(crate) struct Passage<'a> {
    pub(crate) identified: &'a Identified,
    pub(crate) connection: &'a Connection,
    parts: &'a Parts,
    view: RequestView<'a>,
    pub(crate) info: Arc<RequestInfo>,
    caller: Option<Arc<Caller>>,
    region: Option<Region>,
    access_key_id: Option<String>,
    cx: Option<Cx>,
    intent: Option<Arc<Intent>>,
    pub(crate) read_only: bool,
    pub(crate) parameters: Vec<u8>,
}

impl Passage<'_> {
    /// The `Host` header.
    pub(crate) fn host(&self) -> Option<&str> {
        self.view.host().and_then(|host| std::str::from_utf8(host).ok())
    }
}

impl Gateway {
    /// Does what a request asks for whose body has been read; what is left is to be settled. Once
    /// begun it must be polled to its end, and settled.
    pub(crate) async fn handle(
        &self,
        connection: &Connection,
        parts: &Parts,
        body: &[u8],
    ) -> Handled {
        let started = Instant::now();
        if self.sealed {
            return self.refuse(parts, body, unavailable(SEALED, "the root key is sealed")).into();
        }
        if parts.uri.path().starts_with("/_haechi/")
            && let Some(controls) = &self.dev
        {
            return match Box::pin(dev::control(&**controls, parts, body)).await {
                Ok(json) => {
                    answer::response(StatusCode::OK, "application/json", "", json.into_bytes())
                }
                Err(fault) => answer::problem(&fault.into(), Protocol::Json11, "", ""),
            }
            .into();
        }
        if let Some(document) = self.document(parts).await {
            return document.into();
        }
        let request_id = match self.request_id() {
            Ok(request_id) => request_id,
            Err(fault) => return answer::problem(&fault.into(), Protocol::Json11, "", "").into(),
        };
        let identified =
            identify(&self.router, parts, body).and_then(|identified| {
                match identified.operation() {
                    Some(operation) => Ok((identified, operation)),
                    None => Err(identified.unknown()),
                }
            });
        let (identified, operation) = match identified {
            Ok(found) => found,
            Err(unidentified) => {
                self.metrics.unidentified.inc();
                return unidentified.answer(&request_id).into();
            }
        };
        let info = Arc::new(self.info(connection, &parts.headers, request_id));
        let called = Called { operation, started, info };
        Handled::Done(self.call(connection, parts, body, &identified, called).await)
    }

    /// How large a body may be that announces so many bytes: some services take larger ones.
    pub(crate) fn body_bytes_max(&self, parts: &Parts, announced: u64) -> usize {
        let usual = self.limits.body_bytes_max;
        if announced <= usual as u64 {
            return usual;
        }
        let service = hinted(&self.router, parts);
        service.and_then(|service| self.router.body_bytes_max(service)).unwrap_or(usual)
    }

    /// A file that anybody may fetch; none if the path is nobody's.
    async fn document(&self, parts: &Parts) -> Option<Response<Body>> {
        let path = parts.uri.path();
        let documents = self.router.documents(path).filter(|_| parts.method == Method::GET)?;
        match documents.document(path).await {
            Ok(Some(found)) => {
                Some(answer::response(StatusCode::OK, found.content_type, "", found.body))
            }
            Ok(None) => None,
            Err(fault) => Some(answer::problem(&fault.into(), Protocol::Query, "", "")),
        }
    }

    /// Answers a request that is refused before anybody asks whose it is.
    pub(crate) fn refuse(&self, parts: &Parts, body: &[u8], fault: Fault) -> Response<Body> {
        self.metrics.unidentified.inc();
        let mut unidentified = match identify(&self.router, parts, body) {
            Ok(identified) => identified.unknown(),
            Err(unidentified) => unidentified,
        };
        unidentified.fault = fault;
        let mut response = unidentified.answer(&self.request_id().unwrap_or_default());
        // What is left of the body would be taken for the next request.
        let close = http::HeaderValue::from_static("close");
        response.headers_mut().insert(http::header::CONNECTION, close);
        response
    }

    fn request_id(&self) -> Result<String, Fault> {
        Ok(self.env.uuid().map_err(Fault::internal)?.to_string())
    }

    fn info(&self, connection: &Connection, headers: &HeaderMap, id: String) -> RequestInfo {
        let text = |name: HeaderName| {
            let value = headers.get(name)?.to_str().ok()?;
            Some(value.get(..USER_AGENT_MAX).unwrap_or(value).to_owned())
        };
        RequestInfo {
            id,
            source_ip: connection.peer,
            user_agent: text(header::USER_AGENT),
            host: text(header::HOST),
            referer: text(header::REFERER),
            trace: text(TRACE),
            secure_transport: connection.tls.is_some(),
            time: self.env.now(),
        }
    }

    /// A call of a known operation: from authentication to what its record says.
    async fn call(
        &self,
        connection: &Connection,
        parts: &Parts,
        body: &[u8],
        identified: &Identified,
        called: Called,
    ) -> Done {
        let Identified { service, protocol, .. } = *identified;
        let id = called.info.id.as_str();
        let mut passage = Passage {
            identified,
            connection,
            parts,
            view: RequestView::from(parts),
            info: Arc::clone(&called.info),
            caller: None,
            region: None,
            access_key_id: None,
            cx: None,
            intent: None,
            read_only: false,
            parameters: Vec::new(),
        };
        let is_begun = self.audit.is_healthy();
        let outcome = if is_begun {
            self.pass(&mut passage, body).await
        } else {
            let message = "The audit log cannot be written, so nothing was done. Try again later.";
            Err(unavailable(message, "the audit log is not healthy").into())
        };
        if let Err(Problem::Fault(fault @ (Fault::Internal(_) | Fault::Unavailable { .. }))) =
            &outcome
        {
            tracing::error!(request = id, operation = identified.operation, error = ?fault, "a call failed");
        }
        let records = self.records(&passage, &outcome);
        let (response, code) = match outcome {
            Ok(answer) => (answer::success(&*answer, identified, id), "OK"),
            Err(problem) => {
                let problem = invalid::worded(problem, protocol);
                let code = problem.code(protocol);
                (answer::problem(&problem, protocol, service.xml_namespace, id), code)
            }
        };
        let intent = passage.intent;
        Done { called, service, protocol, records, intent, is_begun, response, code }
    }

    /// Authenticates, decodes, validates, handles.
    async fn pass(
        &self,
        passage: &mut Passage<'_>,
        body: &[u8],
    ) -> Result<Box<dyn Answer>, Problem> {
        let identified = passage.identified;
        let service = identified.service;
        let Authenticated { caller, region } = self.authenticated(passage, body).await?;
        passage.caller = Some(Arc::clone(&caller));
        passage.region = Some(region.clone());
        let endpoint = self.router.endpoint(service, &identified.operation)?;
        passage.read_only = endpoint.schema().read_only;
        sessions::check(service.name, endpoint.schema().name, identified.protocol, &caller)?;
        let (operation, now) = (endpoint.schema().name, passage.info.time);
        // Whoever is not known counts by where he calls from, so that he spends nobody else's.
        let anonymous = matches!(caller.principal, Principal::Anonymous);
        let address = anonymous.then(|| passage.info.source_ip.to_string());
        let account = address.as_deref().unwrap_or(caller.account.as_str());
        self.quotas.take(service.name, operation, account, region.as_str(), now)?;
        let call = decode(&**endpoint, identified, passage.parts, body)?;
        let mut writer = AuditWriter::default();
        call.write_input(&mut writer);
        passage.parameters = writer.finish();
        let (env, info) = (self.env.clone(), Arc::clone(&passage.info));
        let cx = Cx::new(env, info, region, caller, endpoint.schema());
        cx.meter(Arc::clone(&self.quotas) as _);
        passage.intent = self.intent(passage, &cx)?;
        let cx = &*passage.cx.insert(cx);
        match (&self.intents, &passage.intent) {
            (Some(intents), Some(intent)) => {
                // In a box, so that calls that only read do not carry its room.
                Box::pin(intents.around(Arc::clone(intent), call.run(cx))).await
            }
            _ => call.run(cx).await,
        }
    }

    /// Who calls and where: as the signature says, or nobody where the model asks for none.
    async fn authenticated(
        &self,
        passage: &mut Passage<'_>,
        body: &[u8],
    ) -> Result<Authenticated, Fault> {
        let Identified { service, protocol, operation, .. } = passage.identified;
        let form = passage.identified.form.as_ref();
        let opened =
            self.router.opened(operation).is_some_and(|opened| opened.name == service.name);
        let is_link = opened && !bears_signature(form, passage.view.headers);
        if is_link || self.router.is_unsigned(service, operation) {
            let region = match form.and_then(named_region) {
                Some(region) => region,
                None => unsigned_region(&passage.view)?,
            };
            return Ok(Authenticated { caller: Arc::new(Caller::anonymous()), region });
        }
        let (identities, wall) = (&*self.identities, &*self.wall);
        match authenticate(identities, wall, service, *protocol, &passage.view, body).await {
            Ok(authenticated) => {
                let Authenticated { caller, region } = &authenticated;
                identities.used(caller, service.name, region, passage.info.time);
                Ok(authenticated)
            }
            Err(refused) => {
                passage.access_key_id = refused.access_key_id;
                passage.region = refused.region;
                Err(refused.fault)
            }
        }
    }

    /// What is to be recorded of a call.
    fn records(
        &self,
        passage: &Passage<'_>,
        outcome: &Result<Box<dyn Answer>, Problem>,
    ) -> Result<Vec<Vec<u8>>, Fault> {
        let resources = passage.cx.as_ref().map(Cx::take_noted).unwrap_or_default();
        let service = passage.identified.service.name;
        let elements = match outcome {
            Ok(answer) if !passage.read_only || tells_answer(passage.identified) => {
                shown::elements(service, redacted(&**answer), &resources)
            }
            _ => Vec::new(),
        };
        let drawn;
        let event_id = match &passage.cx {
            Some(cx) => cx.event_id()?,
            None => {
                drawn = self.request_id()?;
                &drawn
            }
        };
        let told = passage.cx.as_ref().filter(|_| outcome.is_ok()).map(Cx::take_told);
        let details = told.unwrap_or_default();
        // Whoever an identity provider vouched for is known only now.
        let caller = passage.cx.as_ref().map(Cx::recorded_caller).or(passage.caller.as_ref());
        let caller = caller.map(Arc::as_ref);
        let refused = passage.cx.as_ref().filter(|_| outcome.is_err()).and_then(Cx::refused);
        let event = Event {
            region: passage.region.as_ref(),
            caller,
            access_key_id: passage.access_key_id.as_deref(),
            elements: &elements,
            problem: outcome.as_ref().err(),
            resources: &resources,
            details: &details,
            node: self.cluster.as_ref().map(|cluster| cluster.id()),
            refused: refused.as_ref(),
            ..Event::begun(passage, event_id)
        };
        let mut recorder = Recorder::new(&self.env);
        for made in passage.cx.as_ref().map(Cx::take_made).unwrap_or_default() {
            recorder.made(&made, &event)?;
        }
        recorder.call(&event)?;
        Ok(recorder.records())
    }
}

/// Whether a request is signed, rightly or not.
fn bears_signature(form: Option<&Form>, headers: &HeaderMap) -> bool {
    headers.contains_key(header::AUTHORIZATION)
        || form.is_some_and(|form| form.value("X-Amz-Signature").is_some())
}

/// The Region of the resource that a link is about.
fn named_region(form: &Form) -> Option<Region> {
    let arns = ["TopicArn", "SubscriptionArn"].into_iter().filter_map(|name| form.value(name));
    arns.filter_map(|arn| Region::parse(arn.split(':').nth(3)?)).next()
}

/// Where a request without a signature wants to act: the Region of the host that it was sent to
/// (`sts.eu-west-1.…`), else the first one, as AWS's global endpoint does.
fn unsigned_region(view: &RequestView<'_>) -> Result<Region, Fault> {
    let host = view.host().and_then(|host| std::str::from_utf8(host).ok()).unwrap_or_default();
    let named = host.split('.').nth(1).and_then(Region::parse);
    let first = || Region::parse("us-east-1");
    named.or_else(first).ok_or_else(|| Fault::internal("the first Region has no valid name"))
}

pub(crate) fn unavailable(
    message: &'static str,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> Fault {
    Fault::Unavailable { message, source: source.into() }
}

fn decode(
    endpoint: &dyn Endpoint,
    identified: &Identified,
    parts: &Parts,
    body: &[u8],
) -> Result<Box<dyn Call>, Problem> {
    let decode = |reader: &mut dyn Reader| {
        endpoint.decode(reader).map_err(|error| match error {
            InputError::Malformed(malformed) => Fault::Malformed(malformed.0).into(),
            InputError::Invalid(broken) => invalid::problem(identified.service.name, &broken),
        })
    };
    match (&identified.form, identified.protocol) {
        (Some(form), _) => decode(&mut QueryReader::new(form)),
        (None, Protocol::RestJson) => {
            let schema = endpoint.schema();
            let texts = parts.headers.iter();
            let request = rest::Request {
                pattern: schema.uri,
                path: parts.uri.path(),
                query: parts.uri.query().unwrap_or_default(),
                headers: texts
                    .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
                    .collect(),
                body,
            };
            let reader = RestReader::new(request, schema.input);
            decode(&mut reader.map_err(|malformed| Fault::Malformed(malformed.0))?)
        }
        (None, _) => decode(&mut JsonReader::new(body)),
    }
}

/// Records show answers of calls that change something, and of those that hand out temporary
/// credentials, which count as reading where it is their names that decide: who got which access key must be told.
fn tells_answer(identified: &Identified) -> bool {
    let operation = identified.operation.as_str();
    let hands_out = ["GetSessionToken", "GetFederationToken"].contains(&operation);
    identified.service.name == "sts" && (hands_out || operation.starts_with("Assume"))
}

fn redacted(answer: &dyn Answer) -> Vec<u8> {
    let mut writer = AuditWriter::default();
    answer.write(&mut writer);
    match writer.finish() {
        empty if empty == b"{}" => Vec::new(),
        elements => elements,
    }
}
