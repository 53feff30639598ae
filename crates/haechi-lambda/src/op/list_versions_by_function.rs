//! `ListVersionsByFunction`.

use crate::Lambda;
use crate::configuration::{Shown, show};
use crate::function::Named;
use crate::paging::page;
use crate::reference::LATEST;
use crate::store::{Version, VersionRecord};
use haechi_core::{Cx, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::ListVersionsByFunction;
use haechi_lambda_model::shapes::{ListVersionsByFunctionRequest, ListVersionsByFunctionResponse};

impl Handle<ListVersionsByFunction> for Lambda {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListVersionsByFunctionRequest,
    ) -> Result<ListVersionsByFunctionResponse, Error> {
        let function = self.function(cx, Named::Whole(&input.function_name)).await?;
        let path = function.reference.place().versions(&function.record.id);
        let found = self.database.list_all::<VersionRecord>(&path).await?;
        let latest = std::iter::once(function.record.latest.clone());
        let versions: Vec<Version> =
            latest.chain(found.into_iter().map(|one| one.value.0)).collect();
        let name = |version: &Version| format!("{:0>10}", version.version.replace(LATEST, "0"));
        let (versions, next_marker) =
            page(versions, name, input.max_items, input.marker.as_deref());
        let shown = versions.iter().map(|version| {
            let arn = function.reference.version_arn(&version.version);
            show(&function.record, version, arn, Shown::Listed)
        });
        Ok(ListVersionsByFunctionResponse { versions: Some(shown.collect()), next_marker })
    }
}
