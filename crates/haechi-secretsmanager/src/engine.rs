//! The four steps of a rotation, between which a crash may come.
//!
//! ```text
//! RotatingRow ─► Create: a new value, as AWSPENDING          ─ committed
//!                Set:    the target takes it                  ┐ each can be done again: what was
//!                Test:   the target lets it in                │ done before a crash is found done
//!                Finish: AWSCURRENT moves to it               ┘ committed, and the row goes
//! ```
//! The labels move right after the target has taken the value, so that for one user there is the
//! least time in which the secret says the old password. A failure is told by an event and tried
//! again later, by the same version.
//!
//! Nobody calls, so KMS is asked by the account's service-linked role,
//! `AWSServiceRoleForSecretsManager`, through this service.
//!
//! Source: User Guide, "Rotation by Lambda function"; AWS's rotation templates (the steps).

mod credentials;
mod function;
mod service;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use haechi_core::database::Unknown;
use haechi_core::{Batch, Claim, Cx, Path, Record};
use haechi_secretsmanager_model::Error;
use haechi_wire::{Fault, Problem, SecretString, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use crate::draft::Draft;
use crate::password::{Recipe, generate};
use crate::rotation::{Step, built_in};
use crate::secret::{CURRENT, PENDING, PREVIOUS, SecretRecord};
use crate::value::Plain;
use crate::{SecretsManager, words};

pub use credentials::Credentials;
pub use function::RotationFunctions;

/// How long a target may take for a step.
const STEP_MAX: Duration = Duration::from_secs(20);

/// How often the engine looks, should it have missed a call.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Rotations that one node goes on with at once.
const AT_ONCE_MAX: usize = 64;

/// How often a step is decided anew when somebody else writes to the secret.
const ATTEMPTS: usize = 8;

/// What a rotator works on.
pub struct Target {
    /// The secret's ARN.
    pub secret_arn: String,
    /// The id of the version that is pending.
    pub version_id: String,
    /// What `AWSCURRENT` says.
    pub current: Credentials,
    /// What is to be.
    pub pending: Credentials,
    /// What `AWSPREVIOUS` says.
    pub previous: Option<Credentials>,
    /// What the secret under `masterarn` says.
    pub master: Option<Credentials>,
}

/// Why a rotation did not come about. No secret is in the text.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RotationError(pub String);

/// Rotates the credentials of a kind of target.
#[async_trait]
pub trait Rotator: Send + Sync + 'static {
    /// The credentials that are to be, from those that are and a new password.
    ///
    /// # Errors
    /// If the secret lacks what the target needs.
    fn propose(
        &self,
        current: &Credentials,
        password: SecretString,
    ) -> Result<Credentials, RotationError>;

    /// Makes the target take what is pending. Done again, it finds it done.
    ///
    /// # Errors
    /// If the target refuses, or cannot be reached.
    async fn set(&self, target: &Target) -> Result<(), RotationError>;

    /// Logs in with what is pending.
    ///
    /// # Errors
    /// If the target refuses, or cannot be reached.
    async fn test(&self, target: &Target) -> Result<(), RotationError>;
}

/// A rotation that is under way; the secret says how far it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RotatingRow {
    account: String,
    region: String,
    key: String,
    /// Whether a function of a user's rotates it.
    #[serde(default)]
    pub(crate) function: bool,
    /// Fields of the future.
    #[serde(flatten)]
    unknown: Unknown,
}

impl Record for RotatingRow {}

impl RotatingRow {
    pub(crate) fn of(record: &SecretRecord) -> RotatingRow {
        RotatingRow {
            account: record.account.clone(),
            region: record.region.clone(),
            key: record.key.clone(),
            function: record.is_rotated_by_function(),
            unknown: Unknown::new(),
        }
    }
}

/// Where a rotation under way is noted.
pub(crate) fn rotating_path(record: &SecretRecord) -> Path {
    let path = Path::new("secretsmanager-rotating").part(&record.account);
    path.part(&record.region).part(&record.key)
}

impl From<Error> for RotationError {
    fn from(error: Error) -> Self {
        RotationError(Problem::from(error).message())
    }
}

impl From<Fault> for RotationError {
    fn from(fault: Fault) -> Self {
        tracing::debug!(error = ?fault, "while rotating");
        RotationError(fault.to_string())
    }
}

impl SecretsManager {
    /// Goes on with all rotations that are under way, until they are done or have failed for now.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn rotate_all(self: &Arc<Self>) -> Result<(), Fault> {
        let _one = self.rotating.lock().await;
        let path = Path::new("secretsmanager-rotating");
        let rows = self.database.list_all::<RotatingRow>(&path).await?;
        let mut rounds = JoinSet::new();
        for row in rows {
            if rounds.len() == AT_ONCE_MAX {
                break;
            }
            // Another node goes on with the others.
            let claim = self.jobs.ownership().claim("secretsmanager-rotating", &row.value.key);
            let Some(claim) = claim else { continue };
            let service = Arc::clone(self);
            if row.value.function {
                // However long the function takes, the others go on.
                self.call_apart(row.value, claim);
                continue;
            }
            rounds.spawn(async move { claim.hold(service.go_on(&row.value, &claim)).await });
        }
        while let Some(round) = rounds.join_next().await {
            round.map_err(Fault::internal)??;
        }
        self.jobs.wake();
        Ok(())
    }

    /// Rotates as rotations begin, for ever; first what a crash cut off.
    pub async fn rotate_forever(self: &Arc<Self>) {
        let mut moves = self.jobs.ownership().moves();
        loop {
            if let Err(fault) = self.rotate_all().await {
                tracing::error!(error = ?fault, "rotations cannot go on; trying again");
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = self.rotate.notified() => {}
                // Those of a node that has gone.
                _ = moves.changed() => {}
            }
        }
    }

    async fn go_on(&self, row: &RotatingRow, claim: &Claim) -> Result<(), Fault> {
        let mut conflicts = 0;
        while claim.stands() {
            match self.step(row).await {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(Fault::Conflict) if conflicts < ATTEMPTS => conflicts += 1,
                Err(fault) => return Err(fault),
            }
        }
        Ok(())
    }

    /// One step; answers whether another follows.
    async fn step(&self, row: &RotatingRow) -> Result<bool, Fault> {
        let Some(mut draft) = self.draft_at(&row.account, &row.region, &row.key).await? else {
            return Ok(false);
        };
        let rotation = draft.record().rotation.clone();
        let Some(running) = rotation.as_ref().and_then(|rotation| rotation.running.clone()) else {
            let mut batch = Batch::new();
            batch.delete(rotating_path(draft.record()));
            self.database.commit(batch).await?;
            return Ok(false);
        };
        if draft.record().is_rotated_by_function() {
            return self.function_step(row, draft, &running).await;
        }
        let cx = self.service_cx(draft.record()).await?;
        let mut batch = Batch::new();
        let outcome = match running.step {
            Step::Create => self.create(&cx, &mut draft, &running.token, &mut batch).await,
            _ => self.set_and_finish(&cx, &mut draft, &running.token, &mut batch).await,
        };
        self.keys.record(&cx).await?;
        let more = match outcome {
            Ok(()) => running.step == Step::Create,
            Err(error) => {
                // What was prepared is not to be.
                batch = Batch::new();
                let Some(fresh) = self.draft_at(&row.account, &row.region, &row.key).await? else {
                    return Ok(false);
                };
                draft = fresh;
                self.give_up(&mut draft, &running.token, &error, &mut batch)?;
                false
            }
        };
        draft.write(&mut batch);
        self.database.commit(batch).await?;
        Ok(more)
    }

    fn rotator(&self, record: &SecretRecord) -> Result<&Arc<dyn Rotator>, RotationError> {
        let arn = record.rotation.as_ref().map_or("", |rotation| rotation.lambda_arn.as_str());
        let name = built_in(arn, &record.region, &record.account);
        name.and_then(|name| self.rotators.get(name))
            .ok_or_else(|| RotationError(format!("There is no built-in rotator {arn}.")))
    }

    /// createSecret.
    async fn create(
        &self,
        cx: &Cx,
        draft: &mut Draft,
        token: &str,
        batch: &mut Batch,
    ) -> Result<(), RotationError> {
        let rotator = self.rotator(draft.record())?;
        if !draft.record().versions.contains_key(token) {
            let current = self.credentials(cx, draft.record(), CURRENT).await?;
            let recipe = Recipe::for_rotation();
            let password = generate(cx, &recipe)?;
            let pending = rotator.propose(&current, password)?;
            let plain = Plain::Text(pending.json());
            let stages = BTreeSet::from([PENDING.to_owned()]);
            self.add_version(cx, draft, token, &plain, &stages, batch).await?;
        }
        let running =
            draft.change().rotation.as_mut().and_then(|rotation| rotation.running.as_mut());
        if let Some(running) = running {
            running.step = Step::Set;
        }
        Ok(())
    }

    /// setSecret, testSecret, finishSecret.
    async fn set_and_finish(
        &self,
        cx: &Cx,
        draft: &mut Draft,
        token: &str,
        batch: &mut Batch,
    ) -> Result<(), RotationError> {
        let rotator = self.rotator(draft.record())?;
        let record = draft.record();
        let current = self.credentials(cx, record, CURRENT).await?;
        let pending = self.version_credentials(cx, record, token).await?;
        let previous = match record.labelled(PREVIOUS) {
            Some(_) => Some(self.credentials(cx, record, PREVIOUS).await?),
            None => None,
        };
        let master = match pending.text("masterarn") {
            Some(arn) => Some(self.master(cx, record, arn).await?),
            None => None,
        };
        let (secret_arn, version_id) = (record.arn.clone(), token.to_owned());
        let target = Target { secret_arn, version_id, current, pending, previous, master };
        self.database.still_claimed().await?;
        timed(rotator.set(&target)).await?;
        timed(rotator.test(&target)).await?;
        let stages = BTreeSet::from([CURRENT.to_owned()]);
        draft.change().attach(token, &stages)?;
        Ok(self.succeed(draft, token, cx.now(), batch)?)
    }

    /// Ends a rotation whose version is the current one.
    fn succeed(
        &self,
        draft: &mut Draft,
        token: &str,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        let changed = draft.change();
        changed.detach(PENDING);
        changed.changed_ms = now.millis();
        if let Some(rotation) = &mut changed.rotation {
            rotation.running = None;
            rotation.failures = 0;
            rotation.last_ms = Some(now.millis());
            rotation.plan(now, now);
        }
        changed.tell_rotation((&self.env, now), "RotationSucceeded", token, None, batch)?;
        if let Some(job) = changed.rotation_job() {
            batch.schedule(&job);
        }
        batch.delete(rotating_path(changed));
        tracing::info!(secret = changed.arn, "rotated");
        Ok(())
    }

    /// Ends this try; the next one goes on with the same version.
    fn give_up(
        &self,
        draft: &mut Draft,
        token: &str,
        error: &RotationError,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        let now = self.env.now();
        let record = draft.change();
        tracing::warn!(secret = record.arn, %error, "a rotation failed; it will be tried again");
        if let Some(rotation) = &mut record.rotation {
            rotation.running = None;
            rotation.put_off(now);
        }
        let text = Some(error.0.as_str());
        record.tell_rotation((&self.env, now), "RotationFailed", token, text, batch)?;
        if let Some(job) = record.rotation_job() {
            batch.schedule(&job);
        }
        batch.delete(rotating_path(record));
        Ok(())
    }

    async fn credentials(
        &self,
        cx: &Cx,
        record: &SecretRecord,
        stage: &str,
    ) -> Result<Credentials, RotationError> {
        let Some(version) = record.labelled(stage) else {
            return Err(words::no_value("staging label", stage).into());
        };
        self.version_credentials(cx, record, version).await
    }

    async fn version_credentials(
        &self,
        cx: &Cx,
        record: &SecretRecord,
        version: &str,
    ) -> Result<Credentials, RotationError> {
        Credentials::parse(self.open(cx, record, version).await?.bytes())
    }

    /// The credentials of the superuser's secret, of the same account and Region.
    async fn master(
        &self,
        cx: &Cx,
        record: &SecretRecord,
        arn: &str,
    ) -> Result<Credentials, RotationError> {
        let wrong = || RotationError(format!("masterarn {arn} is no secret of this account here."));
        let id = crate::name::SecretId::parse(cx, arn).map_err(|_| wrong())?;
        if id.account != record.account {
            return Err(wrong());
        }
        let found = self.key_by_name(&id.account, &record.region, &id.name).await?;
        let row = found.ok_or_else(wrong)?;
        let secret = self.ready(&id.account, &record.region, &row.key).await?.ok_or_else(wrong)?;
        self.credentials(cx, &secret.record, CURRENT).await
    }
}

async fn timed(step: impl Future<Output = Result<(), RotationError>>) -> Result<(), RotationError> {
    match tokio::time::timeout(STEP_MAX, step).await {
        Ok(done) => done,
        Err(_) => Err(RotationError(format!(
            "The target did not answer within {} seconds.",
            STEP_MAX.as_secs()
        ))),
    }
}
