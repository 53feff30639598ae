//! `ListAliases`.

use crate::Lambda;
use crate::function::Named;
use crate::op::create_alias::show_alias;
use crate::paging::page;
use crate::store::AliasRecord;
use haechi_core::{Cx, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::ListAliases;
use haechi_lambda_model::shapes::{ListAliasesRequest, ListAliasesResponse};

impl Handle<ListAliases> for Lambda {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListAliasesRequest,
    ) -> Result<ListAliasesResponse, Error> {
        let function = self.function(cx, Named::Whole(&input.function_name)).await?;
        let path = function.reference.place().aliases(&function.record.id);
        let found = self.database.list_all::<AliasRecord>(&path).await?;
        let wanted = |alias: &AliasRecord| {
            let of = input.function_version.as_ref();
            of.is_none_or(|version| {
                alias.version == *version || alias.weights.contains_key(version)
            })
        };
        let mut aliases: Vec<AliasRecord> =
            found.into_iter().map(|one| one.value).filter(wanted).collect();
        aliases.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        let name = |alias: &AliasRecord| alias.name.clone();
        let (aliases, next_marker) = page(aliases, name, input.max_items, input.marker.as_deref());
        let aliases = aliases.into_iter().map(|alias| show_alias(&function, alias)).collect();
        Ok(ListAliasesResponse { aliases: Some(aliases), next_marker })
    }
}
