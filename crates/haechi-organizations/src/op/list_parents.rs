//! Lists the one parent of a unit or an account.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::ListParents;
use haechi_organizations_model::shapes::{
    ListParentsRequest, ListParentsResponse, Parent, ParentType,
};

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::error::no_child;
use crate::organization::Target;

impl Handle<ListParents> for Organizations {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListParentsRequest,
    ) -> Result<ListParentsResponse, Error> {
        let child = input.child_id.as_str();
        let organization = self.admit(cx, Reach::Readers, |it| About::of(it, &[child])).await?;
        let above = organization.target(child).and_then(Target::parent);
        let parent = above.and_then(|id| organization.target(id)).ok_or_else(no_child)?;
        let kind = match parent {
            Target::Root(_) => ParentType::Root,
            _ => ParentType::OrganizationalUnit,
        };
        let parents = vec![Parent { id: Some(parent.id().to_owned()), r#type: Some(kind) }];
        Ok(ListParentsResponse { parents: Some(parents), next_token: None })
    }
}
