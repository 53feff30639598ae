//! Mail, by the relay that the operator names.

use std::time::{Duration, UNIX_EPOCH};

use haechi_core::Env;
use haechi_sns::{Mail, Refusal};
use haechi_wire::Fault;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use rustls_pki_types::CertificateDer;
use zeroize::Zeroizing;

use super::options::SmtpTls;
use crate::Failure;

/// How long the relay may take for each step.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Where the relay is.
pub struct Relay<'a> {
    /// Its name, which its certificate must bear.
    pub host: &'a str,
    /// Its port.
    pub port: u16,
    /// How the way to it is encrypted.
    pub tls: SmtpTls,
    /// User and password.
    pub password: Option<(String, Zeroizing<String>)>,
}

/// The way to mailboxes.
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Address,
}

impl Mailer {
    /// A way by a relay whose certificate one of these authorities has signed.
    ///
    /// # Errors
    /// If the sender's address, or an authority, is none.
    pub fn new(
        relay: Relay<'_>,
        from: &str,
        authorities: &[CertificateDer<'_>],
    ) -> Result<Mailer, Failure> {
        let from = from.parse().map_err(|error| format!("{from} is no address: {error}"))?;
        let parameters = || {
            let mut builder = TlsParameters::builder(relay.host.to_owned())
                .certificate_store(CertificateStore::None);
            for authority in authorities {
                // One that cannot be read takes nothing from the others.
                if let Ok(certificate) = Certificate::from_der(authority.to_vec()) {
                    builder = builder.add_root_certificate(certificate);
                }
            }
            builder.build_rustls()
        };
        let tls = match relay.tls {
            SmtpTls::Starttls => Tls::Required(parameters()?),
            SmtpTls::Tls => Tls::Wrapper(parameters()?),
            SmtpTls::None => Tls::None,
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(relay.host)
            .port(relay.port)
            .timeout(Some(TIMEOUT))
            .tls(tls);
        if let Some((user, password)) = relay.password {
            builder = builder.credentials(Credentials::new(user, password.to_string()));
        }
        Ok(Mailer { transport: builder.build(), from })
    }

    /// Sends a mail.
    ///
    /// # Errors
    /// [`Refusal`]: what the relay refuses for good is permanent.
    pub async fn send(&self, env: &Env, mail: Mail) -> Result<(), Refusal> {
        let message = self.message(env, mail);
        let message = message.map_err(|error| Refusal::Permanent(error.to_string()))?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() => Err(Refusal::Permanent(error.to_string())),
            Err(error) => Err(Refusal::Temporary(Fault::Unavailable {
                message: "The relay did not take the mail.",
                source: Box::new(error),
            })),
        }
    }

    fn message(&self, env: &Env, mail: Mail) -> Result<Message, Failure> {
        let millis = u64::try_from(env.now().millis()).unwrap_or(0);
        let id = format!("<{}@{}>", env.uuid()?, self.from.domain());
        let mut builder = Message::builder()
            .from(Mailbox::new(mail.from_name, self.from.clone()))
            .to(Mailbox::new(None, mail.to.parse()?))
            .subject(mail.subject)
            .date(UNIX_EPOCH + Duration::from_millis(millis))
            .message_id(Some(id))
            .header(ContentType::TEXT_PLAIN);
        if let Some(url) = mail.unsubscribe_url {
            let name = HeaderName::new_from_ascii_str("List-Unsubscribe");
            builder = builder.raw_header(HeaderValue::new(name, format!("<{url}>")));
        }
        Ok(builder.body(mail.text)?)
    }
}
