//! A hook of the user's own that makes something take a new password: what it is told, and how it
//! knows that it is told by haechi.
//!
//! ```text
//! POST <url>
//! X-Haechi-Timestamp: <seconds since the epoch>
//! X-Haechi-Signature: v1=<hex of HMAC-SHA256(key, timestamp ‖ "." ‖ body)>
//!
//! {"step": "setSecret", "secretId": …, "versionId": …, "current": {…}, "pending": {…}, "previous": {…}}
//! ```
//! The key signs and is not sent. A time stands under the signature so that the hook can refuse what
//! somebody recorded and sends again.

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use crate::Failure;

/// Characters that a key has at least.
const KEY_MIN: usize = 32;

/// The steps that a hook is asked for, with AWS's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookStep {
    /// The target is to take what is pending.
    Set,
    /// Whether the target lets in what is pending.
    Test,
}

impl HookStep {
    /// As the message says it.
    pub const fn as_str(self) -> &'static str {
        match self {
            HookStep::Set => "setSecret",
            HookStep::Test => "testSecret",
        }
    }
}

/// A hook.
pub struct Hook {
    url: String,
    key: Zeroizing<String>,
}

/// What a hook is told. The values are JSON.
pub struct HookMessage<'a> {
    /// Which step.
    pub step: HookStep,
    /// The secret's ARN.
    pub secret_id: &'a str,
    /// The version that is being made; none before there is one.
    pub version_id: Option<&'a str>,
    /// What counts now.
    pub current: &'a str,
    /// What is to count.
    pub pending: &'a str,
    /// What counted before.
    pub previous: Option<&'a str>,
}

impl HookMessage<'_> {
    /// The body.
    pub fn body(&self) -> Zeroizing<String> {
        let mut out = Zeroizing::new(String::from("{"));
        let version = self.version_id.map(quoted);
        for (name, json) in [
            ("step", quoted(self.step.as_str()).as_str()),
            ("secretId", &quoted(self.secret_id)),
            ("versionId", version.as_deref().unwrap_or("null")),
            ("current", self.current),
            ("pending", self.pending),
            ("previous", self.previous.unwrap_or("null")),
        ] {
            if out.len() > 1 {
                out.push(',');
            }
            out.push_str(&quoted(name));
            out.push(':');
            out.push_str(json);
        }
        out.push('}');
        out
    }
}

/// A text as JSON.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            control if u32::from(control) < 0x20 => {
                out.push_str(&format!("\\u{:04x}", u32::from(control)));
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

impl Hook {
    /// A hook at a URL, which is told with a key that signs.
    ///
    /// # Errors
    /// If the URL is not of HTTPS, or the key could be guessed.
    pub fn new(url: &str, key: &str) -> Result<Hook, Failure> {
        let invalid = |text: &str| Err(Failure::Invalid(text.to_owned()));
        if !url.starts_with("https://") {
            return invalid("the URL of a hook begins with https://: it is sent passwords");
        }
        if key.len() < KEY_MIN {
            return invalid("the key of a hook has 32 characters at least");
        }
        Ok(Hook { url: url.to_owned(), key: Zeroizing::new(key.to_owned()) })
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The headers by which it knows a body.
    pub fn headers(&self, body: &str, now_seconds: i64) -> [(&'static str, String); 3] {
        let mut signing =
            hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, self.key.as_bytes()));
        signing.update(now_seconds.to_string().as_bytes());
        signing.update(b".");
        signing.update(body.as_bytes());
        let tag = signing.sign();
        let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        [
            ("Content-Type", "application/json".to_owned()),
            ("X-Haechi-Timestamp", now_seconds.to_string()),
            ("X-Haechi-Signature", format!("v1={hex}")),
        ]
    }

    /// Whether the hook did what it was asked, by the status of its answer.
    ///
    /// # Errors
    /// [`Failure::Invalid`] unless it is 2xx.
    pub fn judge(&self, step: HookStep, status: u16) -> Result<(), Failure> {
        match status {
            200..=299 => Ok(()),
            other => {
                Err(Failure::Invalid(format!("the hook answered {other} to {}", step.as_str())))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn a_hook_is_told_in_json_what_is_and_what_is_to_be() {
        let message = HookMessage {
            step: HookStep::Set,
            secret_id: "arn:\"x\"",
            version_id: None,
            current: r#"{"a":1}"#,
            pending: r#"{"a":2}"#,
            previous: Some("{}"),
        };
        assert_eq!(
            *message.body(),
            r#"{"step":"setSecret","secretId":"arn:\"x\"","versionId":null,"current":{"a":1},"pending":{"a":2},"previous":{}}"#
        );
    }

    #[test]
    fn the_signature_is_over_time_and_body() {
        let hook = Hook::new("https://hook.example/", KEY).unwrap();
        let [_, (_, time), (_, signature)] = hook.headers("{}", 1_700_000_000);
        assert_eq!(time, "1700000000");
        // openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef
        let key = hmac::Key::new(hmac::HMAC_SHA256, KEY.as_bytes());
        let tag = hmac::sign(&key, b"1700000000.{}");
        let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(signature, format!("v1={hex}"));
        assert_ne!(hook.headers("{}", 1_700_000_001)[2].1, signature);
    }

    #[test]
    fn passwords_go_over_https_only_and_under_a_key_that_is_one() {
        assert!(Hook::new("http://hook.example/", KEY).is_err());
        assert!(Hook::new("https://hook.example/", "short").is_err());
    }

    #[test]
    fn only_an_answer_of_success_is_one() {
        let hook = Hook::new("https://hook.example/", KEY).unwrap();
        assert!(hook.judge(HookStep::Set, 204).is_ok());
        for status in [301, 400, 404, 500] {
            assert!(hook.judge(HookStep::Test, status).is_err(), "{status}");
        }
    }
}
