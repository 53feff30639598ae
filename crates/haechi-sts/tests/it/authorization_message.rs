//! Encoded denials are read by those who may, in the account that was denied.

use std::sync::Arc;

use haechi_core::{Ask, Cx, NoContext, authorization_message};
use haechi_policy::ResourceRule;
use haechi_sts_model::ops::{DecodeAuthorizationMessage, GetCallerIdentity};
use haechi_sts_model::shapes::DecodeAuthorizationMessageRequest;
use haechi_testkit::Kit;
use haechi_wire::{Fault, Protocol};
use serde_json::Value;

use crate::{ACCOUNT, DENY_ALL, sts};

const RESOURCE: &str = "arn:aws:ec2:us-east-1:123456789012:instance/i-1";

fn denied(kit: &Kit, policies: &[&str]) -> String {
    let cx: Cx = kit.cx::<GetCallerIdentity>(&kit.user(ACCOUNT, "bob", policies));
    let denied = cx
        .decide(&Ask {
            action: "ec2:StopInstances",
            resource: RESOURCE,
            resource_account: ACCOUNT,
            policy: None,
            rule: ResourceRule::Union,
            context: &NoContext,
        })
        .expect_err("a denial");
    let fault = authorization_message::encode(&cx, &kit.database, &denied).unwrap();
    let Fault::AccessDenied(message) = fault else { panic!("not a denial: {fault:?}") };
    let (told, encoded) =
        message.split_once("Encoded authorization failure message: ").expect("the message");
    assert!(told.starts_with("You are not authorized to perform this operation. User: "));
    encoded.to_owned()
}

fn request(message: &str) -> DecodeAuthorizationMessageRequest {
    DecodeAuthorizationMessageRequest { encoded_message: message.to_owned() }
}

#[tokio::test]
async fn a_denial_is_decoded_to_its_context() {
    let kit = Kit::new().await;
    let sts = Arc::new(sts(&kit));
    for (policies, explicit) in [(&[][..], false), (&[DENY_ALL][..], true)] {
        let message = request(&denied(&kit, policies));
        let root = kit.root(ACCOUNT);
        let answer = kit.call::<DecodeAuthorizationMessage, _>(&*sts, &root, message);
        let decoded = answer.await.unwrap().decoded_message.unwrap();
        let decoded: Value = serde_json::from_str(&decoded).unwrap();
        assert_eq!(decoded["allowed"], false);
        assert_eq!(decoded["explicitDeny"], explicit);
        let context = &decoded["context"];
        assert_eq!(context["action"], "ec2:StopInstances");
        assert_eq!(context["resource"], RESOURCE);
        assert_eq!(context["principal"]["arn"], "arn:aws:iam::123456789012:user/bob");
        assert_eq!(context["principal"]["id"], "AIDATESTBOB");
        let conditions = context["conditions"]["items"].as_array().unwrap();
        let region = conditions.iter().find(|item| item["key"] == "aws:requestedregion").unwrap();
        assert_eq!(region["values"]["items"][0]["value"], "us-east-1");
    }
}

#[tokio::test]
async fn what_was_not_encoded_here_for_the_account_is_refused() {
    let kit = Kit::new().await;
    let sts = Arc::new(sts(&kit));
    let message = denied(&kit, &[]);
    let (root, other) = (kit.root(ACCOUNT), kit.root("210987654321"));
    let changed = format!("{}A", &message[..message.len() - 1]);
    let cases = [(&other, message.as_str()), (&root, "nonsense"), (&root, ""), (&root, &changed)];
    for (caller, text) in cases {
        if text == message && caller.account.as_str() == ACCOUNT {
            continue;
        }
        let answer = kit.call::<DecodeAuthorizationMessage, _>(&*sts, caller, request(text)).await;
        let told = answer.err().expect("a refusal").code(Protocol::Query);
        assert_eq!(told, "InvalidAuthorizationMessageException");
    }
}

#[tokio::test]
async fn decoding_needs_permission() {
    let kit = Kit::new().await;
    let sts = Arc::new(sts(&kit));
    let message = request(&denied(&kit, &[]));
    let bob = kit.user(ACCOUNT, "bob", &[]);
    let answer = kit.call::<DecodeAuthorizationMessage, _>(&*sts, &bob, message).await;
    assert_eq!(answer.err().expect("a refusal").code(Protocol::Query), "AccessDenied");
}
