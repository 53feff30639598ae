//! Tells how far a request for an account is.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::DescribeCreateAccountStatus;
use haechi_organizations_model::shapes::{
    DescribeCreateAccountStatusRequest, DescribeCreateAccountStatusResponse,
};

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::error::no_creation;
use crate::store::{CreationRecord, Row};

impl Handle<DescribeCreateAccountStatus> for Organizations {
    async fn handle(
        &self,
        cx: &Cx,
        input: DescribeCreateAccountStatusRequest,
    ) -> Result<DescribeCreateAccountStatusResponse, Error> {
        let organization = self.admit(cx, Reach::Readers, |_| About::all()).await?;
        let rows = Row::Creation.prefix(organization.management(), organization.id());
        let path = rows.part(&input.create_account_request_id);
        let found = self.database.load::<CreationRecord>(&path).await?.ok_or_else(no_creation)?;
        let create_account_status = Some(found.value.shown());
        Ok(DescribeCreateAccountStatusResponse { create_account_status })
    }
}
