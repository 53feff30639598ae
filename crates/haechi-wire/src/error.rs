//! What can go wrong, and how each protocol tells it.

use std::error::Error;

use crate::Protocol;
use crate::json::push_string;

/// A failure that any operation of any service may answer. Codes differ by protocol: where JSON
/// services say `AccessDeniedException`, the query services say `AccessDenied`.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The caller may not do this; the message says why, in AWS's words.
    #[error("{0}")]
    AccessDenied(String),
    /// The input breaks a constraint.
    #[error("{0}")]
    Validation(String),
    /// The body cannot be read in its protocol.
    #[error("{0}")]
    Malformed(String),
    /// The body is larger than any service takes.
    #[error("Request size exceeds the limit of {limit_bytes} bytes")]
    TooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// No such operation in the service's model.
    #[error("The operation {0} is unknown")]
    UnknownOperation(String),
    /// The request names no service that haechi knows.
    #[error("{0}")]
    UnknownService(String),
    /// A real operation that haechi does not do.
    #[error(
        "haechi does not implement {service}:{operation}. `haechi services` lists what it does"
    )]
    Unsupported {
        /// The service.
        service: &'static str,
        /// The operation.
        operation: String,
    },
    /// A parameter, or a value of one, of an operation that haechi does otherwise.
    #[error(
        "haechi does not implement {parameter} of {service}:{operation}. \
         docs/aws-divergences.md lists what it leaves out"
    )]
    UnsupportedParameter {
        /// The service.
        service: &'static str,
        /// The operation.
        operation: &'static str,
        /// As AWS's model names it, with its value where only some are not done.
        parameter: String,
    },
    /// The signature or the credentials were refused: code per protocol family, and message.
    #[error("{message}")]
    Authentication {
        /// The code for services that speak JSON or CBOR.
        document_code: &'static str,
        /// The code for services that speak query or XML.
        xml_code: &'static str,
        /// HTTP status.
        status: u16,
        /// In AWS's words.
        message: String,
    },
    /// Someone else wrote between this call's read and its write, again and again. Dispatch runs
    /// the handler anew, so callers hardly ever see it.
    #[error("The resource was changed by another request at the same time. Try again.")]
    Conflict,
    /// Too many requests.
    #[error("Rate exceeded")]
    Throttled,
    /// A dependency (store, audit log) cannot serve now; nothing was changed.
    #[error("{message}")]
    Unavailable {
        /// What the caller is told.
        message: &'static str,
        /// Why, for the log.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// A defect or a broken invariant. The caller learns nothing of it; the log does.
    #[error("The request processing has failed because of an unknown error, exception or failure.")]
    Internal(#[source] Box<dyn Error + Send + Sync>),
}

impl Fault {
    /// A failure that the caller learns nothing of.
    pub fn internal(source: impl Into<Box<dyn Error + Send + Sync>>) -> Fault {
        Fault::Internal(source.into())
    }

    /// The code as services of `protocol` spell it.
    pub fn code(&self, protocol: Protocol) -> &'static str {
        let document = protocol.is_document();
        match self {
            Fault::AccessDenied(_) if document => "AccessDeniedException",
            Fault::AccessDenied(_) => "AccessDenied",
            Fault::Validation(_) if document => "ValidationException",
            Fault::Validation(_) => "ValidationError",
            Fault::Malformed(_) if document => "SerializationException",
            Fault::Malformed(_) => "MalformedInput",
            Fault::TooLarge { .. } => "RequestEntityTooLarge",
            Fault::UnknownOperation(_) if document => "UnknownOperationException",
            Fault::UnknownOperation(_) => "InvalidAction",
            Fault::UnknownService(_) if document => "UnknownOperationException",
            Fault::UnknownService(_) => "InvalidAction",
            Fault::Unsupported { .. } | Fault::UnsupportedParameter { .. } => {
                "UnsupportedOperation"
            }
            Fault::Authentication { document_code, .. } if document => document_code,
            Fault::Authentication { xml_code, .. } => xml_code,
            Fault::Conflict if document => "ConcurrentModificationException",
            Fault::Conflict => "ConcurrentModification",
            Fault::Throttled if document => "ThrottlingException",
            Fault::Throttled => "Throttling",
            Fault::Unavailable { .. } if document => "ServiceUnavailableException",
            Fault::Unavailable { .. } => "ServiceUnavailable",
            Fault::Internal(_) => "InternalFailure",
        }
    }

    /// The HTTP status with which services of `protocol` answer it.
    pub fn status(&self, protocol: Protocol) -> u16 {
        let rest = protocol == Protocol::RestJson;
        match self {
            Fault::AccessDenied(_) if rest || !protocol.is_document() => 403,
            Fault::UnknownOperation(_) | Fault::UnknownService(_) if rest => 404,
            Fault::Throttled if rest => 429,
            Fault::AccessDenied(_)
            | Fault::Validation(_)
            | Fault::Malformed(_)
            | Fault::UnknownOperation(_)
            | Fault::UnknownService(_)
            | Fault::Throttled => 400,
            Fault::Conflict => 409,
            Fault::TooLarge { .. } => 413,
            Fault::Unsupported { .. } | Fault::UnsupportedParameter { .. } => 501,
            Fault::Authentication { status, .. } => *status,
            Fault::Unavailable { .. } => 503,
            Fault::Internal(_) => 500,
        }
    }
}

/// Anything an operation can answer in place of its output.
#[derive(Debug)]
pub enum Problem {
    /// An error of the service's model.
    Modelled {
        /// Its code.
        code: &'static str,
        /// HTTP status.
        status: u16,
        /// What the caller is told; may be empty, as KMS's for a ciphertext that does not open.
        message: String,
        /// Further members of the error, e.g. Organizations' `Reason`.
        members: Vec<(&'static str, String)>,
        /// Its code where its service still spoke query; clients that once did go by it.
        query_code: Option<&'static str>,
        /// The name of the member that holds the message.
        message_member: &'static str,
    },
    /// A failure of any service.
    Fault(Fault),
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Problem::Fault(fault)
    }
}

impl Problem {
    /// An error of the service's model.
    pub const fn modelled(code: &'static str, status: u16, message: String) -> Problem {
        Problem::Modelled {
            code,
            status,
            message,
            members: Vec::new(),
            query_code: None,
            message_member: "message",
        }
    }

    /// The same with its message in a member of another name.
    #[must_use]
    pub fn with_message_member(mut self, name: &'static str) -> Problem {
        if let Problem::Modelled { message_member, .. } = &mut self {
            *message_member = name;
        }
        self
    }

    /// The same with the code that it has in query.
    #[must_use]
    pub fn with_query_code(mut self, code: &'static str) -> Problem {
        if let Problem::Modelled { query_code, .. } = &mut self {
            *query_code = Some(code);
        }
        self
    }

    /// What the header `x-amzn-query-error` tells of an error, where there is any.
    /// Source: Smithy, `awsQueryCompatible` trait.
    pub fn query_error(&self) -> Option<String> {
        match self {
            Problem::Modelled { query_code: Some(code), status, .. } => {
                let party = if *status < 500 { "Sender" } else { "Receiver" };
                Some(format!("{code};{party}"))
            }
            _ => None,
        }
    }

    /// The same with a further member; an empty text is none.
    #[must_use]
    pub fn with(mut self, member: &'static str, text: String) -> Problem {
        if let Problem::Modelled { members, .. } = &mut self
            && !text.is_empty()
        {
            members.push((member, text));
        }
        self
    }

    /// The code, as services of `protocol` spell it.
    pub fn code(&self, protocol: Protocol) -> &'static str {
        match self {
            Problem::Modelled { query_code: Some(code), .. } if !protocol.is_document() => code,
            Problem::Modelled { code, .. } => code,
            Problem::Fault(fault) => fault.code(protocol),
        }
    }

    /// HTTP status.
    pub fn status(&self, protocol: Protocol) -> u16 {
        match self {
            Problem::Modelled { status, .. } => *status,
            Problem::Fault(fault) => fault.status(protocol),
        }
    }

    /// What the caller is told.
    pub fn message(&self) -> String {
        match self {
            Problem::Modelled { message, .. } => message.clone(),
            Problem::Fault(fault) => fault.to_string(),
        }
    }

    /// The body of the answer.
    pub fn body(&self, protocol: Protocol, namespace: &str, request_id: &str) -> Vec<u8> {
        let (code, message) = (self.code(protocol), self.message());
        match protocol {
            Protocol::Json10 | Protocol::Json11 | Protocol::RestJson | Protocol::RpcV2Cbor => {
                // With REST a header tells the code.
                let code = (protocol != Protocol::RestJson).then_some(code);
                match self {
                    Problem::Modelled { members, message_member, .. } => {
                        json_body(code, (message_member, &message), members)
                    }
                    // A modelled error's member is the model's (recorded: KMS writes `message`,
                    // Secrets Manager `Message`); for the others AWS writes `Message`.
                    Problem::Fault(_) => json_body(code, ("Message", &message), &[]),
                }
            }
            Protocol::QueryJson => {
                let sender = self.status(protocol) < 500;
                crate::query::json::error_body(code, &message, sender, request_id)
            }
            Protocol::Query | Protocol::Ec2 | Protocol::RestXml => {
                let sender = self.status(protocol) < 500;
                // Recorded of SQS, whose errors once had room for details.
                let detailed = matches!(self, Problem::Modelled { query_code: Some(_), .. });
                let told = (code, message.as_str());
                crate::query::error_body(told, (sender, detailed), namespace, request_id)
            }
        }
    }
}

/// `{"__type":"NotFoundException","message":"…"}`.
fn json_body(
    code: Option<&str>,
    (name, message): (&str, &str),
    members: &[(&'static str, String)],
) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + message.len());
    let code = code.map(|code| ("__type", code));
    let message = Some((name, message)).filter(|(_, message)| !message.is_empty());
    let further = members.iter().map(|(name, text)| (*name, text.as_str()));
    for (name, text) in code.into_iter().chain(message).chain(further) {
        out.push(if out.is_empty() { b'{' } else { b',' });
        push_string(&mut out, name);
        out.push(b':');
        push_string(&mut out, text);
    }
    if out.is_empty() {
        out.push(b'{');
    }
    out.push(b'}');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::errors! { enum Refusal {
        Plain = ("PlainException", 400),
        Reasoned = ("ReasonedException", 400, reason: "Reason"),
        Older = ("OlderException", 400; "Service.Older"),
    } }

    #[test]
    fn an_error_of_a_service_that_once_spoke_query_tells_its_code_of_then() {
        let older = Problem::from(Refusal::Older("no".to_owned()));
        assert_eq!(older.query_error().as_deref(), Some("Service.Older;Sender"));
        assert_eq!(older.code(Protocol::Json10), "OlderException");
        assert_eq!(older.code(Protocol::Query), "Service.Older");
        assert_eq!(Problem::from(Refusal::Plain("no".to_owned())).query_error(), None);
    }

    fn body(refusal: Refusal) -> String {
        let body = Problem::from(refusal).body(Protocol::Json11, "", "id");
        String::from_utf8(body).unwrap()
    }

    #[test]
    fn an_error_carries_the_further_members_that_its_model_gives_it() {
        let plain = Refusal::Plain("no".to_owned());
        assert_eq!(body(plain), r#"{"__type":"PlainException","message":"no"}"#);
        let reasoned = Refusal::Reasoned("no".to_owned(), "TOO_\"MANY\"".to_owned());
        let expected = r#"{"__type":"ReasonedException","message":"no","Reason":"TOO_\"MANY\""}"#;
        assert_eq!(body(reasoned), expected);
        let without = Refusal::Reasoned("no".to_owned(), String::new());
        assert_eq!(body(without), r#"{"__type":"ReasonedException","message":"no"}"#);
    }

    #[test]
    fn a_failure_of_any_service_is_told_apart_by_its_members_name() {
        let problem = Problem::from(Refusal::Fault(Fault::Conflict));
        let text = String::from_utf8(problem.body(Protocol::Json11, "", "id")).unwrap();
        assert!(text.contains(r#","Message":""#), "{text}");
    }
}
