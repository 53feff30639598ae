//! `AddTagsToResource`.

use haechi_core::{Batch, Cx, Handle, Loaded};
use haechi_ssm_model::Error;
use haechi_ssm_model::ops::AddTagsToResource;
use haechi_ssm_model::shapes::{
    AddTagsToResourceRequest, AddTagsToResourceResult, ResourceTypeForTagging, Tag,
};

use crate::authz::Wanted;
use crate::name::{Reference, arn};
use crate::read::{note, place};
use crate::store::ParameterRecord;
use crate::{Ssm, tags};

impl Handle<AddTagsToResource> for Ssm {
    async fn handle(
        &self,
        cx: &Cx,
        input: AddTagsToResourceRequest,
    ) -> Result<AddTagsToResourceResult, Error> {
        let about = Tagging { tags: &input.tags, keys: &[] };
        let loaded = self.tagged(cx, input.resource_type, &input.resource_id, about).await?;
        let mut parameter = loaded.value.clone();
        tags::lay_over(&mut parameter.tags, &input.tags)?;
        let mut batch = Batch::new();
        batch.replace(&loaded, &parameter);
        self.database.commit(batch).await?;
        Ok(AddTagsToResourceResult {})
    }
}

/// Tags to be set, and keys of tags to be removed.
#[derive(Clone, Copy)]
pub(crate) struct Tagging<'a> {
    pub(crate) tags: &'a [Tag],
    pub(crate) keys: &'a [String],
}

impl Ssm {
    /// The parameter whose tags a call is about, once the caller is allowed it.
    pub(crate) async fn tagged(
        &self,
        cx: &Cx,
        kind: ResourceTypeForTagging,
        id: &str,
        about: Tagging<'_>,
    ) -> Result<Loaded<ParameterRecord>, Error> {
        if kind != ResourceTypeForTagging::Parameter {
            // Documents, managed nodes and the rest are not here.
            return Err(cx.unsupported_parameter("ResourceType").into());
        }
        let unknown = || Error::InvalidResourceId(String::new());
        let reference = Reference::read(cx, id).map_err(|_| unknown())?;
        if reference.account.is_some() || reference.selector.is_some() {
            return Err(unknown());
        }
        let account = cx.account().as_str();
        let loaded = self.load(place(cx), &reference.name).await?;
        let arn = arn(cx, account, &reference.name);
        let parameter = loaded.as_ref().map(|loaded| &loaded.value);
        let mut wanted = Wanted::on(&arn, account, parameter);
        (wanted.tags, wanted.tag_keys) = (about.tags, about.keys);
        wanted.allow(cx)?;
        note(cx, &arn, account);
        loaded.ok_or_else(unknown)
    }
}
