//! `PublishVersion`.

use crate::configuration::{Shown, revision, show};
use crate::function::Named;
use crate::store::{FunctionRecord, Place, Version, VersionRecord};
use crate::{Lambda, words};
use haechi_core::{Batch, Cx, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::PublishVersion;
use haechi_lambda_model::shapes::{FunctionConfiguration, PublishVersionRequest};

impl Handle<PublishVersion> for Lambda {
    async fn handle(
        &self,
        cx: &Cx,
        input: PublishVersionRequest,
    ) -> Result<FunctionConfiguration, Error> {
        let mut function = self.function(cx, Named::Whole(&input.function_name)).await?;
        if input.publish_to.is_some() {
            return Err(cx.unsupported_parameter("PublishTo").into());
        }
        let latest = &function.record.latest;
        if input.revision_id.as_ref().is_some_and(|given| *given != latest.revision) {
            return Err(words::revision("GetFunction/GetAlias"));
        }
        if let Some(given) = input.code_sha256.filter(|given| *given != latest.code.sha256) {
            return Err(words::invalid(format!(
                "CodeSHA256 ({given}) is different from current CodeSHA256 in $LATEST ({}). Please \
                 try again with the CodeSHA256 in $LATEST.",
                latest.code.sha256
            )));
        }
        let newest = function.record.published.to_string();
        // Whether an update changed anything does not matter to AWS (moto, pull request 8379).
        if !function.record.is_updated()
            && let Some(newest) = self.version_numbered(&function, &newest).await?
        {
            let arn = function.reference.version_arn(&newest.version);
            return Ok(show(&function.record, &newest, arn, Shown::Ready));
        }
        let (place, mut batch) = (function.reference.place(), Batch::new());
        let published = publish(cx, &place, &mut function.record, input.description, &mut batch)?;
        function.save(&mut batch);
        self.database.commit(batch).await?;
        let arn = function.reference.version_arn(&published.version);
        Ok(show(&function.record, &published, arn, Shown::Ready))
    }
}

/// Makes a version of `$LATEST`, with the next number.
pub(super) fn publish(
    cx: &Cx,
    place: &Place,
    record: &mut FunctionRecord,
    description: Option<String>,
    batch: &mut Batch,
) -> Result<Version, Error> {
    record.published += 1;
    let mut version = record.latest.clone();
    version.version = record.published.to_string();
    version.description = description.unwrap_or(version.description);
    version.revision = revision(cx)?;
    version.modified_ms = cx.now().millis();
    // A version is a change of the function too.
    record.latest.revision = revision(cx)?;
    record.published_as = Some(record.latest.revision.clone());
    let path = place.version(&record.id, record.published);
    batch.create(path, &VersionRecord(version.clone()));
    Ok(version)
}
