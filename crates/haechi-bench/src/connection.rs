//! One keep-alive connection. Knows as little of HTTP as it can: answers have a `content-length`.

use std::net::SocketAddr;
use std::sync::Arc;

use memchr::memmem;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::Failure;
use crate::target::Ready;

/// Plain or TLS.
pub trait Stream: AsyncRead + AsyncWrite + Unpin {}
impl<S: AsyncRead + AsyncWrite + Unpin> Stream for S {}

/// How to connect.
pub struct Connector {
    address: SocketAddr,
    tls: Option<TlsConnector>,
}

impl Connector {
    /// To a server; with `tls`, by TLS 1.3 and trusting its CA alone.
    pub fn new(ready: &Ready, tls: bool) -> Result<Connector, Failure> {
        let address = ready.address().parse()?;
        if !tls {
            return Ok(Connector { address, tls: None });
        }
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&ready.ca_bundle)?)?;
        let config = ClientConfig::builder_with_protocol_versions(&[&rustls::version::TLS13])
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Connector { address, tls: Some(TlsConnector::from(Arc::new(config))) })
    }

    /// A new connection.
    pub async fn connect(&self) -> Result<Connection, Failure> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let stream: Box<dyn Stream> = match &self.tls {
            Some(tls) => {
                let name = ServerName::IpAddress(self.address.ip().into());
                Box::new(tls.connect(name, stream).await?)
            }
            None => Box::new(stream),
        };
        Ok(Connection { stream, buffer: vec![0; 64 * 1024] })
    }
}

/// An open connection.
pub struct Connection {
    stream: Box<dyn Stream>,
    buffer: Vec<u8>,
}

/// An answer, as long as the next request has not been sent.
pub struct Answer<'a> {
    /// `200`.
    pub status: &'a [u8],
    /// The body.
    pub body: &'a [u8],
}

impl Answer<'_> {
    /// Whether the status is 200.
    pub fn is_ok(&self) -> bool {
        self.status == b"200"
    }

    /// The body, to be shown.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(self.body).into_owned()
    }
}

impl Connection {
    /// Sends a request and reads the answer.
    pub async fn call(&mut self, request: &[u8]) -> Result<Answer<'_>, Failure> {
        self.stream.write_all(request).await?;
        self.stream.flush().await?;
        let mut filled = 0;
        let (body, end) = loop {
            let free = self.buffer.get_mut(filled..).unwrap_or_default();
            let read = self.stream.read(free).await?;
            if read == 0 {
                return Err("the server closed the connection".into());
            }
            filled += read;
            let so_far = self.buffer.get(..filled).unwrap_or_default();
            if let Some((body, end)) = extent(so_far)
                && end <= filled
            {
                break (body, end);
            }
        };
        let status = self.buffer.get(9..12).unwrap_or_default();
        Ok(Answer { status, body: self.buffer.get(body..end).unwrap_or_default() })
    }
}

/// Where the body begins and ends, once the head is there.
fn extent(bytes: &[u8]) -> Option<(usize, usize)> {
    let head = memmem::find(bytes, b"\r\n\r\n")? + 4;
    let name = memmem::find(bytes.get(..head)?, b"content-length: ")? + 16;
    let digits = bytes.get(name..)?.iter().take_while(|byte| byte.is_ascii_digit());
    let length = digits.fold(0, |length, digit| length * 10 + usize::from(digit - b'0'));
    Some((head, head + length))
}

#[cfg(test)]
mod tests {
    use super::extent;

    #[test]
    fn an_answer_ends_where_its_length_says() {
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n{\"a\":\"bcde\"}";
        assert_eq!(extent(answer), Some((39, 51)));
        assert_eq!(extent(b"HTTP/1.1 200 OK\r\ncontent-"), None);
    }
}
