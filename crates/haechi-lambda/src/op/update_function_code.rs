//! `UpdateFunctionCode`.

use crate::code::archive;
use crate::configuration::{Shown, revision, show};
use crate::function::Named;
use crate::op::publish_version::publish;
use crate::{Lambda, sweep, words};
use haechi_core::{Batch, Cx, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::UpdateFunctionCode;
use haechi_lambda_model::shapes::{FunctionCode, FunctionConfiguration, UpdateFunctionCodeRequest};

impl Handle<UpdateFunctionCode> for Lambda {
    async fn handle(
        &self,
        cx: &Cx,
        input: UpdateFunctionCodeRequest,
    ) -> Result<FunctionConfiguration, Error> {
        let mut function = self.function(cx, Named::Whole(&input.function_name)).await?;
        cx.refuse_parameters(&[
            ("PublishTo", input.publish_to.is_some()),
            ("SourceKMSKeyArn", input.source_kms_key_arn.is_some()),
        ])?;
        let latest = &function.record.latest;
        if input.revision_id.as_ref().is_some_and(|given| *given != latest.revision) {
            return Err(words::revision("GetFunction/GetAlias"));
        }
        let code = FunctionCode {
            zip_file: input.zip_file,
            s3_bucket: input.s3_bucket,
            s3_key: input.s3_key,
            s3_object_version: input.s3_object_version,
            image_uri: input.image_uri,
            ..FunctionCode::default()
        };
        let zip = archive(cx, code)?;
        let place = function.reference.place();
        let arn = function.reference.function_arn();
        if input.dry_run == Some(true) {
            let mut shown = latest.clone();
            shown.code = Lambda::weigh(cx, &zip.0)?;
            return Ok(show(&function.record, &shown, arn, Shown::Updating));
        }
        let mut batch = Batch::new();
        batch.schedule(&sweep::job(&place, &latest.code.id, cx.now()));
        let code = self.keep(cx, &place, &zip.0).await?;
        let latest = &mut function.record.latest;
        latest.code = code;
        if let Some(first) = input.architectures.as_ref().and_then(|list| list.first()) {
            first.as_str().clone_into(&mut latest.architecture);
        }
        latest.modified_ms = cx.now().millis();
        latest.revision = revision(cx)?;
        let mut shown = latest.clone();
        let answer = if input.publish == Some(true) {
            shown = publish(cx, &place, &mut function.record, None, &mut batch)?;
            let arn = function.reference.version_arn(&shown.version);
            show(&function.record, &shown, arn, Shown::Creating)
        } else {
            shown.revision = revision(cx)?;
            show(&function.record, &shown, arn, Shown::Updating)
        };
        function.save(&mut batch);
        self.database.commit(batch).await?;
        Ok(answer)
    }
}
