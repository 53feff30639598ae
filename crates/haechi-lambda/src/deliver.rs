//! Invocations by other services: EventBridge, SNS, Secrets Manager.

use haechi_core::{Batch, Cx, Operation as _, Region, Source};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::Invoke;
use haechi_wire::Fault;

use crate::Lambda;
use crate::event::{Event, PAYLOAD_MAX};
use crate::function::Function;
use crate::invoke::Given;
use crate::reference::Reference;
use crate::words::{no_function, too_large};

/// What a service hands to a function.
pub struct Delivery {
    /// The function's ARN, with or without a qualifier.
    pub function_arn: String,
    /// The event: JSON.
    pub payload: String,
}

impl Lambda {
    /// Invokes a function asynchronously on behalf of `source`, if the function's policy lets
    /// `service` (`events`, `sns`). The event is kept when this returns.
    ///
    /// # Errors
    /// As `Invoke`.
    pub async fn deliver(
        &self,
        service: &str,
        source: Source,
        delivery: Delivery,
    ) -> Result<(), Error> {
        let (cx, _) = self.admitted(service, source, &delivery.function_arn).await?;
        self.enqueue(&cx, delivery.function_arn, delivery.payload).await
    }

    /// Whether a service may invoke a function on behalf of `source`.
    ///
    /// # Errors
    /// As `Invoke`, if it may not.
    pub async fn admits(
        &self,
        service: &str,
        source: Source,
        function_arn: &str,
    ) -> Result<(), Error> {
        self.admitted(service, source, function_arn).await.map(|_| ())
    }

    /// Invokes a function on behalf of `source`, and waits for it. Answers the function's answer, or
    /// in `Err` within, its failure: both JSON.
    ///
    /// # Errors
    /// As `Invoke`.
    pub async fn invoke_and_wait(
        &self,
        service: &str,
        source: Source,
        delivery: Delivery,
    ) -> Result<Result<String, String>, Error> {
        let (cx, function) = self.admitted(service, source, &delivery.function_arn).await?;
        let version = self.drawn(&function).await?;
        let given = Given {
            request_id: cx.request.id.clone(),
            payload: delivery.payload.into(),
            client_context: None,
        };
        let done = self.run(&function, &version, given).await?;
        let text = String::from_utf8_lossy(&done.payload).into_owned();
        Ok(if done.failed { Err(text) } else { Ok(text) })
    }

    async fn admitted(
        &self,
        service: &str,
        source: Source,
        function_arn: &str,
    ) -> Result<(Cx, Function), Error> {
        let missing = || no_function(function_arn);
        let reference = Reference::parse(function_arn).ok_or_else(missing)?;
        let region = Region::parse(&reference.region).ok_or_else(missing)?;
        let cx = Cx::by_service(&self.env, region, service, source, Invoke::SCHEMA).await?;
        let function = self.qualified(&cx, reference, "lambda:InvokeFunction").await?;
        Ok((cx, function))
    }

    /// Keeps an event until the function takes it.
    pub(crate) async fn enqueue(
        &self,
        cx: &Cx,
        function_arn: String,
        payload: String,
    ) -> Result<(), Error> {
        if payload.len() > PAYLOAD_MAX {
            return Err(too_large(PAYLOAD_MAX, "InvokeFunction"));
        }
        let now = self.env.now();
        let event = Event {
            function_arn,
            request_id: cx.request.id.clone(),
            payload,
            begun_ms: now.millis(),
            failures: 0,
            throttled: 0,
        };
        let mut batch = Batch::new();
        batch.schedule(&event.first_job(now)?);
        let kept: Result<(), Fault> = self.database.commit(batch).await;
        kept?;
        self.jobs.wake();
        Ok(())
    }
}
