//! The audit record of a request to the proxy: CloudTrail's shape, with what the other KMS says of
//! its caller. No plaintext, no ciphertext.

use haechi_core::Region;
use haechi_wire::Timestamp;
use haechi_xks::{Asked, Refusal};
use serde_json::{Value, json};

use super::exposure::Exposure;
use super::manager::touches_key;

/// Bytes of any text that the other side wrote, at most.
const TEXT_MAX: usize = 2048;

/// The record, as JSON.
pub fn record(
    asked: &Asked<'_>,
    exposure: &Exposure,
    refusal: Option<&Refusal>,
    now: Timestamp,
    event_id: &str,
) -> Vec<u8> {
    let Exposure { account, region, prefix, .. } = exposure;
    let mut metadata = serde_json::to_value(asked.metadata).unwrap_or_default();
    shorten(&mut metadata);
    let mut parameters = json!({ "xksProxyUriPath": format!("{prefix}/kms/xks/v1") });
    let mut resources = Vec::new();
    if touches_key(asked.operation) {
        let partition = Region::parse(region).map_or("aws", |region| region.partition());
        let arn = format!("arn:{partition}:kms:{region}:{account}:key/{}", asked.key_id);
        if let Some(object) = parameters.as_object_mut() {
            object.insert("externalKeyId".to_owned(), asked.key_id.into());
        }
        resources.push(json!({ "accountId": account, "type": "AWS::KMS::Key", "ARN": arn }));
    }
    if let Some(object) = parameters.as_object_mut() {
        object.insert("requestMetadata".to_owned(), metadata);
    }
    let mut event = json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AWSService",
            "invokedBy": "kms-xks-proxy.amazonaws.com",
            "accessKeyId": asked.access_key_id,
        },
        "eventTime": now.iso8601(),
        "eventSource": "kms-xks-proxy.amazonaws.com",
        "eventName": asked.operation.name(),
        "awsRegion": region,
        "sourceIPAddress": asked.source_ip.to_string(),
        "userAgent": cut(asked.user_agent),
        "requestParameters": parameters,
        "responseElements": Value::Null,
        "requestID": asked.metadata.kms_request_id.as_deref().map(cut),
        "eventID": event_id,
        "readOnly": true,
        "resources": resources,
        "eventType": "AwsServiceEvent",
        "managementEvent": true,
        "recipientAccountId": account,
        "eventCategory": "Management",
    });
    if let (Some(refusal), Some(object)) = (refusal, event.as_object_mut()) {
        object.insert("errorCode".to_owned(), refusal.name.as_str().into());
        object.insert("errorMessage".to_owned(), refusal.message.as_str().into());
    }
    serde_json::to_vec(&event).unwrap_or_default()
}

fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(TEXT_MAX)).unwrap_or_default()
}

fn shorten(metadata: &mut Value) {
    for value in metadata.as_object_mut().into_iter().flat_map(|object| object.values_mut()) {
        if let Some(text) = value.as_str().filter(|text| text.len() > TEXT_MAX) {
            *value = cut(text).into();
        }
    }
}
