//! The floor: hyper with the gateway's settings, that reads each request to its end and answers a
//! body of the size wished for. What the product takes longer than this is the product's own work.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls_pki_types::PrivatePkcs8KeyDer;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::Failure;
use crate::target::{Ready, write};

/// Options of `floor`.
#[derive(Args)]
pub struct Options {
    /// Where to write address and certificate, once it serves.
    #[arg(long = "ready-file")]
    ready: PathBuf,
    /// Bytes of each answer's body.
    #[arg(long)]
    answer_bytes: usize,
    /// Over TLS.
    #[arg(long)]
    tls: bool,
}

/// Serves until it is killed.
pub async fn run(options: Options) -> Result<(), Failure> {
    let socket = TcpListener::bind("127.0.0.1:0").await?;
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec!["127.0.0.1".to_owned()])?;
    let ca_bundle = options.ready.with_extension("pem");
    std::fs::write(&ca_bundle, cert.pem())?;
    let config = rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(
        vec![cert.der().clone()],
        PrivatePkcs8KeyDer::from(signing_key.serialize_der()).into(),
    )?;
    let tls = options.tls.then(|| TlsAcceptor::from(Arc::new(config)));
    let nobody = Ready {
        endpoint: format!("https://{}", socket.local_addr()?),
        account_id: String::new(),
        region: String::new(),
        access_key_id: String::new(),
        secret_access_key: String::new(),
        ca_bundle,
    };
    // The file appears whole: whoever waits for it may read it at once.
    let unfinished = options.ready.with_extension("new");
    write(&unfinished, &nobody)?;
    std::fs::rename(unfinished, &options.ready)?;
    let http = builder();
    let body = Bytes::from(vec![b'x'; options.answer_bytes]);
    loop {
        let (stream, _) = socket.accept().await?;
        stream.set_nodelay(true)?;
        let (http, tls, body) = (http.clone(), tls.clone(), body.clone());
        tokio::spawn(async move {
            if let Err(error) = serve(stream, tls, http, body).await {
                eprintln!("floor: {error}");
            }
        });
    }
}

async fn serve(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    http: auto::Builder<TokioExecutor>,
    body: Bytes,
) -> Result<(), Failure> {
    let service = service_fn(move |request| answer(request, body.clone()));
    match tls {
        Some(tls) => http.serve_connection(TokioIo::new(tls.accept(stream).await?), service).await,
        None => http.serve_connection(TokioIo::new(stream), service).await,
    }
}

async fn answer(
    request: Request<Incoming>,
    body: Bytes,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let content_type = match request.into_body().collect().await {
        Ok(_) => "application/x-amz-json-1.1",
        Err(_) => "text/plain",
    };
    let mut response = Response::new(Full::new(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    Ok(response)
}

/// As in `haechi-gateway`'s `listener.rs`.
fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(60))
        .max_buf_size(64 * 1024);
    builder
}
