//! Signed requests as the bytes that go over the wire, made before the clock runs.

use haechi_core::{Clock, SystemClock};
use haechi_sigv4::{Payload, Rules, Scratch, Signer, SigningKey, Timestamp};
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderValue, Method, Request};
use serde::{Deserialize, Serialize};

use crate::Failure;
use crate::target::Ready;

/// As long as boto3's.
const USER_AGENT: &str = "Boto3/1.40.0 md/Botocore#1.40.0 ua/2.1 os/linux#6.12 md/arch#x86_64 \
    lang/python#3.13.5 md/pyimpl#CPython m/Z,b,D cfg/retry-mode#legacy Botocore/1.40.0";

/// A service that speaks JSON.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// KMS.
    #[default]
    Kms,
    /// Secrets Manager.
    SecretsManager,
    /// Systems Manager: Parameter Store.
    Ssm,
}

impl Service {
    /// Its name in signatures.
    fn scope(self) -> &'static str {
        match self {
            Service::Kms => "kms",
            Service::SecretsManager => "secretsmanager",
            Service::Ssm => "ssm",
        }
    }

    /// What stands before its operations' names.
    fn prefix(self) -> &'static str {
        match self {
            Service::Kms => "TrentService",
            Service::SecretsManager => "secretsmanager",
            Service::Ssm => "AmazonSSM",
        }
    }
}

/// Signs requests of one caller to one service, with one derived key.
pub struct Requests {
    prefix: &'static str,
    access_key_id: String,
    host: String,
    key: SigningKey,
    timestamp: Timestamp,
    scratch: Scratch,
}

impl Requests {
    /// For requests to a service that speaks JSON, signed now.
    pub fn to(ready: &Ready, service: Service) -> Requests {
        Requests { prefix: service.prefix(), ..Requests::new(ready, service.scope()) }
    }

    /// For requests that are signed now.
    pub fn new(ready: &Ready, service: &str) -> Requests {
        let timestamp = Timestamp::from_unix_seconds(SystemClock.now().seconds());
        let (secret, region) = (&ready.secret_access_key, &ready.region);
        Requests {
            prefix: Service::Kms.prefix(),
            access_key_id: ready.access_key_id.clone(),
            host: ready.address().to_owned(),
            key: SigningKey::derive(secret, &timestamp.date(), region, service),
            timestamp,
            scratch: Scratch::default(),
        }
    }

    /// A call of the service (AWS JSON 1.1).
    pub fn json(&mut self, operation: &str, body: &str) -> Result<Vec<u8>, Failure> {
        let target = format!("{}.{operation}", self.prefix);
        self.bytes(&[("x-amz-target", &target)], "application/x-amz-json-1.1", body)
    }

    /// A call in the query protocol.
    pub fn query(&mut self, form: &str) -> Result<Vec<u8>, Failure> {
        self.bytes(&[], "application/x-www-form-urlencoded; charset=utf-8", form)
    }

    /// Signs what botocore signs, then adds the headers that it leaves unsigned.
    fn bytes(
        &mut self,
        headers: &[(&'static str, &str)],
        content_type: &'static str,
        body: &str,
    ) -> Result<Vec<u8>, Failure> {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri("/")
            .header(HOST, &self.host)
            .header(CONTENT_TYPE, content_type);
        for (name, value) in headers {
            request = request.header(*name, HeaderValue::from_str(value)?);
        }
        let (mut parts, ()) = request.body(())?.into_parts();
        let signer = Signer {
            access_key_id: &self.access_key_id,
            session_token: None,
            key: &self.key,
            timestamp: self.timestamp,
            rules: Rules::STANDARD,
        };
        signer.sign(&mut parts, Payload::Bytes(body.as_bytes()), &mut self.scratch)?;
        let mut bytes = b"POST / HTTP/1.1\r\n".to_vec();
        for (name, value) in &parts.headers {
            bytes.extend_from_slice(name.as_str().as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        let rest = format!(
            "accept-encoding: identity\r\nuser-agent: {USER_AGENT}\r\n\
             amz-sdk-invocation-id: 5a2f7f8e-6f0b-4a55-9f7e-6c1d1f1b2c3d\r\n\
             amz-sdk-request: attempt=1\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        bytes.extend_from_slice(rest.as_bytes());
        Ok(bytes)
    }
}
