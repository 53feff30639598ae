//! Answers, as each protocol renders them.

use bytes::Bytes;
use haechi_core::router::Answer;
use haechi_wire::json::JsonWriter;
use haechi_wire::rest::RestWriter;
use haechi_wire::{Problem, Protocol, SecretBlob, query};
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::Full;

use crate::identify::Identified;

/// Tells the request's id.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// An answer's body: wiped when it has been sent.
pub type Body = Full<Bytes>;

pub(crate) fn success(
    answer: &dyn Answer,
    identified: &Identified,
    request_id: &str,
) -> Response<Body> {
    let protocol = identified.protocol;
    let body = match protocol {
        Protocol::Query | Protocol::Ec2 | Protocol::RestXml => {
            let wrapper = answer.schema().result_wrapper;
            let namespace = identified.service.xml_namespace;
            let operation = &identified.operation;
            query::response_body(operation, wrapper, namespace, request_id, |writer| {
                answer.write(writer);
            })
        }
        Protocol::QueryJson => {
            let wrapper = answer.schema().result_wrapper;
            query::json::response_body(&identified.operation, wrapper, request_id, |writer| {
                answer.write(writer);
            })
        }
        Protocol::RestJson => return rest(answer, request_id),
        _ => {
            let mut writer = JsonWriter::new();
            answer.write(&mut writer);
            writer.finish()
        }
    };
    response(StatusCode::OK, protocol.content_type(), request_id, body)
}

/// An answer whose output's members may stand in the status and in headers.
fn rest(answer: &dyn Answer, request_id: &str) -> Response<Body> {
    let schema = answer.schema();
    let mut writer = RestWriter::new(schema.output);
    answer.write(&mut writer);
    let written = writer.finish();
    let status = StatusCode::from_u16(written.status.unwrap_or(schema.status));
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = if status == StatusCode::NO_CONTENT { Vec::new() } else { written.body };
    let content_type = written.content_type.unwrap_or(Protocol::RestJson.content_type());
    let mut response = response(status, content_type, request_id, body);
    for (name, value) in written.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

pub(crate) fn problem(
    problem: &Problem,
    protocol: Protocol,
    namespace: &str,
    request_id: &str,
) -> Response<Body> {
    let status =
        StatusCode::from_u16(problem.status(protocol)).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = problem.body(protocol, namespace, request_id);
    let mut response = response(status, protocol.content_type(), request_id, body);
    let query_error = problem.query_error().filter(|_| protocol.is_document());
    if let Some(Ok(value)) = query_error.map(HeaderValue::try_from) {
        response.headers_mut().insert("x-amzn-query-error", value);
    }
    if protocol == Protocol::RestJson {
        let code = HeaderValue::from_static(problem.code(protocol));
        response.headers_mut().insert("x-amzn-errortype", code);
    }
    response
}

pub(crate) fn response(
    status: StatusCode,
    content_type: &'static str,
    request_id: &str,
    body: Vec<u8>,
) -> Response<Body> {
    // Wiped once sent: it may hold a plaintext.
    let body = Bytes::from_owner(SecretBlob(body));
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Ok(value) = HeaderValue::from_str(request_id)
        && !request_id.is_empty()
    {
        headers.insert(REQUEST_ID, value);
    }
    response
}
