//! AWS's Runtime API, of one instance.
//!
//! ```text
//! GET  /2018-06-01/runtime/invocation/next           ─► the event, as soon as there is one
//! POST /2018-06-01/runtime/invocation/<id>/response
//! POST /2018-06-01/runtime/invocation/<id>/error
//! POST /2018-06-01/runtime/init/error
//! ```
//! An answer's head and body are one write, and nothing waits for more to send: an invocation would
//! else take forty milliseconds longer.
//!
//! Source: Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes".

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};

use crate::instance::Invocation;

/// Bytes of an answer, at most: 6 MB and what AWS gives on top.
pub const PAYLOAD_MAX: usize = 6_291_556;

/// Connections of an instance at a time: a runtime needs one or two.
const CONNECTIONS_MAX: usize = 16;

/// What the program did.
#[derive(Debug)]
pub enum Event {
    /// It waits for an invocation.
    Next,
    /// It answered.
    Response { request_id: String, body: Bytes },
    /// Its answer is too long.
    TooLarge { request_id: String },
    /// The function failed.
    Error { request_id: String, body: Bytes },
    /// It could not begin.
    InitError { body: Bytes },
}

/// What connections share.
struct Api {
    invocations: Mutex<mpsc::Receiver<Invocation>>,
    events: mpsc::Sender<Event>,
}

/// Serves, until the future is dropped.
pub async fn serve(
    listener: TcpListener,
    invocations: mpsc::Receiver<Invocation>,
    events: mpsc::Sender<Event>,
) {
    let api = Arc::new(Api { invocations: Mutex::new(invocations), events });
    let places = Arc::new(tokio::sync::Semaphore::new(CONNECTIONS_MAX));
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else { return };
        let _ = stream.set_nodelay(true);
        let api = Arc::clone(&api);
        while connections.try_join_next().is_some() {}
        connections.spawn(async move {
            let _place = place;
            let service = service_fn(move |request| {
                let api = Arc::clone(&api);
                async move { Ok::<_, Infallible>(api.answer(request).await) }
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service);
            if let Err(error) = connection.await {
                tracing::trace!(%error, "a runtime's connection has ended");
            }
        });
    }
}

type Answer = Response<Full<Bytes>>;

fn answer(status: StatusCode, body: &'static str) -> Answer {
    let mut answer = Response::new(Full::from(body));
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(hyper::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

impl Api {
    async fn answer(&self, request: Request<Incoming>) -> Answer {
        let path = request.uri().path().to_owned();
        let Some(path) = path.strip_prefix("/2018-06-01/runtime/") else { return unknown() };
        if request.method() == Method::GET && path == "invocation/next" {
            return self.next().await;
        }
        if request.method() != Method::POST {
            return unknown();
        }
        let what: Vec<&str> = path.split('/').collect();
        let body = Limited::new(request.into_body(), PAYLOAD_MAX).collect().await;
        let event = match (what.as_slice(), body) {
            (["init", "error"], Ok(body)) => Event::InitError { body: body.to_bytes() },
            (["invocation", id, kind @ ("response" | "error")], body) => {
                let request_id = (*id).to_owned();
                match (body, *kind) {
                    (Ok(body), "error") => Event::Error { request_id, body: body.to_bytes() },
                    (Ok(body), _) => Event::Response { request_id, body: body.to_bytes() },
                    (Err(_), _) => {
                        let _ = self.events.send(Event::TooLarge { request_id }).await;
                        return answer(
                            StatusCode::PAYLOAD_TOO_LARGE,
                            r#"{"errorMessage":"Exceeded maximum allowed payload size (6291556 bytes).","errorType":"RequestEntityTooLarge"}"#,
                        );
                    }
                }
            }
            _ => return unknown(),
        };
        let _ = self.events.send(event).await;
        answer(StatusCode::ACCEPTED, r#"{"status":"OK"}"#)
    }

    async fn next(&self) -> Answer {
        let _ = self.events.send(Event::Next).await;
        let Some(invocation) = self.invocations.lock().await.recv().await else {
            return answer(StatusCode::GONE, "{}");
        };
        let mut answer = Response::new(Full::from(invocation.payload));
        let headers = answer.headers_mut();
        let values = [
            ("content-type", Some("application/json".to_owned())),
            ("lambda-runtime-aws-request-id", Some(invocation.request_id)),
            ("lambda-runtime-deadline-ms", Some(invocation.deadline_ms.to_string())),
            ("lambda-runtime-invoked-function-arn", Some(invocation.function_arn)),
            ("lambda-runtime-trace-id", invocation.trace_id),
            ("lambda-runtime-client-context", invocation.client_context),
        ];
        for (name, value) in values {
            if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
                headers.insert(name, value);
            }
        }
        answer
    }
}

fn unknown() -> Answer {
    answer(StatusCode::NOT_FOUND, r#"{"errorMessage":"Not found","errorType":"NotFound"}"#)
}
