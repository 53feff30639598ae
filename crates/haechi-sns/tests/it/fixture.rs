//! A topic, and endpoints that take messages or fail as a test wants.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use haechi_core::{Caller, Job, Path, Source};
use haechi_kms::Kms;
use haechi_sns::{CertificateIssuer, Endpoints, HttpMessage, Mail, QueueMessage, Refusal, Sns};
use haechi_sns_model::ops::{
    ConfirmSubscription, CreateTopic, ListSubscriptionsByTopic, Publish, Subscribe,
};
use haechi_sns_model::shapes::{
    ConfirmSubscriptionInput, CreateTopicInput, ListSubscriptionsByTopicInput, PublishInput,
    SubscribeInput,
};
use haechi_testkit::Kit;
use haechi_testkit_kms::RealKeys;
use haechi_wire::{Fault, Problem};

pub const ACCOUNT: &str = "111122223333";
pub const OTHER: &str = "444455556666";

#[derive(Default)]
pub struct Network {
    /// Endpoints and what they got, in order.
    got: Mutex<Vec<(String, String)>>,
    tries: Mutex<Vec<String>>,
    /// How often endpoints whose names end so fail yet.
    failures: Mutex<HashMap<String, usize>>,
    refused: Mutex<Vec<String>>,
}

impl Network {
    fn take(&self, endpoint: &str, body: String) -> Result<(), Refusal> {
        self.tries.lock().unwrap().push(endpoint.to_owned());
        if self.refused.lock().unwrap().iter().any(|end| endpoint.ends_with(end.as_str())) {
            return Err(Refusal::Permanent("no".to_owned()));
        }
        for (end, left) in self.failures.lock().unwrap().iter_mut() {
            if endpoint.ends_with(end.as_str()) && *left > 0 {
                *left -= 1;
                return Err(Refusal::Temporary(Fault::internal("not now")));
            }
        }
        self.got.lock().unwrap().push((endpoint.to_owned(), body));
        Ok(())
    }
}

#[async_trait]
impl Endpoints for Network {
    async fn queue(&self, _: Source, message: QueueMessage) -> Result<(), Refusal> {
        self.take(&message.queue_arn, message.body)
    }

    async fn function(&self, _: Source, arn: &str, event: String) -> Result<(), Refusal> {
        self.take(arn, event)
    }

    async fn http(&self, message: HttpMessage) -> Result<(), Refusal> {
        self.take(&message.url, message.body)
    }

    async fn mail(&self, mail: Mail) -> Result<(), Refusal> {
        self.take(&mail.to, mail.text)
    }

    fn serves(&self, _: &str) -> bool {
        true
    }
}

struct NoAuthority;

#[async_trait]
impl CertificateIssuer for NoAuthority {
    async fn issue(&self, _: &[u8], _: &str) -> Result<String, Fault> {
        Ok("a certificate".to_owned())
    }
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Anything {}
impl haechi_core::Record for Anything {}

pub struct Fixture {
    pub kit: Kit,
    pub sns: Arc<Sns>,
    pub root: Arc<Caller>,
    pub topic: String,
    pub kms: Arc<Kms>,
    network: Arc<Network>,
}

impl Fixture {
    pub async fn new(name: &str) -> Fixture {
        let kit = Kit::new().await;
        let network = Arc::new(Network::default());
        let (database, env) = (Arc::clone(&kit.database), kit.env.clone());
        let keys = RealKeys::new(&kit.database, &kit.env, &kit.jobs);
        let kms = Arc::clone(&keys.0);
        let (to, authority) = (Arc::clone(&network) as _, Arc::new(NoAuthority));
        let sns = Sns::new(database, env, &kit.jobs, Arc::new(keys), to, authority);
        let root = kit.root(ACCOUNT);
        let mut input = CreateTopicInput { name: name.to_owned(), ..Default::default() };
        if name.ends_with(".fifo") {
            let fifo = ["FifoTopic", "ContentBasedDeduplication"];
            let fifo = fifo.map(|name| (name.to_owned(), "true".to_owned()));
            input.attributes = Some(BTreeMap::from(fifo));
        }
        let topic = kit.call::<CreateTopic, _>(&*sns, &root, input).await.unwrap();
        Fixture { kit, sns, root, topic: topic.topic_arn.unwrap(), kms, network }
    }

    async fn subscribe(
        &self,
        caller: &Arc<Caller>,
        (protocol, endpoint): (&str, &str),
        attributes: &[(&str, &str)],
    ) -> Result<String, Problem> {
        let attributes = attributes.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        let input = SubscribeInput {
            topic_arn: self.topic.clone(),
            protocol: protocol.to_owned(),
            endpoint: Some(endpoint.to_owned()),
            attributes: Some(attributes.collect()),
            return_subscription_arn: None,
        };
        let answer = self.kit.call::<Subscribe, _>(&*self.sns, caller, input).await?;
        Ok(answer.subscription_arn.unwrap())
    }

    pub async fn subscribe_as(
        &self,
        caller: &Arc<Caller>,
        protocol: &str,
        endpoint: &str,
    ) -> Result<String, Problem> {
        self.subscribe(caller, (protocol, endpoint), &[]).await
    }

    pub async fn subscribe_queue(&self, name: &str, attributes: &[(&str, &str)]) -> String {
        let arn = format!("arn:aws:sqs:us-east-1:{ACCOUNT}:{name}");
        self.subscribe(&self.root, ("sqs", &arn), attributes).await.unwrap()
    }

    /// A pending subscription of `https://localhost/hook`: its token, and what its endpoint got.
    pub async fn ask_http(&self) -> (String, String) {
        self.ask_http_with(&[]).await
    }

    async fn ask_http_with(&self, attributes: &[(&str, &str)]) -> (String, String) {
        let endpoint = ("https", "https://localhost/hook");
        self.subscribe(&self.root, endpoint, attributes).await.unwrap();
        self.run().await;
        let (_, body) = self.network.got.lock().unwrap().pop().unwrap();
        let asked: serde_json::Value = serde_json::from_str(&body).unwrap();
        (asked["Token"].as_str().unwrap().to_owned(), body)
    }

    /// A confirmed subscription of `https://localhost/hook`.
    pub async fn subscribe_http(&self, attributes: &[(&str, &str)]) {
        let (token, _) = self.ask_http_with(attributes).await;
        self.network.tries.lock().unwrap().clear();
        let input = ConfirmSubscriptionInput {
            topic_arn: self.topic.clone(),
            token,
            authenticate_on_unsubscribe: None,
        };
        let call = self.kit.call::<ConfirmSubscription, _>(&*self.sns, &self.root, input);
        call.await.unwrap();
    }

    pub async fn publish(&self, message: &str) {
        let input = PublishInput {
            topic_arn: Some(self.topic.clone()),
            message: message.to_owned(),
            ..Default::default()
        };
        self.kit.call::<Publish, _>(&*self.sns, &self.root, input).await.unwrap();
    }

    pub async fn publish_in(&self, group: &str, message: &str) {
        let input = PublishInput {
            topic_arn: Some(self.topic.clone()),
            message: message.to_owned(),
            message_group_id: Some(group.to_owned()),
            ..Default::default()
        };
        self.kit.call::<Publish, _>(&*self.sns, &self.root, input).await.unwrap();
    }

    /// Runs what is due; what a clock that stands still puts a millisecond off comes with the next
    /// second.
    pub async fn run(&self) {
        self.kit.jobs.run_due().await.unwrap();
    }

    pub fn fail(&self, end: &str, times: usize) {
        self.network.failures.lock().unwrap().insert(end.to_owned(), times);
    }

    pub fn refuse(&self, end: &str) {
        self.network.refused.lock().unwrap().push(end.to_owned());
    }

    pub fn got(&self) -> Vec<(String, String)> {
        self.network.got.lock().unwrap().clone()
    }

    pub fn tries(&self, end: &str) -> usize {
        let tries = self.network.tries.lock().unwrap();
        tries.iter().filter(|endpoint| endpoint.ends_with(end)).count()
    }

    pub async fn listed(&self) -> Vec<String> {
        let input =
            ListSubscriptionsByTopicInput { topic_arn: self.topic.clone(), next_token: None };
        let call = self.kit.call::<ListSubscriptionsByTopic, _>(&*self.sns, &self.root, input);
        let listed = call.await.unwrap().subscriptions.unwrap();
        listed.into_iter().map(|row| row.subscription_arn.unwrap()).collect()
    }

    pub async fn jobs(&self) -> usize {
        let jobs = self.kit.database.list::<Job>(&Path::new("jobs"), None, 1000).await.unwrap();
        jobs.items.len()
    }

    async fn count(&self, prefix: Path) -> usize {
        // Any record will do: what does not read as one fails the test.
        let page = self.kit.database.list::<Anything>(&prefix, None, 1000).await.unwrap();
        page.items.len()
    }

    pub async fn waiting_rows(&self) -> usize {
        self.count(Path::new("sns-fifo")).await
    }

    /// Rows of the service, but for the topic's own.
    pub async fn rows(&self) -> usize {
        let mut rows = self.waiting_rows().await;
        for account in [ACCOUNT, OTHER] {
            let scope = Path::new("sns").part(account).part("us-east-1");
            for kind in ["subscription", "endpoint", "elsewhere"] {
                rows += self.count(scope.clone().part(kind)).await;
            }
        }
        rows
    }
}
