//! Rotation by a function of a user's: it changes secret and target itself, step by step.
//!
//! The events are those of AWS's templates: `{"Step", "SecretId", "ClientRequestToken"}`. The step
//! that comes next is committed before it is called, so that after a crash the function is called
//! again with it; templates take a step that was done before for done.
//!
//! Source: User Guide, "Rotation by Lambda function", "Lambda rotation functions"; AWS's templates.

use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use haechi_core::{AccountId, Batch, Claim, Source};
use haechi_wire::Fault;

use super::{RotatingRow, RotationError, rotating_path};
use crate::SecretsManager;
use crate::draft::Draft;
use crate::rotation::{Running, Step};
use crate::secret::{CURRENT, SecretRecord};

/// Calls functions; Lambda, wired by the binary.
#[async_trait]
pub trait RotationFunctions: Send + Sync + 'static {
    /// Whether Secrets Manager may call a function on behalf of a secret.
    ///
    /// # Errors
    /// If the store fails.
    async fn admits(&self, secret: Source, function_arn: &str) -> Result<bool, Fault>;

    /// Calls it and waits for it.
    ///
    /// # Errors
    /// If it cannot be called, or fails.
    async fn call(
        &self,
        secret: Source,
        function_arn: &str,
        event: String,
    ) -> Result<(), RotationError>;
}

impl Step {
    /// As events name it.
    fn name(self) -> &'static str {
        match self {
            Step::Create => "createSecret",
            Step::Set => "setSecret",
            Step::Test | Step::Probe => "testSecret",
            Step::Finish => "finishSecret",
        }
    }

    /// What comes after it.
    fn next(self) -> Option<Step> {
        match self {
            Step::Create => Some(Step::Set),
            Step::Set => Some(Step::Test),
            Step::Test => Some(Step::Finish),
            Step::Finish | Step::Probe => None,
        }
    }
}

fn source(arn: &str, account: &str) -> Result<Source, Fault> {
    let account =
        AccountId::parse(account).ok_or_else(|| Fault::internal("a secret of no account"))?;
    Ok(Source { arn: arn.to_owned(), account })
}

impl SecretsManager {
    /// Whether Secrets Manager may call a function for a secret.
    pub(crate) async fn admitted(
        &self,
        arn: &str,
        account: &str,
        function_arn: &str,
    ) -> Result<bool, Fault> {
        match self.functions.get() {
            Some(functions) => functions.admits(source(arn, account)?, function_arn).await,
            None => Ok(false),
        }
    }

    /// Goes on with a rotation by a function in a task of its own, unless one does already.
    pub(super) fn call_apart(self: &Arc<Self>, row: RotatingRow, claim: Claim) {
        let is_new = {
            let mut calling = self.calling.lock().unwrap_or_else(PoisonError::into_inner);
            calling.insert(row.key.clone())
        };
        if !is_new {
            return;
        }
        let service = Arc::clone(self);
        tokio::spawn(async move {
            let done = claim.hold(service.go_on(&row, &claim)).await;
            if let Err(error) = done {
                tracing::error!(?error, "a rotation cannot go on; trying again");
            }
            let mut calling = service.calling.lock().unwrap_or_else(PoisonError::into_inner);
            calling.remove(&row.key);
            drop(calling);
            service.jobs.wake();
        });
    }

    /// One step of a function; answers whether another follows.
    pub(super) async fn function_step(
        &self,
        row: &RotatingRow,
        draft: Draft,
        running: &Running,
    ) -> Result<bool, Fault> {
        let called = self.call(draft.record(), running).await;
        // The function itself has written to the secret.
        let Some(mut draft) = self.draft_at(&row.account, &row.region, &row.key).await? else {
            return Ok(false);
        };
        let mut batch = Batch::new();
        let now = self.env.now();
        let stands = draft.record().rotation.as_ref().and_then(|one| one.running.as_ref());
        if stands != Some(running) {
            // Cancelled, or ordered anew.
            return Ok(stands.is_some());
        }
        let token = &running.token;
        let is_current =
            draft.record().labelled(CURRENT) == Some(token) && draft.record().has_value(token);
        let outcome = match (running.step, called) {
            (Step::Probe, outcome) => {
                self.end_probe(&mut draft, token, outcome.err().as_ref(), &mut batch)?;
                Ok(())
            }
            (_, Err(error)) => Err(error),
            (Step::Finish, Ok(())) if !is_current => Err(RotationError(
                "The function has finished, and AWSCURRENT is not at the new version.".to_owned(),
            )),
            (Step::Finish, Ok(())) => Ok(self.succeed(&mut draft, token, now, &mut batch)?),
            (step, Ok(())) => {
                let rotation = draft.change().rotation.as_mut();
                if let (Some(next), Some(running)) =
                    (step.next(), rotation.and_then(|rotation| rotation.running.as_mut()))
                {
                    running.step = next;
                }
                Ok(())
            }
        };
        if let Err(error) = &outcome {
            self.give_up(&mut draft, token, error, &mut batch)?;
        }
        draft.write(&mut batch);
        self.database.commit(batch).await?;
        Ok(outcome.is_ok() && running.step.next().is_some())
    }

    async fn call(&self, record: &SecretRecord, running: &Running) -> Result<(), RotationError> {
        let arn = record.rotation.as_ref().map_or("", |rotation| rotation.lambda_arn.as_str());
        let event = serde_json::json!({
            "Step": running.step.name(),
            "SecretId": record.arn,
            "ClientRequestToken": running.token,
        });
        let functions = self.functions.get();
        let functions =
            functions.ok_or_else(|| RotationError("There are no functions here.".to_owned()))?;
        functions.call(source(&record.arn, &record.account)?, arn, event.to_string()).await
    }

    /// Ends a try of the function alone: what was prepared for it goes.
    fn end_probe(
        &self,
        draft: &mut Draft,
        token: &str,
        error: Option<&RotationError>,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        let now = self.env.now();
        let record = draft.change();
        record.unreserve(token);
        if let Some(rotation) = &mut record.rotation {
            rotation.running = None;
        }
        let name = if error.is_some() { "TestRotationFailed" } else { "TestRotationSucceeded" };
        let text = error.map(|error| error.0.as_str());
        record.tell_rotation((&self.env, now), name, token, text, batch)?;
        batch.delete(rotating_path(record));
        Ok(())
    }
}
