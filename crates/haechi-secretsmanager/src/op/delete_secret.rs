//! `DeleteSecret`.

use haechi_core::{Batch, Cx, Handle};
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::ops::DeleteSecret;
use haechi_secretsmanager_model::shapes::{DeleteSecretRequest, DeleteSecretResponse};
use haechi_wire::Timestamp;

use crate::authz::{Facts, admit};
use crate::deletion::forget_values;
use crate::events::{DELETION_ENDED, DELETION_STARTED};
use crate::name::{self, SecretId};
use crate::secret::SecretRecord;
use crate::{SecretsManager, words};

/// Days until a secret is gone, if the request does not say.
const WINDOW_DAYS: i64 = 30;

impl Handle<DeleteSecret> for SecretsManager {
    async fn handle(
        &self,
        cx: &Cx,
        input: DeleteSecretRequest,
    ) -> Result<DeleteSecretResponse, Error> {
        let (window, force) = (input.recovery_window_in_days, input.force_delete_without_recovery);
        let days = window_days(window, force)?;
        let found = match self.draft(cx, &input.secret_id).await {
            // By force, a secret that is not there is as good as deleted.
            Err(Error::ResourceNotFoundException(_)) if force == Some(true) => {
                return as_if_deleted(cx, &input.secret_id);
            }
            found => found?,
        };
        let facts = Facts::default()
            .with("recoverywindowindays", window)
            .with("forcedeletewithoutrecovery", force);
        let (mut draft, permit) = admit(cx, found, facts)?;
        let record = draft.record();
        record.owned_by_caller(cx)?;
        alone(record)?;
        let mut batch = Batch::new();
        let deletion = match days {
            None => {
                forget_values(&self.database, draft.loaded()).await?;
                draft.remove(&permit, &mut batch);
                if record.deletion_ms.is_none() {
                    record.tell_versions(DELETION_STARTED, cx.now(), &mut batch)?;
                }
                record.tell_versions(DELETION_ENDED, cx.now(), &mut batch)?;
                cx.now()
            }
            Some(days) => {
                record.alive()?;
                let date = cx.now().plus_seconds(days * 24 * 60 * 60);
                let changed = draft.change();
                changed.deleted_ms = Some(cx.now().millis());
                changed.deletion_ms = Some(date.millis());
                if let Some(job) = changed.deletion_job() {
                    batch.schedule(&job);
                }
                changed.tell_versions(DELETION_STARTED, cx.now(), &mut batch)?;
                draft.save(cx, &permit, &mut batch);
                date
            }
        };
        let answer = DeleteSecretResponse {
            arn: Some(draft.record().arn.clone()),
            name: Some(draft.record().name.clone()),
            deletion_date: Some(Timestamp::from_millis(deletion.millis())),
        };
        self.database.commit(batch).await?;
        self.jobs.wake();
        Ok(answer)
    }
}

/// Refuses to delete what is a replica, or has some.
fn alone(record: &SecretRecord) -> Result<(), Error> {
    if record.is_replica() {
        return Err(words::replica());
    }
    if !record.replicas.is_empty() {
        let regions: Vec<&str> = record.replicas.keys().map(String::as_str).collect();
        return Err(words::parameter(format!(
            "You can't delete secret {} that still has replica regions [{}]",
            record.arn,
            regions.join(", ")
        )));
    }
    if let Some(replica) = record.cross_replica() {
        return Err(words::parameter(format!(
            "You can't delete secret {} that still has cross-account replica {replica}",
            record.arn
        )));
    }
    if record.cross_primary.is_some() { Err(words::cross_replica()) } else { Ok(()) }
}

/// What is told of a secret that nobody knows: as AWS, it had an ARN.
fn as_if_deleted(cx: &Cx, given: &str) -> Result<DeleteSecretResponse, Error> {
    let id = SecretId::parse(cx, given)?;
    let suffix = id.suffix.map_or_else(|| name::suffix(cx), Ok)?;
    Ok(DeleteSecretResponse {
        arn: Some(name::arn(&cx.region, &id.account, &id.name, &suffix)),
        name: Some(id.name),
        deletion_date: Some(cx.now()),
    })
}

/// Days of the recovery window; `None` is at once.
fn window_days(window: Option<i64>, force: Option<bool>) -> Result<Option<i64>, Error> {
    match (window, force == Some(true)) {
        (Some(_), true) => Err(words::parameter(
            "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
        )),
        (None, true) => Ok(None),
        (Some(days), false) if !(7..=30).contains(&days) => Err(words::parameter(
            "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).",
        )),
        (days, false) => Ok(Some(days.unwrap_or(WINDOW_DAYS))),
    }
}
