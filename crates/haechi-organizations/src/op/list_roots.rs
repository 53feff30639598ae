//! Lists the roots: there is one.

use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::ListRoots;
use haechi_organizations_model::shapes::{ListRootsRequest, ListRootsResponse, Root};

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::paging::page;

impl Handle<ListRoots> for Organizations {
    async fn handle(&self, cx: &Cx, input: ListRootsRequest) -> Result<ListRootsResponse, Error> {
        let organization = self.admit(cx, Reach::Readers, |_| About::all()).await?;
        let root = organization.shown_root(organization.record().policy_types.keys());
        let (token, most) = (input.next_token.as_deref(), input.max_results);
        let id = |root: &Root| root.id.clone().unwrap_or_default();
        let (roots, next_token) = page(vec![root], id, token, most)?;
        Ok(ListRootsResponse { roots, next_token })
    }
}
