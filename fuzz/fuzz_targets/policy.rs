//! Any text as a policy, of any kind, then a decision and its explanation under it.
//!
//! Input: one byte for the kind, the policy up to a NUL, then what a hostile caller controls: the
//! action, the resource and a tag value, parted by NULs. Nothing may panic or take long, and an
//! explanation must come to the same decision.
#![no_main]

use haechi_policy::{
    ContextMap, Document, Kind, Policies, Principal, Request, ResourceRule, evaluate, explain,
};
use libfuzzer_sys::fuzz_target;

const KINDS: [Kind; 7] = [
    Kind::Identity,
    Kind::Resource,
    Kind::Trust,
    Kind::Boundary,
    Kind::Session,
    Kind::ServiceControl,
    Kind::ResourceControl,
];

fuzz_target!(|data: &[u8]| {
    let Some((kind, rest)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let mut parts = text.split('\0');
    let kind = KINDS[usize::from(*kind) % KINDS.len()];
    let Ok(document) = Document::parse(parts.next().unwrap_or_default(), kind) else { return };
    let action = parts.next().unwrap_or("kms:Encrypt");
    let resource = parts.next().unwrap_or("arn:aws:kms:us-east-1:123456789012:key/k");
    let tag = parts.next().unwrap_or("x");

    let context = ContextMap::new()
        .with("aws:SourceIp", tag)
        .with("aws:CurrentTime", tag)
        .with("aws:PrincipalTag/t", tag)
        .with("aws:username", tag);
    let principal = Principal::User {
        arn: "arn:aws:iam::123456789012:user/alice".into(),
        unique_id: "AIDAEXAMPLE".into(),
        account: "123456789012".into(),
    };
    let request = Request {
        principal: &principal,
        action,
        resource,
        resource_account: "123456789012",
        context: &context,
    };
    let document = std::sync::Arc::new(document);
    let documents = [document.clone()];
    let identity = Policies { identity: &documents, ..Policies::default() };
    let resource = Policies {
        resource: Some(&document),
        resource_rule: ResourceRule::RootOfTrust,
        ..Policies::default()
    };
    for policies in [identity, resource] {
        let explanation = explain(&policies, &request);
        assert_eq!(explanation.decision, evaluate(&policies, &request));
        let _ = explanation.to_string();
    }
});
