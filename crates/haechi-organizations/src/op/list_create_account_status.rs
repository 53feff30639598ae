//! Lists requests for accounts, all or in some states.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::ListCreateAccountStatus;
use haechi_organizations_model::shapes::{
    ListCreateAccountStatusRequest, ListCreateAccountStatusResponse,
};

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::paging::page;
use crate::store::{CreationRecord, Row};

impl Handle<ListCreateAccountStatus> for Organizations {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListCreateAccountStatusRequest,
    ) -> Result<ListCreateAccountStatusResponse, Error> {
        let organization = self.admit(cx, Reach::Readers, |_| About::all()).await?;
        let rows = Row::Creation.prefix(organization.management(), organization.id());
        let all = self.database.list_all::<CreationRecord>(&rows).await?;
        let wanted = |creation: &CreationRecord| {
            let states = input.states.as_deref().unwrap_or_default();
            states.is_empty() || states.iter().any(|state| state.as_str() == creation.state)
        };
        let all: Vec<CreationRecord> =
            all.into_iter().map(|row| row.value).filter(wanted).collect();
        let (token, most) = (input.next_token.as_deref(), input.max_results);
        let (found, next_token) = page(all, |creation| creation.id.clone(), token, most)?;
        let create_account_statuses =
            found.map(|found| found.iter().map(CreationRecord::shown).collect());
        Ok(ListCreateAccountStatusResponse { create_account_statuses, next_token })
    }
}
