//! The four operations: their paths, what is asked and what is answered.

use serde::{Deserialize, Serialize};

/// The end of the path to a key store's API.
pub const API_PATH: &str = "/kms/xks/v1";

/// Characters of an external key's id, at most.
const KEY_ID_MAX: usize = 128;

/// An operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Is the key manager there, and does it work?
    GetHealthStatus,
    /// What kind of key is it?
    GetKeyMetadata,
    /// Encrypt with AES-GCM.
    Encrypt,
    /// Decrypt what `Encrypt` made.
    Decrypt,
}

impl Operation {
    /// Its name in the specification.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Operation::GetHealthStatus => "GetHealthStatus",
            Operation::GetKeyMetadata => "GetKeyMetadata",
            Operation::Encrypt => "Encrypt",
            Operation::Decrypt => "Decrypt",
        }
    }

    /// Its path below a key store's `XksProxyUriPath`.
    #[must_use]
    pub fn path(self, uri_path: &str, key_id: &str) -> String {
        match self {
            Operation::GetHealthStatus => format!("{uri_path}/health"),
            Operation::GetKeyMetadata => format!("{uri_path}/keys/{key_id}/metadata"),
            Operation::Encrypt => format!("{uri_path}/keys/{key_id}/encrypt"),
            Operation::Decrypt => format!("{uri_path}/keys/{key_id}/decrypt"),
        }
    }
}

/// A path, taken apart: `<prefix>/kms/xks/v1/…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target<'a> {
    /// What names the key store; empty, or begins with `/`.
    pub prefix: &'a str,
    /// What is asked.
    pub operation: Operation,
    /// The external key; empty where the operation is about none.
    pub key_id: &'a str,
}

impl<'a> Target<'a> {
    /// Reads a path; `None` if it is none of the API's.
    #[must_use]
    pub fn parse(path: &'a str) -> Option<Target<'a>> {
        let (prefix, rest) = path.rsplit_once("/kms/xks/v1/")?;
        if !is_prefix(prefix) {
            return None;
        }
        if rest == "health" {
            return Some(Target { prefix, operation: Operation::GetHealthStatus, key_id: "" });
        }
        let (key_id, action) = rest.strip_prefix("keys/")?.split_once('/')?;
        let operation = match action {
            "metadata" => Operation::GetKeyMetadata,
            "encrypt" => Operation::Encrypt,
            "decrypt" => Operation::Decrypt,
            _ => return None,
        };
        is_key_id(key_id).then_some(Target { prefix, operation, key_id })
    }
}

/// Whether a path prefix is one that KMS takes: nothing, or `/…` of `A-Za-z0-9/_-`.
#[must_use]
pub fn is_prefix(prefix: &str) -> bool {
    let fits = prefix.len() + API_PATH.len() <= 128;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_');
    let filled = prefix.strip_prefix('/').is_some_and(|rest| {
        rest.split('/').all(|part| !part.is_empty()) && prefix.bytes().all(plain)
    });
    fits && (prefix.is_empty() || filled)
}

/// Whether a text can be the id of an external key.
#[must_use]
pub fn is_key_id(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    !text.is_empty() && text.len() <= KEY_ID_MAX && text.bytes().all(plain)
}

/// Who asks KMS for what: for the proxy's log and its own decisions. Fields of the future are read
/// over.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestMetadata {
    /// The principal that called KMS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws_principal_arn: Option<String>,
    /// The VPC that it called from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws_source_vpc: Option<String>,
    /// The VPC endpoint that it called through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws_source_vpce: Option<String>,
    /// The KMS key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key_arn: Option<String>,
    /// What was asked of KMS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_operation: Option<String>,
    /// The id of that request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_request_id: Option<String>,
    /// The service that called KMS for the principal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_via_service: Option<String>,
}

/// What `GetKeyMetadata` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyMetadata {
    /// `AES_256`.
    pub key_spec: String,
    /// `ENCRYPT`, `DECRYPT` and up to eight others.
    pub key_usage: Vec<String>,
    /// `ENABLED` or `DISABLED`.
    pub key_status: String,
}

/// What `GetHealthStatus` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// How many proxies there are.
    pub xks_proxy_fleet_size: u32,
    /// Who made the proxy.
    pub xks_proxy_vendor: String,
    /// Which one it is.
    pub xks_proxy_model: String,
    /// Who made the key manager.
    pub ekm_vendor: String,
    /// The key managers; one to ten.
    pub ekm_fleet_details: Vec<KeyManagerHealth>,
}

/// How one key manager is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyManagerHealth {
    /// Which one.
    pub id: String,
    /// Its product and version.
    pub model: String,
    /// `ACTIVE`, `DEGRADED` or `UNAVAILABLE`.
    pub health_status: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_its_path_under_any_prefix() {
        for prefix in ["", "/a", "/example/uri/path/prefix", "/kms/xks/v1"] {
            let uri_path = format!("{prefix}{API_PATH}");
            for operation in [Operation::GetKeyMetadata, Operation::Encrypt, Operation::Decrypt] {
                let path = operation.path(&uri_path, "key-1.a_B");
                let target = Target { prefix, operation, key_id: "key-1.a_B" };
                assert_eq!(Target::parse(&path), Some(target), "{path}");
            }
            let path = Operation::GetHealthStatus.path(&uri_path, "");
            let found = Target::parse(&path).unwrap();
            assert_eq!((found.prefix, found.operation), (prefix, Operation::GetHealthStatus));
        }
    }

    #[test]
    fn other_paths_are_none_of_the_api() {
        let long = format!("/kms/xks/v1/keys/{}/encrypt", "k".repeat(129));
        let deep = format!("/{}/kms/xks/v1/health", "p".repeat(120));
        for path in [
            "/",
            "/health",
            "/kms/xks/v2/health",
            "/kms/xks/v1/health/",
            "/kms/xks/v1/keys/a/sign",
            "/kms/xks/v1/keys//encrypt",
            "/kms/xks/v1/keys/a%2fb/encrypt",
            "/kms/xks/v1/keys/a/b/encrypt",
            "//kms/xks/v1/health",
            "/a//b/kms/xks/v1/health",
            "/a b/kms/xks/v1/health",
            "a/kms/xks/v1/health",
            &long,
            &deep,
        ] {
            assert_eq!(Target::parse(path), None, "{path}");
        }
    }
}
