//! Calls to etcd: one member at a time, another one when it does not answer, for a bounded time.
//!
//! Every call of this engine may be made twice: reads change nothing, and writes carry a mark that
//! shows whether they were done (`slot.rs`) or have the same effect again.

use std::{
    error::Error,
    str::FromStr,
    sync::{
        RwLock,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use haechi_store::StoreError;
use http::uri::PathAndQuery;
use prost::Message;
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};
use tonic::{
    Request, Status, Streaming,
    client::Grpc,
    metadata::AsciiMetadataValue,
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity},
};
use tonic_prost::ProstCodec;

use crate::{
    Settings,
    fault::{Fault, Kind, detail, kind},
    message::{Answer, AuthenticateRequest, AuthenticateResponse, Header},
};

/// Most bytes in one answer: a hundred rows of the largest size, and some.
const ANSWER_BYTES_MAX: usize = 256 * 1024 * 1024;
/// The first wait before another attempt; it doubles up to the longest.
const WAIT_FIRST: Duration = Duration::from_millis(20);
const WAIT_LONGEST: Duration = Duration::from_millis(500);
/// How often a connection is tried while it carries calls or watches, and how long that may take:
/// a watch on a member that has vanished is moved after both.
/// Servers take pings more often than every five seconds for an attack.
const PING_EVERY: Duration = Duration::from_secs(6);

/// The methods that are called.
pub(crate) mod path {
    pub(crate) const RANGE: &str = "/etcdserverpb.KV/Range";
    pub(crate) const TXN: &str = "/etcdserverpb.KV/Txn";
    pub(crate) const DELETE_RANGE: &str = "/etcdserverpb.KV/DeleteRange";
    pub(crate) const COMPACT: &str = "/etcdserverpb.KV/Compact";
    pub(crate) const WATCH: &str = "/etcdserverpb.Watch/Watch";
    pub(crate) const LEASE_GRANT: &str = "/etcdserverpb.Lease/LeaseGrant";
    pub(crate) const LEASE_REVOKE: &str = "/etcdserverpb.Lease/LeaseRevoke";
    pub(crate) const LEASE_KEEP_ALIVE: &str = "/etcdserverpb.Lease/LeaseKeepAlive";
    pub(crate) const STATUS: &str = "/etcdserverpb.Maintenance/Status";
    pub(crate) const AUTHENTICATE: &str = "/etcdserverpb.Auth/Authenticate";
}

struct Member {
    url: String,
    channel: Channel,
}

/// What a call brought.
pub(crate) struct Reply<A> {
    pub message: A,
    /// Whether an earlier attempt was left unanswered, so that it may be done yet.
    pub doubtful: bool,
}

/// The members of a cluster.
pub(crate) struct Client {
    members: Vec<Member>,
    /// Whom we ask first.
    preferred: watch::Sender<usize>,
    settings: Settings,
    token: RwLock<Option<AsciiMetadataValue>>,
    /// Held by who gets a new token.
    renewing: tokio::sync::Mutex<()>,
    /// The cluster's id; 0 until the first answer.
    cluster: AtomicU64,
    /// The highest revision of any answer.
    seen: AtomicI64,
}

impl Client {
    /// Prepares connections; nothing is sent yet.
    pub(crate) fn new(settings: Settings) -> Result<Self, StoreError> {
        let members =
            settings.endpoints.iter().map(|url| member(url, &settings)).collect::<Result<_, _>>();
        let members: Vec<Member> = members?;
        if members.is_empty() {
            return Err(unusable("etcd", "no endpoint is given"));
        }
        Ok(Self {
            members,
            preferred: watch::Sender::new(0),
            settings,
            token: RwLock::default(),
            renewing: tokio::sync::Mutex::default(),
            cluster: AtomicU64::new(0),
            seen: AtomicI64::new(0),
        })
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The URL of whom we ask first.
    pub(crate) fn url(&self) -> String {
        self.members.get(self.preferred()).map_or_else(String::new, |member| member.url.clone())
    }

    /// The URLs of all.
    pub(crate) fn urls(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|member| member.url.as_str())
    }

    /// The highest revision that any answer has told of.
    pub(crate) fn seen(&self) -> i64 {
        self.seen.load(Ordering::SeqCst)
    }

    /// Asks until someone answers or the time is over.
    pub(crate) async fn call<Q, A>(&self, path: &'static str, message: Q) -> Result<Reply<A>, Fault>
    where
        Q: Message + Clone + 'static,
        A: Answer,
    {
        let mut retry = self.retry();
        loop {
            let index = self.preferred();
            match self.ask(index, path, message.clone(), retry.left()).await {
                Ok(message) => return Ok(Reply { message, doubtful: retry.doubtful }),
                Err(fault) => self.wait(&mut retry, index, fault).await?,
            }
        }
    }

    /// Opens a stream of answers to one message; the stream stays open.
    pub(crate) async fn stream<Q, A>(
        &self,
        path: &'static str,
        message: Q,
    ) -> Result<(Streaming<A>, usize), Fault>
    where
        Q: Message + Clone + 'static,
        A: Answer,
    {
        let mut retry = self.retry();
        loop {
            let index = self.preferred();
            match self.open(index, path, message.clone(), retry.left()).await {
                Ok(stream) => return Ok((stream, index)),
                Err(fault) => self.wait(&mut retry, index, fault).await?,
            }
        }
    }

    /// Notes an answer's header; refuses one from another cluster.
    pub(crate) fn note(&self, index: usize, header: Option<&Header>) -> Result<(), Fault> {
        let Some(header) = header else { return Ok(()) };
        let known = self.cluster.load(Ordering::SeqCst);
        if known == 0 {
            self.cluster.store(header.cluster, Ordering::SeqCst);
        } else if known != header.cluster {
            let detail = format!("cluster {:x} answers, not {known:x}", header.cluster);
            return Err(self.fault(index, Kind::Replaced, detail));
        }
        self.seen.fetch_max(header.revision, Ordering::SeqCst);
        Ok(())
    }

    /// A status as a fault of the member that sent it.
    pub(crate) fn failed(&self, index: usize, status: &Status) -> Fault {
        let kind = kind(status);
        let mut fault = self.fault(index, kind, detail(status));
        fault.doubtful = kind == Kind::Unanswered && !never_sent(status);
        fault
    }

    /// Asks another member from now on, unless somebody else has turned away from this one.
    pub(crate) fn leave(&self, index: usize) {
        let next = (index + 1) % self.members.len();
        self.preferred.send_if_modified(|preferred| {
            let ours = *preferred == index && next != index;
            if ours {
                *preferred = next;
            }
            ours
        });
    }

    /// Ends when another member than `index` is asked first.
    pub(crate) async fn left(&self, index: usize) {
        let mut preferred = self.preferred.subscribe();
        // The sender lives as long as this does.
        drop(preferred.wait_for(|preferred| *preferred != index).await);
    }

    /// Asks one member once.
    pub(crate) async fn ask<Q, A>(
        &self,
        index: usize,
        path: &'static str,
        message: Q,
        limit: Duration,
    ) -> Result<A, Fault>
    where
        Q: Message + 'static,
        A: Answer,
    {
        let (mut grpc, request) = self.prepare(index, path, message)?;
        let attempt = async {
            grpc.ready().await.map_err(|error| Status::from_error(Box::new(error)))?;
            grpc.unary(request, PathAndQuery::from_static(path), ProstCodec::default()).await
        };
        let limit = limit.min(self.settings.attempt_timeout);
        let answer: A = match timeout(limit, attempt).await {
            Ok(Ok(answer)) => answer.into_inner(),
            Ok(Err(status)) => return Err(self.failed(index, &status)),
            Err(_) => return Err(self.silent(index, limit)),
        };
        self.note(index, answer.header())?;
        Ok(answer)
    }

    async fn open<Q, A>(
        &self,
        index: usize,
        path: &'static str,
        message: Q,
        limit: Duration,
    ) -> Result<Streaming<A>, Fault>
    where
        Q: Message + 'static,
        A: Answer,
    {
        let (mut grpc, request) = self.prepare(index, path, message)?;
        let mut request = request.map(|message| {
            use futures_util::stream::{StreamExt, once, pending};
            once(std::future::ready(message)).chain(pending())
        });
        // Without a leader there is nothing to follow: a member that has lost it says so.
        request.metadata_mut().insert("hasleader", AsciiMetadataValue::from_static("true"));
        let attempt = async {
            grpc.ready().await.map_err(|error| Status::from_error(Box::new(error)))?;
            grpc.streaming(request, PathAndQuery::from_static(path), ProstCodec::default()).await
        };
        let limit = limit.min(self.settings.attempt_timeout);
        match timeout(limit, attempt).await {
            Ok(Ok(stream)) => Ok(stream.into_inner()),
            Ok(Err(status)) => Err(self.failed(index, &status)),
            Err(_) => Err(self.silent(index, limit)),
        }
    }

    fn prepare<Q>(
        &self,
        index: usize,
        path: &str,
        message: Q,
    ) -> Result<(Grpc<Channel>, Request<Q>), Fault> {
        let Some(member) = self.members.get(index) else {
            return Err(self.fault(index, Kind::Other, "no such member".to_owned()));
        };
        let grpc = Grpc::new(member.channel.clone()).max_decoding_message_size(ANSWER_BYTES_MAX);
        let mut request = Request::new(message);
        // An old token must not accompany the request for a new one.
        if let Some(token) = self.token().filter(|_| path != path::AUTHENTICATE) {
            request.metadata_mut().insert("token", token);
        }
        Ok((grpc, request))
    }

    /// Gets a token for the user, if there is one; the one before serves until then.
    pub(crate) async fn authenticate(&self) -> Result<(), Fault> {
        let Some(user) = &self.settings.user else { return Ok(()) };
        let (before, mut retry) = (self.token(), self.retry());
        let Ok(_one_at_a_time) = timeout(retry.left(), self.renewing.lock()).await else {
            let detail = "no new token in time".to_owned();
            return Err(self.fault(self.preferred(), Kind::Unanswered, detail));
        };
        if self.token() != before {
            return Ok(());
        }
        loop {
            let index = self.preferred();
            let request = AuthenticateRequest {
                name: user.name.clone(),
                password: user.password.as_str().to_owned(),
            };
            let left = retry.left();
            let answer =
                self.ask::<_, AuthenticateResponse>(index, path::AUTHENTICATE, request, left).await;
            match answer {
                Ok(answer) => {
                    let token = AsciiMetadataValue::from_str(&answer.token).map_err(|_| {
                        self.fault(index, Kind::Denied, "a token of strange bytes".to_owned())
                    })?;
                    self.set_token(Some(token));
                    return Ok(());
                }
                Err(fault) if fault.kind == Kind::Token => {
                    return Err(Fault { kind: Kind::Denied, ..fault });
                }
                Err(fault) => Box::pin(self.wait(&mut retry, index, fault)).await?,
            }
        }
    }

    fn token(&self) -> Option<AsciiMetadataValue> {
        self.token.read().ok().and_then(|token| token.clone())
    }

    fn set_token(&self, value: Option<AsciiMetadataValue>) {
        if let Ok(mut token) = self.token.write() {
            *token = value;
        }
    }

    pub(crate) fn retry(&self) -> Retry {
        let end = Instant::now() + self.settings.request_timeout;
        Retry { end, wait: WAIT_FIRST, doubtful: false, tokens: 0 }
    }

    /// After a failed attempt: waits before the next, or says that there is none.
    pub(crate) async fn wait(
        &self,
        retry: &mut Retry,
        index: usize,
        mut fault: Fault,
    ) -> Result<(), Fault> {
        retry.doubtful |= fault.doubtful;
        fault.doubtful = retry.doubtful;
        match fault.kind {
            Kind::Unanswered => self.leave(index),
            Kind::Busy => {}
            // Once is enough, unless it ends again while we wait.
            Kind::Token if self.settings.user.is_some() && retry.tokens < 3 => {
                retry.tokens += 1;
                let doubtful = retry.doubtful;
                let renewed = Box::pin(self.authenticate()).await;
                return renewed.map_err(|fault| Fault { doubtful, ..fault });
            }
            _ => return Err(fault),
        }
        if retry.left() <= retry.wait {
            return Err(fault);
        }
        sleep(retry.wait).await;
        retry.wait = (retry.wait * 2).min(WAIT_LONGEST);
        Ok(())
    }

    fn preferred(&self) -> usize {
        *self.preferred.borrow()
    }

    /// A stream that ended without a word.
    pub(crate) fn broken(&self, index: usize) -> Fault {
        self.fault(index, Kind::Unanswered, "the stream broke off".to_owned())
    }

    pub(crate) fn silent(&self, index: usize, limit: Duration) -> Fault {
        let detail = format!("no answer within {} ms", limit.as_millis());
        Fault { doubtful: true, ..self.fault(index, Kind::Unanswered, detail) }
    }

    fn fault(&self, index: usize, kind: Kind, detail: String) -> Fault {
        let endpoint =
            self.members.get(index).map_or_else(String::new, |member| member.url.clone());
        Fault { kind, endpoint, detail, doubtful: false }
    }
}

/// How far an operation is with its attempts.
pub(crate) struct Retry {
    end: Instant,
    wait: Duration,
    pub doubtful: bool,
    tokens: u32,
}

impl Retry {
    fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }
}

/// Whether the request never left: there was no connection to send it on.
fn never_sent(status: &Status) -> bool {
    let mut source = status.source();
    while let Some(error) = source {
        if error.is::<tonic::ConnectError>() {
            return true;
        }
        source = error.source();
    }
    false
}

fn member(url: &str, settings: &Settings) -> Result<Member, StoreError> {
    let refuse = |detail: &str| unusable(url, detail);
    let mut endpoint = Endpoint::from_str(url).map_err(|_| refuse("this is no URL"))?;
    let secure = match endpoint.uri().scheme_str() {
        Some("http") => false,
        Some("https") => true,
        _ => return Err(refuse("the URL begins with neither http:// nor https://")),
    };
    match &settings.tls {
        Some(_) if !secure => return Err(refuse("certificates are given, but the URL is http")),
        None if secure => return Err(refuse("the URL is https, but no CA is given")),
        None => {}
        Some(tls) => {
            let mut config = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(&tls.ca));
            if let Some(identity) = &tls.identity {
                config = config.identity(Identity::from_pem(&identity.certificate, &*identity.key));
            }
            if let Some(name) = &tls.server_name {
                config = config.domain_name(name);
            }
            endpoint = endpoint.tls_config(config).map_err(|error| refuse(&error.to_string()))?;
        }
    }
    let endpoint = endpoint
        .connect_timeout(settings.connect_timeout)
        .http2_keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(settings.attempt_timeout)
        .tcp_nodelay(true);
    Ok(Member { url: url.to_owned(), channel: endpoint.connect_lazy() })
}

/// A setting that cannot work.
pub(crate) fn unusable(endpoint: &str, detail: &str) -> StoreError {
    StoreError::Denied { endpoint: endpoint.to_owned(), detail: detail.to_owned() }
}
