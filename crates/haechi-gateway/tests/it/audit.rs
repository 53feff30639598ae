//! No answer without a record, and no record missing.

use std::sync::atomic::Ordering;

use haechi_gateway::Limits;
use tokio::io::AsyncWriteExt;
use tokio::sync::Semaphore;

use crate::stage::{Audit, assert_answer, iam, kms, raw, stage, until, with};

#[tokio::test]
async fn allowed_denied_and_unsupported_calls_are_each_one_record() {
    let stage = stage().await;
    stage.kms("ListKeys", "{}").await;
    stage.kms("DescribeKey", r#"{"KeyId":"alias/none"}"#).await;
    stage.iam("Action=CreateDelegationRequest").await;
    let records = stage.audit.records.lock().unwrap().clone();
    let told: Vec<_> =
        records.iter().map(|record| (&record["eventName"], &record["errorCode"])).collect();
    assert_eq!(format!("{told:?}").matches("String").count(), 5, "{told:?}");
    assert_eq!(records.len(), 3);
    assert_eq!(records[2]["errorCode"], "UnsupportedOperation");
    assert_eq!(records[0]["recipientAccountId"], "123456789012");
}

#[tokio::test]
async fn a_log_that_is_not_healthy_refuses_calls_before_they_do_anything() {
    let stage = stage().await;
    stage.audit.unhealthy.store(true, Ordering::SeqCst);
    assert_answer(&stage.kms("CreateKey", "{}").await, 503, &["nothing was done"]);
    stage.audit.unhealthy.store(false, Ordering::SeqCst);
    assert_answer(&stage.kms("ListKeys", "{}").await, 200, &["\"Keys\":[]"]);
}

#[tokio::test]
async fn a_call_whose_record_cannot_be_written_is_not_answered_as_done() {
    let stage = stage().await;
    stage.audit.failing.store(true, Ordering::SeqCst);
    let answer = stage.kms("GenerateRandom", r#"{"NumberOfBytes":8}"#).await;
    assert_answer(&answer, 503, &["ServiceUnavailableException"]);
    assert!(!answer.contains("Plaintext"), "{answer}");
    assert_answer(&stage.iam("Action=ListUsers").await, 503, &["<Code>ServiceUnavailable</Code>"]);
}

fn gated() -> Audit {
    Audit { gate: Some(Semaphore::new(0)), ..Audit::default() }
}

#[tokio::test]
async fn a_call_is_recorded_also_when_its_client_hangs_up_in_the_midst() {
    let stage = with(Limits::default(), gated()).await;
    let request = stage.signed("kms", kms("CreateKey", "{}"));
    let mut stream = stage.connect().await;
    stream.write_all(&raw(&request)).await.unwrap();
    until(|| stage.audit.waiting.load(Ordering::SeqCst)).await;
    drop(stream);
    until(|| stage.gateway.metrics.connections.get() == 0).await;
    stage.audit.gate.as_ref().unwrap().add_permits(1);
    until(|| stage.audit.count() == 1).await;
    assert_eq!(stage.audit.last()["eventName"], "CreateKey");
}

#[tokio::test]
async fn a_stop_waits_for_running_calls_and_for_nothing_else() {
    let stage = with(Limits::default(), gated()).await;
    let idle = stage.connect().await;
    let request = stage.signed("kms", kms("ListKeys", "{}"));
    let mut stream = stage.connect().await;
    stream.write_all(&raw(&request)).await.unwrap();
    until(|| stage.audit.waiting.load(Ordering::SeqCst)).await;
    stage.stop.send(true).unwrap();
    until(|| stage.gateway.metrics.connections.get() == 1).await;
    assert!(!stage.serving.is_finished());
    stage.audit.gate.as_ref().unwrap().add_permits(1);
    assert_answer(&crate::stage::rest(stream).await, 200, &["\"Keys\":[]"]);
    stage.serving.await.unwrap();
    drop(idle);
}

#[tokio::test]
async fn secrets_are_in_no_record() {
    let stage = stage().await;
    let answer = stage.iam("Action=CreateAccessKey").await;
    let (_, rest) = answer.split_once("<SecretAccessKey>").unwrap();
    let (secret, _) = rest.split_once('<').unwrap();
    let record = stage.audit.last().to_string();
    assert!(!record.contains(secret), "{record}");
}

#[tokio::test]
async fn handlers_that_meet_run_again_until_each_is_done() {
    let stage = stage().await;
    assert_answer(&stage.iam("Action=CreateUser&UserName=alice").await, 200, &[]);
    let tag = |number: usize| {
        let form = format!(
            "Action=TagUser&UserName=alice&Tags.member.1.Key=k{number}&Tags.member.1.Value=v"
        );
        raw(&stage.signed("iam", iam(&form)))
    };
    let requests: Vec<Vec<u8>> = (0..6).map(tag).collect();
    let calls = requests.iter().map(|bytes| stage.exchange(bytes));
    for answer in futures(calls).await {
        assert_answer(&answer, 200, &[]);
    }
    let tags = stage.iam("Action=ListUserTags&UserName=alice").await;
    assert_eq!(tags.matches("<Value>v</Value>").count(), 6, "{tags}");
}

/// All of them at once.
async fn futures<F: Future<Output = String>>(calls: impl Iterator<Item = F>) -> Vec<String> {
    let mut calls: Vec<_> = calls.map(|call| (Box::pin(call), None)).collect();
    std::future::poll_fn(|context| {
        let mut ready = true;
        for (call, answer) in &mut calls {
            if answer.is_none() {
                match call.as_mut().poll(context) {
                    std::task::Poll::Ready(text) => *answer = Some(text),
                    std::task::Poll::Pending => ready = false,
                }
            }
        }
        if ready { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    calls.into_iter().filter_map(|(_, answer)| answer).collect()
}
