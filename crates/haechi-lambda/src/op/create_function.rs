//! `CreateFunction`.

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Facts, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::CreateFunction;
use haechi_lambda_model::shapes::{CreateFunctionRequest, FunctionConfiguration};
use haechi_wire::Fault;
use std::collections::BTreeMap;

use crate::Lambda;
use crate::code::archive;
use crate::configuration::{Shown, revision, show};
use crate::op::publish_version::publish;
use crate::op::tag_resource::check_tags;
use crate::reference::Reference;
use crate::store::FunctionRecord;
use crate::words::{conflict, invalid};

/// Letters of a name.
const NAME_MAX: usize = 64;

impl Handle<CreateFunction> for Lambda {
    async fn handle(
        &self,
        cx: &Cx,
        input: CreateFunctionRequest,
    ) -> Result<FunctionConfiguration, Error> {
        let mut input = input;
        let reference = Reference::of(cx, &input.function_name, None)?;
        let (arn, place) = (reference.function_arn(), reference.place());
        let facts = Facts::putting(input.tags.iter().flatten());
        cx.authorize_knowing(&arn, &facts)?;
        cx.authorize_tagging("lambda:TagResource", &arn, &facts)?;
        if reference.account != cx.account().as_str() {
            let told = "A function is created in the account of the caller.";
            return Err(Fault::AccessDenied(told.to_owned()).into());
        }
        // Of a name alone, the name's own limit holds (recorded).
        if input.function_name == reference.name && reference.name.len() > NAME_MAX {
            return Err(invalid(format!(
                "1 validation error detected: Value '{}' at 'functionName' failed to satisfy \
                 constraint: Member must have length less than or equal to {NAME_MAX}",
                reference.name
            )));
        }
        if let Some(runtime) = &input.runtime {
            self.takes_runtime(runtime)?;
        }
        if self.load(&reference).await?.is_some() {
            return Err(conflict(format!("Function already exist: {}", reference.name)));
        }
        self.accept_role(cx, &reference, &input.role).await?;
        let zip = archive(cx, std::mem::take(&mut input.code))?;
        let tags = input.tags.take().unwrap_or_default();
        check_tags(&tags)?;
        // What is wrong with the rest is told before anything is kept.
        let weighed = Lambda::weigh(cx, &zip.0)?;
        let mut latest = self.first_version(cx, &mut input, weighed)?;
        latest.code = self.keep(cx, &place, &zip.0).await?;
        let told = latest.revision.clone();
        // The answer's revision is that of a function that is still being made.
        latest.revision = revision(cx)?;
        let mut record = FunctionRecord {
            id: cx.env.uuid().map_err(Fault::internal)?.to_string(),
            account: reference.account.clone(),
            region: reference.region.clone(),
            latest,
            published: 0,
            published_as: None,
            policies: BTreeMap::new(),
            event_invoke: BTreeMap::new(),
            tags,
            reserved: None,
            unknown: Unknown::new(),
            name: reference.name,
        };
        let mut batch = Batch::new();
        let mut shown = record.latest.clone();
        if input.publish == Some(true) {
            shown = publish(cx, &place, &mut record, None, &mut batch)?;
        }
        shown.revision = told;
        batch.create(place.function(&record.name), &record);
        match self.database.commit(batch).await {
            Err(Fault::Conflict) => {
                Err(conflict(format!("Function already exist: {}", record.name)))
            }
            done => Ok(done.map(|()| show(&record, &shown, arn, Shown::Creating))?),
        }
    }
}
