//! What etcd's errors mean: whether another member, another moment or nobody can help.
//!
//! etcd tells its errors apart by text only (its `rpctypes`); the texts are the same from 3.4 to 3.6.

use haechi_store::StoreError;
use tonic::{Code, Status};

/// What an error asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No answer, or none from a majority. A write may have been done.
    Unanswered,
    /// Too busy; nothing was done.
    Busy,
    /// The token has ended; nothing was done.
    Token,
    Compacted,
    Future,
    LeaseNotFound,
    LeaseExists,
    NoSpace,
    Denied,
    /// Not the cluster that it was.
    Replaced,
    /// The store was closed.
    Closed,
    Other,
}

/// Words of TLS about certificates: of an alert that came, and of what we refuse.
const CERTIFICATES: &[&str] = &[
    "BadCertificate",
    "CertificateRequired",
    "CertificateExpired",
    "CertificateUnknown",
    "UnknownCA",
    "invalid peer certificate",
];

/// An operation that failed.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub kind: Kind,
    /// Whom we asked last.
    pub endpoint: String,
    pub detail: String,
    /// Whether some attempt was left unanswered, so that it may have been done.
    pub doubtful: bool,
}

impl Fault {
    /// What the caller of a read, or of a write that was surely not done, is told.
    pub(crate) fn into_error(self) -> StoreError {
        let Self { kind, endpoint, detail, .. } = self;
        match kind {
            // Neither side takes the other's certificate: waiting does not help.
            Kind::Unanswered if CERTIFICATES.iter().any(|word| detail.contains(word)) => {
                StoreError::Denied { endpoint, detail }
            }
            Kind::Unanswered | Kind::Busy => StoreError::Unavailable { endpoint, detail },
            Kind::NoSpace => StoreError::QuotaFull { endpoint },
            Kind::Denied | Kind::Token => StoreError::Denied { endpoint, detail },
            Kind::Replaced => StoreError::Replaced { endpoint, detail },
            Kind::Closed => StoreError::Closed,
            Kind::Compacted
            | Kind::Future
            | Kind::LeaseNotFound
            | Kind::LeaseExists
            | Kind::Other => StoreError::Engine { path: endpoint.into(), detail },
        }
    }

    /// What the caller of a write is told.
    pub(crate) fn into_write_error(self) -> StoreError {
        if self.doubtful {
            StoreError::Unanswered { endpoint: self.endpoint, detail: self.detail }
        } else {
            self.into_error()
        }
    }
}

/// Reads a status. One that something lies beneath is not etcd's word but the connection's, whatever
/// its code: HTTP/2's `ENHANCE_YOUR_CALM` comes as `ResourceExhausted`.
pub(crate) fn kind(status: &Status) -> Kind {
    if std::error::Error::source(status).is_some() {
        return Kind::Unanswered;
    }
    let says = |text: &str| status.message().contains(text);
    match status.code() {
        Code::ResourceExhausted if says("space exceeded") => Kind::NoSpace,
        Code::ResourceExhausted if says("too many requests") => Kind::Busy,
        Code::OutOfRange if says("has been compacted") => Kind::Compacted,
        Code::OutOfRange if says("future revision") => Kind::Future,
        Code::NotFound if says("lease not found") => Kind::LeaseNotFound,
        Code::FailedPrecondition if says("lease already exists") => Kind::LeaseExists,
        Code::Unauthenticated => Kind::Token,
        Code::InvalidArgument if says("revision of auth store is old") => Kind::Token,
        Code::PermissionDenied => Kind::Denied,
        Code::InvalidArgument if says("authentication failed") || says("user name is empty") => {
            Kind::Denied
        }
        Code::FailedPrecondition if says("authentication is not enabled") => Kind::Denied,
        // `Unknown` is what a broken connection looks like.
        Code::Unavailable
        | Code::DeadlineExceeded
        | Code::Cancelled
        | Code::Aborted
        | Code::Internal
        | Code::Unknown => Kind::Unanswered,
        _ => Kind::Other,
    }
}

/// A status' words, with what lies beneath a broken connection.
pub(crate) fn detail(status: &Status) -> String {
    let mut text = status.message().to_owned();
    let mut source = std::error::Error::source(status);
    while let Some(error) = source {
        let more = error.to_string();
        if !text.contains(&more) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&more);
        }
        source = error.source();
    }
    if text.is_empty() { format!("{:?}", status.code()) } else { text }
}

#[cfg(test)]
mod tests {
    use tonic::{Code, Status};

    use haechi_store::StoreError;

    use super::{Fault, Kind, detail, kind};

    #[test]
    fn what_etcd_says_is_understood() {
        for (code, text, expected) in [
            (Code::ResourceExhausted, "etcdserver: mvcc: database space exceeded", Kind::NoSpace),
            (Code::ResourceExhausted, "etcdserver: too many requests", Kind::Busy),
            (
                Code::OutOfRange,
                "etcdserver: mvcc: required revision has been compacted",
                Kind::Compacted,
            ),
            (
                Code::OutOfRange,
                "etcdserver: mvcc: required revision is a future revision",
                Kind::Future,
            ),
            (Code::NotFound, "etcdserver: requested lease not found", Kind::LeaseNotFound),
            (Code::Unavailable, "etcdserver: leader changed", Kind::Unanswered),
            (Code::Unavailable, "etcdserver: request timed out", Kind::Unanswered),
            (Code::Unauthenticated, "etcdserver: invalid auth token", Kind::Token),
            (Code::PermissionDenied, "etcdserver: permission denied", Kind::Denied),
            (Code::InvalidArgument, "etcdserver: request is too large", Kind::Other),
        ] {
            assert_eq!(kind(&Status::new(code, text)), expected, "{text}");
        }
    }

    #[test]
    fn what_the_connection_says_is_no_answer_of_etcds() {
        for code in [Code::ResourceExhausted, Code::PermissionDenied, Code::Unavailable] {
            let mut status = Status::new(code, "h2 protocol error");
            status.set_source(std::sync::Arc::new(std::fmt::Error));
            assert_eq!(kind(&status), Kind::Unanswered, "{code:?}");
        }
    }

    #[test]
    fn a_certificate_that_is_refused_is_for_the_operator_to_correct() {
        let fault = |detail: &str| Fault {
            kind: Kind::Unanswered,
            endpoint: "https://127.0.0.1:2379".to_owned(),
            detail: detail.to_owned(),
            doubtful: false,
        };
        for detail in
            ["received fatal alert: BadCertificate", "invalid peer certificate: UnknownIssuer"]
        {
            assert!(matches!(fault(detail).into_error(), StoreError::Denied { .. }), "{detail}");
        }
        let gone = fault("connection refused").into_error();
        assert!(matches!(gone, StoreError::Unavailable { .. }));
    }

    #[test]
    fn an_error_without_words_is_named_by_its_code() {
        assert_eq!(detail(&Status::new(Code::Unavailable, "")), "Unavailable");
    }
}
