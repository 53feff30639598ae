//! `DeleteFunction`.

use crate::function::Function;
use crate::reference::{LATEST, Reference};
use crate::store::{AliasRecord, VersionRecord};
use crate::words::{conflict, invalid, no_function};
use crate::{Lambda, sweep};
use haechi_core::{Batch, Cx, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::DeleteFunction;
use haechi_lambda_model::shapes::{DeleteFunctionRequest, DeleteFunctionResponse};

impl Handle<DeleteFunction> for Lambda {
    async fn handle(
        &self,
        cx: &Cx,
        input: DeleteFunctionRequest,
    ) -> Result<DeleteFunctionResponse, Error> {
        let reference = Reference::of(cx, &input.function_name, input.qualifier.as_deref())?;
        if reference.qualifier.as_deref() == Some(LATEST) {
            return Err(invalid(
                "$LATEST version cannot be deleted without deleting the function.",
            ));
        }
        // As recorded: what is missing is told without the qualifier.
        let whole = reference.function_arn();
        let action = cx.operation.action;
        let function = match self.qualified(cx, reference, action).await {
            Err(Error::ResourceNotFoundException(..)) => return Err(no_function(&whole)),
            found => found?,
        };
        let mut batch = Batch::new();
        match function.reference.qualifier.clone() {
            Some(version) => self.delete_version(cx, &function, &version, &mut batch).await?,
            None => self.delete_all(cx, &function, &mut batch).await?,
        }
        self.database.commit(batch).await?;
        Ok(DeleteFunctionResponse { status_code: Some(204) })
    }
}

/// Rows that go in the transaction of the function's own; a job removes the rest.
const VERSIONS_AT_ONCE: usize = 35;
const ALIASES_AT_ONCE: usize = 20;

impl Lambda {
    async fn delete_version(
        &self,
        cx: &Cx,
        function: &Function,
        version: &str,
        batch: &mut Batch,
    ) -> Result<(), Error> {
        let place = function.reference.place();
        let Ok(number) = version.parse() else {
            return Err(invalid(
                "Deletion of aliases is not currently supported. Use DeleteAlias instead.",
            ));
        };
        let path = place.version(&function.record.id, number);
        // What is not there any more is gone, and no failure.
        let Some(found) = self.database.load::<VersionRecord>(&path).await? else { return Ok(()) };
        let aliases = place.aliases(&function.record.id);
        let aliases = self.database.list_all::<AliasRecord>(&aliases).await?;
        let names =
            |alias: &AliasRecord| alias.version == version || alias.weights.contains_key(version);
        let used = aliases.iter().map(|alias| &alias.value).filter(|alias| names(alias));
        let mut used: Vec<&str> = used.map(|alias| alias.name.as_str()).collect();
        used.sort_unstable();
        if !used.is_empty() {
            return Err(conflict(format!(
                "Unable to delete version because the following aliases reference it: [{}]",
                used.join(", ")
            )));
        }
        batch.remove(&found);
        batch.schedule(&sweep::job(&place, &found.value.0.code.id, cx.now()));
        Ok(())
    }

    async fn delete_all(
        &self,
        cx: &Cx,
        function: &Function,
        batch: &mut Batch,
    ) -> Result<(), Error> {
        let place = function.reference.place();
        let id = &function.record.id;
        batch.remove(&function.loaded);
        let mut codes = vec![function.record.latest.code.id.clone()];
        let versions = self.database.list_all::<VersionRecord>(&place.versions(id)).await?;
        for version in versions.iter().take(VERSIONS_AT_ONCE) {
            batch.remove(version);
            codes.push(version.value.0.code.id.clone());
        }
        let aliases = self.database.list_all::<AliasRecord>(&place.aliases(id)).await?;
        for alias in aliases.iter().take(ALIASES_AT_ONCE) {
            batch.remove(alias);
        }
        if versions.len() > VERSIONS_AT_ONCE || aliases.len() > ALIASES_AT_ONCE {
            batch.schedule(&sweep::left_job(&place, id, cx.now()));
        }
        codes.sort_unstable();
        codes.dedup();
        for code in &codes {
            batch.schedule(&sweep::job(&place, code, cx.now()));
        }
        Ok(())
    }
}
