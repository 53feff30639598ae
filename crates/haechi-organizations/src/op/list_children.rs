//! Lists the ids of the units or accounts right below a parent.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::ListChildren;
use haechi_organizations_model::shapes::{
    Child, ChildType, ListChildrenRequest, ListChildrenResponse,
};

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::error::no_parent;
use crate::paging::page;

impl Handle<ListChildren> for Organizations {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListChildrenRequest,
    ) -> Result<ListChildrenResponse, Error> {
        let parent = input.parent_id.as_str();
        let organization = self.admit(cx, Reach::Readers, |it| About::of(it, &[parent])).await?;
        organization.parent(parent).ok_or_else(no_parent)?;
        let ids: Vec<String> = match input.child_type {
            ChildType::Account => {
                organization.accounts_of(parent).map(|member| member.account.clone()).collect()
            }
            ChildType::OrganizationalUnit => {
                organization.units_of(parent).map(|unit| unit.id.clone()).collect()
            }
        };
        let (token, most) = (input.next_token.as_deref(), input.max_results);
        let (ids, next_token) = page(ids, String::clone, token, most)?;
        let child = |id| Child { id: Some(id), r#type: Some(input.child_type) };
        let children = ids.map(|ids| ids.into_iter().map(child).collect());
        Ok(ListChildrenResponse { children, next_token })
    }
}
