//! Who may move dead letters, and where to.

use std::collections::BTreeMap;
use std::sync::Arc;

use haechi_core::{Caller, Job, Path, Router};
use haechi_kms::Kms;
use haechi_sqs::Sqs;
use haechi_sqs_model::ops::{
    CancelMessageMoveTask, CreateQueue, DeleteQueue, ListMessageMoveTasks, ReceiveMessage,
    SendMessage, SetQueueAttributes, StartMessageMoveTask,
};
use haechi_sqs_model::shapes::{
    CancelMessageMoveTaskRequest, CreateQueueRequest, DeleteQueueRequest,
    ListMessageMoveTasksRequest, ListMessageMoveTasksResultEntry, ReceiveMessageRequest,
    SendMessageRequest, SetQueueAttributesRequest, StartMessageMoveTaskRequest,
};
use haechi_testkit::{Kit, told};
use haechi_wire::Problem;

use super::{ACCOUNT, Fixture};

const MOVES: [&str; 3] =
    ["sqs:StartMessageMoveTask", "sqs:CancelMessageMoveTask", "sqs:ListMessageMoveTasks"];
const TAKES: [&str; 3] = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];

fn arn(name: &str) -> String {
    format!("arn:aws:sqs:us-east-1:{ACCOUNT}:{name}")
}

fn url(name: &str) -> String {
    format!("http://localhost:4566/{ACCOUNT}/{name}")
}

fn code<T>(outcome: Result<T, Problem>) -> &'static str {
    outcome.map_or_else(|problem| told(&problem).0, |_| "done")
}

/// A policy that allows some actions and denies one on a queue.
fn policy(allowed: &[&str], denied: &str, queue: &str) -> String {
    let allowed = allowed.join("\",\"");
    format!(
        r#"{{"Version":"2012-10-17","Statement":[
        {{"Effect":"Allow","Action":["{allowed}"],"Resource":"*"}},
        {{"Effect":"Deny","Action":"{denied}","Resource":"{}"}}]}}"#,
        arn(queue)
    )
}

/// The queues `src` and `late`, whose dead letters go to `dead`, and `mine`.
struct Queues {
    kit: Kit,
    _kms: Arc<Kms>,
    sqs: Arc<Sqs>,
    root: Arc<Caller>,
}

impl Queues {
    async fn new() -> Queues {
        let Fixture { kit, kms, sqs, root, .. } = Fixture::new("dead", &[]).await;
        let sqs = Arc::new(sqs);
        sqs.mount(&mut Router::default());
        let queues = Queues { kit, _kms: kms, sqs, root };
        queues.create("mine", false).await;
        queues.create("src", true).await;
        queues
    }

    async fn create(&self, name: &str, has_dead_letters: bool) {
        let redrive = format!(r#"{{"deadLetterTargetArn":"{}","maxReceiveCount":1}}"#, arn("dead"));
        let attributes = BTreeMap::from([("RedrivePolicy".to_owned(), redrive)]);
        let input = CreateQueueRequest {
            queue_name: name.to_owned(),
            attributes: has_dead_letters.then_some(attributes),
            ..Default::default()
        };
        self.kit.call::<CreateQueue, _>(&*self.sqs, &self.root, input).await.unwrap();
    }

    async fn delete(&self, name: &str) {
        let input = DeleteQueueRequest { queue_url: url(name) };
        self.kit.call::<DeleteQueue, _>(&*self.sqs, &self.root, input).await.unwrap();
    }

    async fn set(&self, name: &str, attribute: &str, value: &str) {
        let attributes = BTreeMap::from([(attribute.to_owned(), value.to_owned())]);
        let input = SetQueueAttributesRequest { queue_url: url(name), attributes };
        self.kit.call::<SetQueueAttributes, _>(&*self.sqs, &self.root, input).await.unwrap();
    }

    async fn send(&self, name: &str) {
        let input = SendMessageRequest {
            queue_url: url(name),
            message_body: format!("of {name}"),
            ..Default::default()
        };
        self.kit.call::<SendMessage, _>(&*self.sqs, &self.root, input).await.unwrap();
    }

    async fn receive(&self, name: &str) -> Vec<String> {
        let input = ReceiveMessageRequest {
            queue_url: url(name),
            max_number_of_messages: Some(10),
            visibility_timeout: Some(0),
            ..Default::default()
        };
        let answer = self.kit.call::<ReceiveMessage, _>(&*self.sqs, &self.root, input).await;
        let messages = answer.unwrap().messages.unwrap_or_default();
        messages.into_iter().map(|message| message.body.unwrap()).collect()
    }

    /// A message that was received too often.
    async fn die(&self, name: &str) {
        self.send(name).await;
        assert_eq!(self.receive(name).await.len(), 1);
        assert!(self.receive(name).await.is_empty());
    }

    async fn start(&self, caller: &Arc<Caller>, to: Option<&str>) -> Result<String, Problem> {
        let input = StartMessageMoveTaskRequest {
            source_arn: arn("dead"),
            destination_arn: to.map(arn),
            ..Default::default()
        };
        let answer = self.kit.call::<StartMessageMoveTask, _>(&*self.sqs, caller, input).await?;
        Ok(answer.task_handle.unwrap())
    }

    async fn cancel(&self, caller: &Arc<Caller>, task_handle: &str) -> &'static str {
        let input = CancelMessageMoveTaskRequest { task_handle: task_handle.to_owned() };
        code(self.kit.call::<CancelMessageMoveTask, _>(&*self.sqs, caller, input).await)
    }

    async fn list(
        &self,
        caller: &Arc<Caller>,
    ) -> Result<Vec<ListMessageMoveTasksResultEntry>, Problem> {
        let input = ListMessageMoveTasksRequest { source_arn: arn("dead"), max_results: None };
        let answer = self.kit.call::<ListMessageMoveTasks, _>(&*self.sqs, caller, input).await?;
        Ok(answer.results.unwrap())
    }

    /// How the newest task ended, and why.
    async fn ended(&self) -> (String, Option<String>) {
        for _ in 0..5 {
            self.kit.jobs.run_due().await.unwrap();
            self.kit.clock.advance(1);
        }
        let task = self.list(&self.root).await.unwrap().remove(0);
        (task.status.unwrap(), task.failure_reason)
    }
}

#[tokio::test]
async fn dead_letters_are_moved_by_whom_all_that_it_takes_is_allowed() {
    let queues = Queues::new().await;
    queues.die("src").await;
    let all = [&MOVES[..], &TAKES[..], &["sqs:SendMessage"]].concat();
    for denied in TAKES {
        let user = queues.kit.user(ACCOUNT, "u", &[&policy(&all, denied, "dead")]);
        for to in [Some("mine"), None] {
            let started = queues.start(&user, to).await;
            assert_eq!(code(started), "AccessDeniedException", "{denied}");
        }
    }
    for (denied, to) in [("mine", Some("mine")), ("src", None)] {
        let user = queues.kit.user(ACCOUNT, "u", &[&policy(&all, "sqs:SendMessage", denied)]);
        assert_eq!(code(queues.start(&user, to).await), "AccessDeniedException", "{denied}");
    }
    let user = queues.kit.user(ACCOUNT, "u", &[&policy(&MOVES, "sqs:SendMessage", "src")]);
    assert_eq!(code(queues.start(&user, Some("mine")).await), "AccessDeniedException");
    assert!(queues.list(&queues.root).await.unwrap().is_empty());
    // What is done with other queues is not asked.
    let user = queues.kit.user(ACCOUNT, "u", &[&policy(&all, "sqs:SendMessage", "src")]);
    queues.start(&user, Some("mine")).await.unwrap();
    assert_eq!(queues.ended().await, ("COMPLETED".to_owned(), None));
    assert_eq!(queues.receive("mine").await, ["of src"]);
}

#[tokio::test]
async fn the_policies_of_the_queues_have_their_say_in_what_is_moved() {
    let queues = Queues::new().await;
    queues.die("src").await;
    let denying = |action: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Deny","Principal":"*",
            "Action":"{action}","Resource":"*"}}]}}"#
        )
    };
    for (queue, action) in [("dead", TAKES[0]), ("dead", TAKES[1]), ("src", "sqs:SendMessage")] {
        queues.set(queue, "Policy", &denying(action)).await;
        let started = queues.start(&queues.root, None).await;
        assert_eq!(code(started), "AccessDeniedException", "{queue}");
        queues.set(queue, "Policy", "").await;
    }
    queues.start(&queues.root, None).await.unwrap();
    assert_eq!(queues.ended().await, ("COMPLETED".to_owned(), None));
    assert_eq!(queues.receive("src").await, ["of src"]);
}

#[tokio::test]
async fn tasks_are_seen_and_cancelled_by_whom_all_that_it_takes_is_allowed() {
    let queues = Queues::new().await;
    queues.die("src").await;
    let handle = queues.start(&queues.root, None).await.unwrap();
    let all = [&MOVES[..], &TAKES[..]].concat();
    for denied in TAKES {
        let user = queues.kit.user(ACCOUNT, "u", &[&policy(&all, denied, "dead")]);
        assert_eq!(queues.cancel(&user, &handle).await, "AccessDeniedException", "{denied}");
        let sees = denied != "sqs:GetQueueAttributes";
        let listed = code(queues.list(&user).await);
        assert_eq!(listed, if sees { "done" } else { "AccessDeniedException" });
    }
    let user = queues.kit.user(ACCOUNT, "u", &[&policy(&all, "sqs:SendMessage", "dead")]);
    assert_eq!(queues.cancel(&user, &handle).await, "done");
}

#[tokio::test]
async fn dead_letters_go_back_to_no_queue_but_those_that_were_decided_upon() {
    let queues = Queues::new().await;
    queues.create("late", true).await;
    queues.die("src").await;
    queues.die("late").await;
    // Its dead letters stay where they are, and it is none of the sources.
    queues.set("late", "RedrivePolicy", "").await;
    let all = [&MOVES[..], &TAKES[..], &["sqs:SendMessage"]].concat();
    let user = queues.kit.user(ACCOUNT, "u", &[&policy(&all, "sqs:SendMessage", "late")]);
    queues.start(&user, None).await.unwrap();
    let undecided = ("FAILED".to_owned(), Some("CouldNotDetermineMessageSource".to_owned()));
    assert_eq!(queues.ended().await, undecided);
    assert_eq!(queues.receive("src").await, ["of src"]);
    assert!(queues.receive("late").await.is_empty());
    // Nor to a later queue of the same name.
    queues.start(&user, Some("mine")).await.unwrap();
    queues.delete("mine").await;
    queues.create("mine", false).await;
    let gone = ("FAILED".to_owned(), Some("AWS.SimpleQueueService.NonExistentQueue".to_owned()));
    assert_eq!(queues.ended().await, gone);
    assert!(queues.receive("mine").await.is_empty());
    assert_eq!(queues.receive("dead").await, ["of late"]);
}

#[tokio::test]
async fn messages_are_moved_as_fast_as_asked_for() {
    let queues = Queues::new().await;
    for _ in 0..40 {
        queues.send("dead").await;
    }
    let input = StartMessageMoveTaskRequest {
        source_arn: arn("dead"),
        destination_arn: Some(arn("mine")),
        max_number_of_messages_per_second: Some(500),
    };
    let (kit, sqs) = (&queues.kit, &*queues.sqs);
    kit.call::<StartMessageMoveTask, _>(sqs, &queues.root, input).await.unwrap();
    kit.jobs.run_due().await.unwrap();
    let moved = queues.list(&queues.root).await.unwrap().remove(0);
    assert!(moved.approximate_number_of_messages_moved >= Some(20));
    let jobs = kit.database.list::<Job>(&Path::new("jobs"), None, 10).await.unwrap();
    // Twenty go at a time: the next ones after a twenty-fifth of a second.
    let soon = kit.env.now().millis() + 40;
    let mut tasks = jobs.items.iter().filter(|job| job.value.kind == "sqs-move");
    assert!(tasks.all(|job| job.value.due_ms <= soon));
}
