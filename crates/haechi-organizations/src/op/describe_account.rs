//! Describes an account of the organization.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::DescribeAccount;
use haechi_organizations_model::shapes::{DescribeAccountRequest, DescribeAccountResponse};

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::error::no_account;

impl Handle<DescribeAccount> for Organizations {
    async fn handle(
        &self,
        cx: &Cx,
        input: DescribeAccountRequest,
    ) -> Result<DescribeAccountResponse, Error> {
        let id = input.account_id.as_str();
        let organization = self.admit(cx, Reach::Readers, |it| About::of(it, &[id])).await?;
        let member = organization.account(id).ok_or_else(no_account)?;
        Ok(DescribeAccountResponse { account: Some(organization.shown_account(member)) })
    }
}
