//! The protocols that AWS's services speak.

/// A wire protocol of AWS; one codec each serves every service that speaks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// `application/x-amz-json-1.0`, operation in `X-Amz-Target`.
    Json10,
    /// `application/x-amz-json-1.1`, operation in `X-Amz-Target`.
    Json11,
    /// Form-encoded `Action=…`, XML answers.
    Query,
    /// The same with JSON answers, which no model tells of: for clients that accept nothing else.
    QueryJson,
    /// The query protocol in EC2's dialect.
    Ec2,
    /// JSON bodies, operation in method and path.
    RestJson,
    /// XML bodies, operation in method and path.
    RestXml,
    /// Smithy RPC v2 with CBOR, operation in the path.
    RpcV2Cbor,
}

impl Protocol {
    /// Content type of an answer.
    pub const fn content_type(self) -> &'static str {
        match self {
            Protocol::Json10 => "application/x-amz-json-1.0",
            Protocol::Json11 => "application/x-amz-json-1.1",
            Protocol::Query | Protocol::Ec2 => "text/xml",
            Protocol::RestJson | Protocol::QueryJson => "application/json",
            Protocol::RestXml => "application/xml",
            Protocol::RpcV2Cbor => "application/cbor",
        }
    }

    /// Whether errors are told by name in a JSON-like document, with names that end in
    /// `Exception`; the XML protocols have older, shorter names for the same faults.
    pub const fn is_document(self) -> bool {
        matches!(
            self,
            Protocol::Json10 | Protocol::Json11 | Protocol::RestJson | Protocol::RpcV2Cbor
        )
    }
}
