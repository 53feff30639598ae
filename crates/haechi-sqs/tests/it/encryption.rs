//! Queues under a KMS key.

use std::sync::Arc;

use haechi_core::{AccountId, Caller, Path, Source};
use haechi_kms_model::ops as kms;
use haechi_kms_model::shapes::{
    CreateKeyRequest, DisableKeyRequest, EnableKeyRequest, ListAliasesRequest,
};
use haechi_sqs::Delivery;
use haechi_sqs_model::ops::{
    GetQueueAttributes, ReceiveMessage, SendMessage, SendMessageBatch, SetQueueAttributes,
};
use haechi_sqs_model::shapes::{
    GetQueueAttributesRequest, Message, ReceiveMessageRequest, SendMessageBatchRequest,
    SendMessageBatchRequestEntry, SendMessageRequest, SetQueueAttributesRequest,
};
use haechi_wire::{Problem, Protocol};

use crate::{ACCOUNT, Fixture};

#[derive(serde::Serialize, serde::Deserialize)]
struct Row {
    body: String,
}
impl haechi_core::Record for Row {}

fn code(problem: &Problem) -> &'static str {
    problem.code(Protocol::Json10)
}

fn user(fixture: &Fixture, name: &str, actions: &str) -> Arc<Caller> {
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":[{actions}],"Resource":"*"}}]}}"#
    );
    fixture.kit.user(ACCOUNT, name, &[&policy])
}

impl Fixture {
    pub(crate) async fn set(&self, attributes: &[(&str, &str)]) -> Result<(), Problem> {
        let attributes = attributes.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        let input = SetQueueAttributesRequest {
            queue_url: self.queue.clone(),
            attributes: attributes.collect(),
        };
        self.kit.call::<SetQueueAttributes, _>(&self.sqs, &self.root, input).await.map(|_| ())
    }

    async fn shown(&self, name: &str) -> Option<String> {
        let input = GetQueueAttributesRequest {
            queue_url: self.queue.clone(),
            attribute_names: Some(vec!["All".to_owned()]),
        };
        let answer = self.kit.call::<GetQueueAttributes, _>(&self.sqs, &self.root, input).await;
        answer.unwrap().attributes.unwrap().remove(name)
    }

    /// Makes a key whose policy has more statements, and puts the queue under it.
    async fn encrypt(&self, statements: &str) -> String {
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{
                "AWS":"arn:aws:iam::{ACCOUNT}:root"}},"Action":"kms:*","Resource":"*"}}{statements}]}}"#
        );
        let input = CreateKeyRequest { policy: Some(policy), ..Default::default() };
        let made = self.kit.call::<kms::CreateKey, _>(&*self.kms, &self.root, input).await.unwrap();
        let key = made.key_metadata.unwrap().key_id;
        self.set(&[("KmsMasterKeyId", &key)]).await.unwrap();
        key
    }

    async fn send_as(&self, caller: &Arc<Caller>, body: &str) -> Result<(), Problem> {
        let input = SendMessageRequest {
            queue_url: self.queue.clone(),
            message_body: body.to_owned(),
            ..Default::default()
        };
        self.kit.call::<SendMessage, _>(&self.sqs, caller, input).await.map(|_| ())
    }

    async fn receive_as(&self, caller: &Arc<Caller>) -> Result<Vec<Message>, Problem> {
        let input = ReceiveMessageRequest { queue_url: self.queue.clone(), ..Default::default() };
        let answer = self.kit.call::<ReceiveMessage, _>(&self.sqs, caller, input).await?;
        Ok(answer.messages.unwrap_or_default())
    }

    async fn stored(&self) -> Vec<String> {
        let prefix = Path::new("sqs").part(ACCOUNT).part("us-east-1").part("message");
        let page = self.kit.database.list::<Row>(&prefix, None, 100).await.unwrap();
        page.items.into_iter().map(|row| row.value.body).collect()
    }
}

#[tokio::test]
async fn bodies_are_stored_under_the_key_and_come_back_as_they_were() {
    let fixture = Fixture::new("q", &[]).await;
    fixture.encrypt("").await;
    let long = "x".repeat(200_000);
    fixture.send("in the clear", None, None).await;
    fixture.send(&long, None, None).await;
    assert!(fixture.stored().await.iter().all(|body| !body.contains("clear")));
    let got = fixture.receive().await;
    assert_eq!(got[0].body.as_deref(), Some("in the clear"));
    assert_eq!(got[0].md5_of_body.as_deref(), Some("18a947cf83e46a27e2f1813b52d2e1cc"));
    assert_eq!(got[1].body.as_deref(), Some(&*long));
}

#[tokio::test]
async fn senders_need_both_permissions_and_receivers_the_one() {
    let fixture = Fixture::new("q", &[]).await;
    fixture.encrypt("").await;
    for actions in [r#""sqs:*""#, r#""sqs:*","kms:GenerateDataKey""#, r#""sqs:*","kms:Decrypt""#] {
        let sender = user(&fixture, "s", actions);
        let refused = fixture.send_as(&sender, "a").await.unwrap_err();
        assert_eq!(code(&refused), "KmsAccessDenied", "{actions}");
        let old = refused.query_error();
        assert_eq!(old.as_deref(), Some("KMS.AccessDeniedException;Sender"), "{actions}");
    }
    let sender = user(&fixture, "s", r#""sqs:*","kms:GenerateDataKey","kms:Decrypt""#);
    fixture.send_as(&sender, "a").await.unwrap();
    let nobody = user(&fixture, "n", r#""sqs:*""#);
    let refused = fixture.receive_as(&nobody).await.err().unwrap();
    assert_eq!(code(&refused), "KmsAccessDenied");
    // It was not hidden from others, nor counted as received.
    let receiver = user(&fixture, "r", r#""sqs:*","kms:Decrypt""#);
    let got = fixture.receive_as(&receiver).await.unwrap();
    assert_eq!(got[0].body.as_deref(), Some("a"));
}

#[tokio::test]
async fn a_key_that_is_disabled_stops_the_queue_once_the_data_keys_period_is_over() {
    let fixture = Fixture::new("q", &[]).await;
    let key = fixture.encrypt("").await;
    fixture.set(&[("KmsDataKeyReusePeriodSeconds", "60")]).await.unwrap();
    fixture.send("a", None, None).await;
    let input = DisableKeyRequest { key_id: key.clone() };
    fixture.kit.call::<kms::DisableKey, _>(&*fixture.kms, &fixture.root, input).await.unwrap();
    fixture.send("b", None, None).await;
    fixture.kit.clock.advance(60);
    let refused = fixture.send_as(&fixture.root, "c").await.unwrap_err();
    assert_eq!(code(&refused), "KmsDisabled");
    assert_eq!(code(&fixture.receive_as(&fixture.root).await.err().unwrap()), "KmsDisabled");
    let input = EnableKeyRequest { key_id: key };
    fixture.kit.call::<kms::EnableKey, _>(&*fixture.kms, &fixture.root, input).await.unwrap();
    assert_eq!(fixture.bodies().await, ["a", "b"]);
}

#[tokio::test]
async fn a_key_that_is_not_there_is_told_when_it_is_needed() {
    let fixture = Fixture::new("q", &[("KmsMasterKeyId", "testKeyId")]).await;
    let refused = fixture.send_as(&fixture.root, "a").await.unwrap_err();
    assert_eq!(code(&refused), "KmsNotFound");
    let entry = SendMessageBatchRequestEntry {
        id: "1".to_owned(),
        message_body: "a".to_owned(),
        ..Default::default()
    };
    let input = SendMessageBatchRequest { queue_url: fixture.queue.clone(), entries: vec![entry] };
    let (kit, sqs) = (&fixture.kit, &fixture.sqs);
    let outcome = kit.call::<SendMessageBatch, _>(sqs, &fixture.root, input).await;
    assert_eq!(code(&outcome.err().unwrap()), "KmsNotFound");
}

#[tokio::test]
async fn the_aws_managed_key_is_made_when_it_is_first_needed() {
    let fixture = Fixture::new("q", &[("KmsMasterKeyId", "alias/aws/sqs")]).await;
    let sender = user(&fixture, "s", r#""sqs:*""#);
    fixture.send_as(&sender, "a").await.unwrap();
    assert_eq!(fixture.receive_as(&sender).await.unwrap()[0].body.as_deref(), Some("a"));
    let call = fixture.kit.call::<kms::ListAliases, _>(
        &*fixture.kms,
        &fixture.root,
        ListAliasesRequest::default(),
    );
    let aliases = call.await.unwrap().aliases.unwrap();
    let made = |name: &str| {
        let alias = aliases.iter().find(|alias| alias.alias_name.as_deref() == Some(name));
        alias.is_some_and(|alias| alias.target_key_id.is_some())
    };
    assert!(made("alias/aws/sqs"));
}

#[tokio::test]
async fn a_queue_is_under_one_kind_of_keys() {
    let fixture = Fixture::new("q", &[]).await;
    assert_eq!(fixture.shown("SqsManagedSseEnabled").await.as_deref(), Some("true"));
    assert_eq!(fixture.shown("KmsDataKeyReusePeriodSeconds").await, None);
    fixture.set(&[("KmsMasterKeyId", "testKeyId")]).await.unwrap();
    assert_eq!(fixture.shown("SqsManagedSseEnabled").await.as_deref(), Some("false"));
    assert_eq!(fixture.shown("KmsDataKeyReusePeriodSeconds").await.as_deref(), Some("300"));
    let refused = fixture.set(&[("SqsManagedSseEnabled", "true")]).await.unwrap_err();
    assert_eq!(
        (code(&refused), &*refused.message()),
        (
            "InvalidAttributeName",
            "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE."
        )
    );
    for wrong in ["59", "86401", "a"] {
        let refused = fixture.set(&[("KmsDataKeyReusePeriodSeconds", wrong)]).await.unwrap_err();
        assert_eq!(code(&refused), "InvalidAttributeValue", "{wrong}");
    }
    fixture.set(&[("KmsMasterKeyId", ""), ("KmsDataKeyReusePeriodSeconds", "")]).await.unwrap();
    assert_eq!(fixture.shown("KmsMasterKeyId").await, None);
    assert_eq!(fixture.shown("SqsManagedSseEnabled").await.as_deref(), Some("false"));
    fixture.set(&[("SqsManagedSseEnabled", "true")]).await.unwrap();
}

#[tokio::test]
async fn a_service_delivers_into_an_encrypted_queue_if_the_keys_policy_lets_it() {
    let topic = format!("arn:aws:sns:us-east-1:{ACCOUNT}:t");
    let queue_policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
        "Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"*"}]}"#;
    let fixture = Fixture::new("q", &[("Policy", queue_policy)]).await;
    let deliver = async |topic: &str| {
        let account = AccountId::parse(ACCOUNT).unwrap();
        let delivery = Delivery {
            queue_arn: format!("arn:aws:sqs:us-east-1:{ACCOUNT}:q"),
            body: "a".to_owned(),
            group_id: None,
            deduplication_id: "d".to_owned(),
            attributes: Default::default(),
            trace: None,
        };
        let source = Source { arn: topic.to_owned(), account };
        fixture.sqs.deliver(&fixture.kit.env, "sns", source, delivery).await.map_err(Problem::from)
    };
    fixture.encrypt("").await;
    assert_eq!(code(&deliver(&topic).await.unwrap_err()), "KmsAccessDenied");
    let statement = format!(
        r#",{{"Effect":"Allow","Principal":{{"Service":"sns.amazonaws.com"}},"Resource":"*",
            "Action":["kms:GenerateDataKey","kms:Decrypt"],
            "Condition":{{"ArnEquals":{{"aws:SourceArn":"{topic}"}}}}}}"#
    );
    fixture.encrypt(&statement).await;
    deliver(&topic).await.unwrap();
    let other = format!("arn:aws:sns:us-east-1:{ACCOUNT}:other");
    assert_eq!(code(&deliver(&other).await.unwrap_err()), "KmsAccessDenied");
    assert_eq!(fixture.bodies().await, ["a"]);
}

#[tokio::test]
async fn a_key_can_demand_the_queue_by_its_encryption_context() {
    let fixture = Fixture::new("q", &[]).await;
    fixture
        .encrypt(&format!(
            r#",{{"Effect":"Deny","Principal":"*","Action":"kms:GenerateDataKey","Resource":"*",
                "Condition":{{"StringNotEquals":{{
                    "kms:EncryptionContext:aws:sqs:arn":"arn:aws:sqs:us-east-1:{ACCOUNT}:q",
                    "kms:ViaService":"sqs.us-east-1.amazonaws.com"}}}}}}"#
        ))
        .await;
    fixture.send("a", None, None).await;
    assert_eq!(fixture.bodies().await, ["a"]);
}
