//! Topics under a KMS key.

use std::sync::Arc;

use haechi_core::{AccountId, Caller, Job, Path, Source};
use haechi_kms_model::ops as kms;
use haechi_kms_model::shapes::{CreateKeyRequest, DisableKeyRequest, EnableKeyRequest};
use haechi_sns::Posting;
use haechi_sns_model::ops::{Publish, SetTopicAttributes};
use haechi_sns_model::shapes::{PublishInput, SetTopicAttributesInput};
use haechi_wire::{Problem, Protocol};

use crate::fixture::{ACCOUNT, Fixture};

fn code(problem: &Problem) -> &'static str {
    problem.code(Protocol::Query)
}

impl Fixture {
    async fn set(&self, name: &str, value: &str) {
        let input = SetTopicAttributesInput {
            topic_arn: self.topic.clone(),
            attribute_name: name.to_owned(),
            attribute_value: Some(value.to_owned()),
        };
        let call = self.kit.call::<SetTopicAttributes, _>(&*self.sns, &self.root, input);
        call.await.unwrap();
    }

    /// Makes a key whose policy has more statements, and puts the topic under it.
    async fn encrypt(&self, statements: &str) -> String {
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{
                "AWS":"arn:aws:iam::{ACCOUNT}:root"}},"Action":"kms:*","Resource":"*"}}{statements}]}}"#
        );
        let input = CreateKeyRequest { policy: Some(policy), ..Default::default() };
        let made = self.kit.call::<kms::CreateKey, _>(&*self.kms, &self.root, input).await.unwrap();
        let key = made.key_metadata.unwrap().key_id;
        self.set("KmsMasterKeyId", &key).await;
        key
    }

    async fn publish_as(&self, caller: &Arc<Caller>, message: &str) -> Result<(), Problem> {
        let input = PublishInput {
            topic_arn: Some(self.topic.clone()),
            message: message.to_owned(),
            ..Default::default()
        };
        self.kit.call::<Publish, _>(&*self.sns, caller, input).await.map(|_| ())
    }

    async fn disable(&self, key: &str) {
        let input = DisableKeyRequest { key_id: key.to_owned() };
        self.kit.call::<kms::DisableKey, _>(&*self.kms, &self.root, input).await.unwrap();
    }

    /// What jobs carry.
    async fn payloads(&self) -> Vec<String> {
        let jobs = self.kit.database.list::<Job>(&Path::new("jobs"), None, 1000).await.unwrap();
        jobs.items.into_iter().map(|job| job.value.payload).collect()
    }
}

#[tokio::test]
async fn what_is_published_is_stored_under_the_key_and_arrives_as_it_was() {
    let fixture = Fixture::new("t").await;
    fixture.subscribe_queue("q", &[]).await;
    let wanted = r#"{"wanted": ["yes"]}"#;
    let filter = [("FilterPolicy", wanted), ("FilterPolicyScope", "MessageBody")];
    fixture.subscribe_queue("filtered", &filter).await;
    fixture.encrypt("").await;
    fixture.publish(r#"{"wanted": "yes"}"#).await;
    let payloads = fixture.payloads().await;
    assert!(payloads.iter().any(|payload| payload.contains("sealed")));
    assert!(payloads.iter().all(|payload| !payload.contains("wanted")));
    fixture.run().await;
    let got = fixture.got();
    assert_eq!(got.len(), 2);
    assert!(got.iter().all(|(_, body)| body.contains(r#"{\"wanted\": \"yes\"}"#)));
}

#[tokio::test]
async fn publishers_need_both_permissions() {
    let fixture = Fixture::new("t").await;
    fixture.encrypt("").await;
    let user = |actions: &str| {
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":[{actions}],"Resource":"*"}}]}}"#
        );
        fixture.kit.user(ACCOUNT, "u", &[&policy])
    };
    for actions in [r#""sns:*""#, r#""sns:*","kms:GenerateDataKey""#, r#""sns:*","kms:Decrypt""#] {
        let refused = fixture.publish_as(&user(actions), "a").await.unwrap_err();
        assert_eq!(code(&refused), "KMSAccessDenied", "{actions}");
    }
    let publisher = user(r#""sns:*","kms:GenerateDataKey","kms:Decrypt""#);
    fixture.publish_as(&publisher, "a").await.unwrap();
}

#[tokio::test]
async fn what_is_delivered_late_is_opened_by_the_key_again() {
    let fixture = Fixture::new("t").await;
    fixture.subscribe_queue("q", &[]).await;
    let key = fixture.encrypt("").await;
    fixture.publish("a").await;
    fixture.disable(&key).await;
    // By now the data key is not in memory any more.
    fixture.kit.clock.advance(301);
    fixture.run().await;
    assert!(fixture.got().is_empty());
    assert_eq!(code(&fixture.publish_as(&fixture.root, "b").await.unwrap_err()), "KMSDisabled");
    let input = EnableKeyRequest { key_id: key };
    fixture.kit.call::<kms::EnableKey, _>(&*fixture.kms, &fixture.root, input).await.unwrap();
    fixture.kit.clock.advance(60);
    fixture.run().await;
    assert_eq!(fixture.got().len(), 1);
}

#[tokio::test]
async fn a_fifo_topic_is_encrypted_too_and_keeps_its_order() {
    let fixture = Fixture::new("t.fifo").await;
    fixture.subscribe_queue("q.fifo", &[("RawMessageDelivery", "true")]).await;
    fixture.encrypt("").await;
    fixture.publish_in("g", "first").await;
    fixture.publish_in("g", "second").await;
    fixture.run().await;
    let got: Vec<String> = fixture.got().into_iter().map(|(_, body)| body).collect();
    assert_eq!(got, ["first", "second"]);
}

#[tokio::test]
async fn a_service_publishes_to_an_encrypted_topic_if_the_keys_policy_lets_it() {
    let fixture = Fixture::new("t").await;
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
        "Principal":{"Service":"events.amazonaws.com"},"Action":"sns:Publish","Resource":"*"}]}"#;
    fixture.set("Policy", policy).await;
    let post = async || {
        let posting = Posting {
            topic_arn: fixture.topic.clone(),
            message: "a".to_owned(),
            group_id: None,
            deduplication_id: "d".to_owned(),
        };
        let arn = format!("arn:aws:events:us-east-1:{ACCOUNT}:rule/r");
        let source = Source { arn, account: AccountId::parse(ACCOUNT).unwrap() };
        fixture.sns.post("events", source, posting).await.map_err(Problem::from)
    };
    fixture.encrypt("").await;
    assert_eq!(code(&post().await.unwrap_err()), "KMSAccessDenied");
    let statement = r#",{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},
        "Resource":"*","Action":["kms:GenerateDataKey","kms:Decrypt"]}"#;
    fixture.encrypt(statement).await;
    post().await.unwrap();
}

#[tokio::test]
async fn the_aws_managed_key_serves_whoever_may_publish() {
    let fixture = Fixture::new("t").await;
    fixture.subscribe_queue("q", &[]).await;
    fixture.set("KmsMasterKeyId", "alias/aws/sns").await;
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sns:*",
        "Resource":"*"}]}"#;
    let publisher = fixture.kit.user(ACCOUNT, "u", &[policy]);
    fixture.publish_as(&publisher, "a").await.unwrap();
    fixture.run().await;
    assert_eq!(fixture.got().len(), 1);
}
