//! `ListFunctions`.

use crate::Lambda;
use crate::configuration::{Shown, show};
use crate::paging::page;
use crate::reference::{LATEST, Reference};
use crate::store::{FunctionRecord, Place, VersionRecord};
use haechi_core::{Cx, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::ListFunctions;
use haechi_lambda_model::shapes::{ListFunctionsRequest, ListFunctionsResponse};

impl Handle<ListFunctions> for Lambda {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListFunctionsRequest,
    ) -> Result<ListFunctionsResponse, Error> {
        cx.authorize_any()?;
        if input.master_region.is_some() {
            return Err(cx.unsupported_parameter("MasterRegion").into());
        }
        let place = Place { account: cx.account().to_string(), region: cx.region.to_string() };
        let found = self.database.list_all::<FunctionRecord>(&place.functions()).await?;
        let mut functions: Vec<FunctionRecord> = found.into_iter().map(|one| one.value).collect();
        functions.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        let all = input.function_version.is_some();
        let name = |function: &FunctionRecord| function.name.clone();
        let (functions, next_marker) =
            page(functions, name, input.max_items, input.marker.as_deref());
        let mut shown = Vec::new();
        for function in &functions {
            let reference = Reference::of(cx, &function.name, all.then_some(LATEST))?;
            shown.push(show(function, &function.latest, reference.arn(), Shown::Listed));
            if !all {
                continue;
            }
            let versions = place.versions(&function.id);
            for version in self.database.list_all::<VersionRecord>(&versions).await? {
                let version = version.value.0;
                let arn = reference.version_arn(&version.version);
                shown.push(show(function, &version, arn, Shown::Listed));
            }
        }
        Ok(ListFunctionsResponse { functions: Some(shown), next_marker })
    }
}
