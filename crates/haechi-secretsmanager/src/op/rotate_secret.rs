//! `RotateSecret`.

use haechi_core::{Ask, Batch, Cx, Env, Handle, NoContext};
use haechi_policy::ResourceRule;
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::ops::RotateSecret;
use haechi_secretsmanager_model::shapes::{RotateSecretRequest, RotateSecretResponse};
use haechi_wire::{Fault, Timestamp};

use crate::authz::{Facts, admit};
use crate::rotation::{self, built_in};
use crate::schedule::Rules;
use crate::secret::{CURRENT, PENDING, SecretRecord};
use crate::{SecretsManager, words};

impl Handle<RotateSecret> for SecretsManager {
    async fn handle(
        &self,
        cx: &Cx,
        input: RotateSecretRequest,
    ) -> Result<RotateSecretResponse, Error> {
        cx.refuse_parameters(&[
            ("ExternalSecretRotationMetadata", input.external_secret_rotation_metadata.is_some()),
            ("ExternalSecretRotationRoleArn", input.external_secret_rotation_role_arn.is_some()),
        ])?;
        // Recorded: another error than that of the other operations.
        let token = input.client_request_token.clone();
        let token = token.ok_or_else(|| words::parameter(words::NO_TOKEN))?;
        let found = self.draft(cx, &input.secret_id).await?;
        let facts = Facts::default()
            .with("rotationlambdaarn", input.rotation_lambda_arn.as_ref())
            .with("rotateimmediately", input.rotate_immediately)
            .with("modifyrotationrules", Some(input.rotation_rules.is_some()));
        let (mut draft, permit) = admit(cx, found, facts)?;
        draft.record().owns_values(cx)?;
        self.configure(cx, draft.change(), &input).await?;
        let mut batch = Batch::new();
        let immediately = input.rotate_immediately != Some(false);
        let record = draft.change();
        let now = cx.now();
        if let Some(rotation) = &mut record.rotation {
            rotation.enabled = true;
            let last = rotation.last().filter(|_| !immediately);
            rotation.plan(last.unwrap_or(now), now);
        }
        let mut version = None;
        if immediately {
            version = Some(begin(record, &token, (&self.env, now), &mut batch)?);
        } else {
            record.begin_probe(&token, (&self.env, now), &mut batch)?;
        }
        if let Some(job) = record.rotation_job() {
            batch.schedule(&job);
        }
        let answer = RotateSecretResponse {
            arn: Some(record.arn.clone()),
            name: Some(record.name.clone()),
            version_id: version,
        };
        draft.save(cx, &permit, &mut batch);
        self.database.commit(batch).await?;
        self.rotate.notify_one();
        self.jobs.wake();
        Ok(answer)
    }
}

/// Whoever has a function called must be allowed to call it.
fn may_invoke(cx: &Cx, function_arn: &str) -> Result<(), Fault> {
    let account = function_arn.split(':').nth(4).unwrap_or_default();
    cx.authorize(&Ask {
        action: "lambda:InvokeFunction",
        resource: function_arn,
        resource_account: account,
        policy: None,
        rule: ResourceRule::Union,
        context: &NoContext,
    })?;
    Ok(())
}

fn has_built_in(record: &SecretRecord) -> bool {
    let (region, account) = (&record.region, &record.account);
    let arn = record.rotation.as_ref().map(|rotation| rotation.lambda_arn.as_str());
    arn.is_some_and(|arn| built_in(arn, region, account).is_some())
}

/// Begins a rotation; answers the id of the version that it makes.
fn begin(
    record: &mut SecretRecord,
    token: &str,
    at: (&Env, Timestamp),
    batch: &mut Batch,
) -> Result<String, Error> {
    let current = record.labelled(CURRENT);
    // A function may make the first value, as with AWS; a built-in rotator needs one to log in with.
    if current.is_none() && has_built_in(record) {
        return Err(words::request(
            "You can't rotate a secret that has no value. Put one first, with PutSecretValue.",
        ));
    }
    let running = record.rotation.as_ref().and_then(|rotation| rotation.running.as_ref());
    let left = record.labelled(PENDING).filter(|id| Some(*id) != current);
    if let Some(going_on) = running.map(|running| running.token.as_str()).or(left) {
        // Sent again: it is the one that is under way.
        if going_on == token {
            return Ok(token.to_owned());
        }
        if running.is_some() {
            return Err(words::request(
                "A previous rotation isn't complete. That rotation will be reattempted.",
            ));
        }
    } else if record.versions.contains_key(token) {
        return Err(words::token_in_use(token, &record.arn));
    }
    Ok(record.begin_rotation(token.to_owned(), at, batch)?)
}

impl SecretsManager {
    /// Takes over what the request says of function and rules.
    async fn configure(
        &self,
        cx: &Cx,
        record: &mut SecretRecord,
        input: &RotateSecretRequest,
    ) -> Result<(), Error> {
        let (account, region) = (record.account.clone(), record.region.clone());
        let arn = input.rotation_lambda_arn.clone().filter(|arn| !arn.is_empty());
        let rotation = match (&mut record.rotation, arn) {
            (Some(rotation), arn) => {
                rotation.lambda_arn = arn.unwrap_or_else(|| rotation.lambda_arn.clone());
                rotation
            }
            (none, Some(arn)) => none.insert(rotation::new(arn)),
            (None, None) => {
                return Err(words::request(
                    "No Lambda rotation function ARN is associated with this secret.",
                ));
            }
        };
        let admitted = match built_in(&rotation.lambda_arn, &region, &account) {
            Some(name) => self.rotators.contains_key(name),
            None => {
                may_invoke(cx, &rotation.lambda_arn)?;
                self.admitted(&record.arn, &account, &rotation.lambda_arn).await?
            }
        };
        if !admitted {
            return Err(Error::Fault(Fault::AccessDenied(
                "Secrets Manager cannot invoke the specified Lambda function. Ensure that the \
                 function policy grants access to the principal secretsmanager.amazonaws.com."
                    .to_owned(),
            )));
        }
        // Rules that say nothing leave those that there are.
        let rules = input.rotation_rules.as_ref().map(Rules::of);
        if let Some(rules) = rules.filter(|rules| *rules != Rules::default()) {
            rules.check(cx.now())?;
            rotation.rules = rules;
        }
        Ok(())
    }
}
