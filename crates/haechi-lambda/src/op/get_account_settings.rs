//! `GetAccountSettings`.

use std::collections::BTreeMap;

use crate::Lambda;
use crate::code::STORAGE_MAX;
use crate::store::{FunctionRecord, Place, VersionRecord};
use haechi_core::{Cx, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::GetAccountSettings;
use haechi_lambda_model::shapes::{
    AccountLimit, AccountUsage, GetAccountSettingsRequest, GetAccountSettingsResponse,
};

impl Handle<GetAccountSettings> for Lambda {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetAccountSettingsRequest,
    ) -> Result<GetAccountSettingsResponse, Error> {
        cx.authorize_any()?;
        let _ = input;
        let functions = self.all_functions(cx).await?;
        let reserved: i32 = functions.iter().filter_map(|one| one.reserved).sum();
        let size = self.code_size(cx).await?;
        let count = i64::try_from(functions.len()).unwrap_or(i64::MAX);
        let all = self.concurrency();
        Ok(GetAccountSettingsResponse {
            account_limit: Some(AccountLimit {
                total_code_size: Some(STORAGE_MAX),
                code_size_unzipped: Some(262_144_000),
                code_size_zipped: Some(52_428_800),
                concurrent_executions: Some(all),
                unreserved_concurrent_executions: Some(all - reserved),
            }),
            account_usage: Some(AccountUsage {
                total_code_size: Some(size),
                function_count: Some(count),
            }),
        })
    }
}

impl Lambda {
    /// Instances of all functions, at most.
    pub(super) fn concurrency(&self) -> i32 {
        i32::try_from(self.runner.options().concurrency).unwrap_or(i32::MAX)
    }

    /// Bytes of the archives of the caller's account in this Region: those of versions too, each once.
    pub(crate) async fn code_size(&self, cx: &Cx) -> Result<i64, Error> {
        let place = Place { account: cx.account().to_string(), region: cx.region.to_string() };
        let mut sizes = BTreeMap::new();
        for function in self.all_functions(cx).await? {
            let path = place.versions(&function.id);
            for version in self.database.list_all::<VersionRecord>(&path).await? {
                let code = version.value.0.code;
                sizes.insert(code.id, code.size);
            }
            sizes.insert(function.latest.code.id, function.latest.code.size);
        }
        Ok(sizes.values().sum())
    }

    /// The functions of the caller's account in this Region.
    pub(super) async fn all_functions(&self, cx: &Cx) -> Result<Vec<FunctionRecord>, Error> {
        let place = Place { account: cx.account().to_string(), region: cx.region.to_string() };
        let found = self.database.list_all::<FunctionRecord>(&place.functions()).await?;
        Ok(found.into_iter().map(|one| one.value).collect())
    }
}
