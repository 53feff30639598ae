//! HTTP/1.1 by hand over TCP: what no well-behaved client would send.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::client;
use crate::server::Server;

/// A server that does not answer or close within this has hung. Far beyond its own time-outs.
const PATIENCE: Duration = Duration::from_secs(150);

/// What came back on a connection.
#[derive(Debug)]
pub struct Answer {
    /// Status of the first response; none when the server closed without one.
    pub status: Option<u16>,
    /// Everything that came, as text.
    pub text: String,
}

impl Answer {
    /// Whether it is an error of the caller (4xx) or a close without an answer.
    pub fn refuses(&self) -> bool {
        self.status.is_none_or(|status| (400..500).contains(&status))
    }
}

/// A connection with the server, with patience set.
pub fn exchange(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends bytes on a connection of their own and reads until the server closes.
pub fn send(server: &Server, bytes: &[u8]) -> Answer {
    let mut stream = exchange(server);
    // A server that refuses early may close while we still write: the answer counts, not the write.
    let _ = stream.write_all(bytes);
    let mut received = Vec::new();
    let mut buffer = [0_u8; 16 * 1024];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => received.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => break,
            Err(error) => panic!("the server neither answered nor closed: {error}"),
        }
    }
    let text = String::from_utf8_lossy(&received).into_owned();
    let status = text
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.get(..3))
        .and_then(|status| status.parse().ok());
    Answer { status, text }
}

/// Now, as signatures write it.
fn now() -> String {
    client::outcome(client::program("date").args(["-u", "+%Y%m%dT%H%M%SZ"])).ok()
}

/// A request to KMS that a `--dev` server takes as from root of account 111122223333, closing the
/// connection after the answer. `headers` are whole lines, without their ends.
pub fn request(target: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let now = now();
    let day = &now[..8];
    let mut head = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         X-Amz-Target: TrentService.{target}\r\nContent-Type: application/x-amz-json-1.1\r\n\
         X-Amz-Date: {now}\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=111122223333/{day}/us-east-1/kms/aws4_request, \
         SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature={}\r\nContent-Length: {}\r\n",
        "0".repeat(64),
        body.len()
    );
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}
