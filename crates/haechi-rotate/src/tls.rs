//! TLS to servers: their certificate and name verified, or none at all.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Whether a server is spoken to in TLS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Tls {
    /// No: on the machine itself, or where the network is trusted.
    #[default]
    Off,
    /// Yes; it must show a certificate of an authority that the machine trusts.
    System,
    /// Yes; it must show a certificate of one of these authorities, in PEM.
    Authorities(String),
}

/// What a server is reached over.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

impl Tls {
    /// What makes a connection a TLS one; `None` if it is to be none.
    pub(crate) fn connector(&self) -> io::Result<Option<Connector>> {
        let mut roots = RootCertStore::empty();
        match self {
            Tls::Off => return Ok(None),
            Tls::System => {
                // One that cannot be read takes nothing from the others.
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
            Tls::Authorities(pem) => {
                for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                    let certificate = certificate.map_err(io::Error::other)?;
                    roots.add(certificate).map_err(io::Error::other)?;
                }
            }
        }
        if roots.is_empty() {
            return Err(io::Error::other("there is no authority to verify its certificate with"));
        }
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        Ok(Some(Connector(TlsConnector::from(Arc::new(config)))))
    }
}

/// Makes connections TLS ones.
#[derive(Clone)]
pub(crate) struct Connector(TlsConnector);

impl Connector {
    /// Shakes hands with the server of a name.
    pub(crate) async fn secure<S: Stream>(&self, host: &str, stream: S) -> io::Result<Secured<S>> {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        Ok(Secured(self.0.connect(name, stream).await?))
    }
}

/// A TLS connection.
pub(crate) struct Secured<S>(TlsStream<S>);

impl<S: Stream> AsyncRead for Secured<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<S: Stream> AsyncWrite for Secured<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

impl<S: Stream> tokio_postgres::tls::TlsStream for Secured<S> {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

/// A connector that knows the server's name, for PostgreSQL.
pub(crate) struct Named(Connector, String);

impl<S: Stream + 'static> MakeTlsConnect<S> for Connector {
    type Stream = Secured<S>;
    type TlsConnect = Named;
    type Error = io::Error;

    fn make_tls_connect(&mut self, domain: &str) -> Result<Named, io::Error> {
        Ok(Named(self.clone(), domain.to_owned()))
    }
}

impl<S: Stream + 'static> TlsConnect<S> for Named {
    type Stream = Secured<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Secured<S>>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move { self.0.secure(&self.1, stream).await })
    }
}
