//! Calls of a running server's APIs, for commands that need a value or two: signed with the root
//! access key, over HTTPS, audited like everybody's.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use haechi_core::{Clock, Region, SystemClock};
use haechi_sigv4::{Payload, Rules, Scratch, Signer, SigningKey, Timestamp};
use http::header::{CONTENT_TYPE, HOST};
use http::{Method, Request};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::Failure;
use crate::data::{DataDirectory, RootAccessKey};

/// A server that does not answer within this time does not answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The APIs of the server of a data directory.
pub struct Api {
    /// `127.0.0.1:4566`.
    authority: String,
    tls: Option<Arc<ClientConfig>>,
    key: RootAccessKey,
    region: String,
}

/// Something that bytes come from and go to.
trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

impl Api {
    /// The server of a data directory, as it was last started.
    ///
    /// # Errors
    /// If it was never started.
    pub fn of(data: &DataDirectory, region: Option<Region>) -> Result<Api, Failure> {
        let endpoint = data.endpoint()?;
        let region = region.map_or(endpoint.region, |region| region.to_string());
        let (scheme, authority) =
            endpoint.endpoint.split_once("://").ok_or("endpoint.json names no URL")?;
        let tls = if scheme == "https" {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_slice(&std::fs::read(&endpoint.ca_bundle)?)?)?;
            let config = ClientConfig::builder().with_root_certificates(roots);
            Some(Arc::new(config.with_no_client_auth()))
        } else {
            None
        };
        let authority = authority.trim_end_matches('/').to_owned();
        Ok(Api { authority, tls, key: data.read_credentials()?, region })
    }

    fn connect(&self) -> Result<Box<dyn Stream>, Failure> {
        let named = |error: std::io::Error| format!("{}: {error}", self.authority);
        let socket = TcpStream::connect(&self.authority).map_err(named)?;
        socket.set_read_timeout(Some(TIMEOUT))?;
        let Some(tls) = &self.tls else { return Ok(Box::new(socket)) };
        let (host, _) = self.authority.rsplit_once(':').unwrap_or((&self.authority, ""));
        let host = host.trim_matches(['[', ']']).to_owned();
        let session = ClientConnection::new(Arc::clone(tls), ServerName::try_from(host)?)?;
        Ok(Box::new(StreamOwned::new(session, socket)))
    }

    /// Calls an operation of a service that speaks JSON; `target` is `AmazonSSM.GetParameter`.
    ///
    /// # Errors
    /// The service's refusal, in its words; or if the server cannot be reached.
    pub fn call(&self, service: &str, target: &str, input: &Value) -> Result<Value, Failure> {
        let body = input.to_string();
        let request = self.request(service, target, &body)?;
        let mut stream = self.connect()?;
        stream.write_all(&request)?;
        let mut answer = Zeroizing::new(Vec::with_capacity(1 << 16));
        // A server that closes without a farewell has still sent all: the length is checked.
        if let Err(error) = stream.read_to_end(&mut answer)
            && error.kind() != std::io::ErrorKind::UnexpectedEof
        {
            return Err(error.into());
        }
        let (status, body) = take_apart(&answer).ok_or("the server's answer is cut off")?;
        let answer: Value = serde_json::from_slice(body)?;
        if status == 200 {
            return Ok(answer);
        }
        let text = |name: &str| answer.get(name).and_then(Value::as_str);
        let code = text("__type").unwrap_or("the call failed");
        let message = text("message").or_else(|| text("Message")).unwrap_or_default();
        Err(format!("{code}: {message}").trim_end_matches(": ").into())
    }

    fn request(&self, service: &str, target: &str, body: &str) -> Result<Vec<u8>, Failure> {
        let timestamp = Timestamp::from_unix_seconds(SystemClock.now().seconds());
        let secret = &self.key.secret_access_key;
        let key = SigningKey::derive(secret, &timestamp.date(), &self.region, service);
        let request = Request::builder()
            .method(Method::POST)
            .uri("/")
            .header(HOST, &self.authority)
            .header(CONTENT_TYPE, "application/x-amz-json-1.1")
            .header("x-amz-target", target);
        let (mut parts, ()) = request.body(())?.into_parts();
        let signer = Signer {
            access_key_id: &self.key.access_key_id,
            session_token: None,
            key: &key,
            timestamp,
            rules: Rules::STANDARD,
        };
        signer.sign(&mut parts, Payload::Bytes(body.as_bytes()), &mut Scratch::default())?;
        let mut bytes = b"POST / HTTP/1.1\r\n".to_vec();
        for (name, value) in &parts.headers {
            bytes.extend_from_slice(name.as_str().as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        let rest = format!(
            "user-agent: haechi/{}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            env!("CARGO_PKG_VERSION"),
            body.len()
        );
        bytes.extend_from_slice(rest.as_bytes());
        Ok(bytes)
    }
}

/// Status and body of a whole answer.
fn take_apart(answer: &[u8]) -> Option<(u16, &[u8])> {
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let head = std::str::from_utf8(answer.get(..end)?).ok()?;
    let body = answer.get(end + 4..)?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then_some(value)
    });
    let length: usize = length?.trim().parse().ok()?;
    (body.len() == length).then_some((status, body))
}

#[cfg(test)]
mod tests {
    use super::take_apart;

    #[test]
    fn an_answer_that_is_cut_off_is_none() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nx: y\r\n\r\n{}";
        assert_eq!(take_apart(answer), Some((200, &b"{}"[..])));
        for length in 0..answer.len() {
            assert_eq!(take_apart(&answer[..length]), None, "{length}");
        }
    }
}
