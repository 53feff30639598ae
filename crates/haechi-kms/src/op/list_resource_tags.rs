//! `ListResourceTags`.

use haechi_core::{Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::ListResourceTags;
use haechi_kms_model::shapes::{ListResourceTagsRequest, ListResourceTagsResponse, Tag};

use crate::authz::{Facts, admit};
use crate::{Kms, paging};

/// Tags on a page, unless asked otherwise; and as many as a key may have.
const LIMIT_DEFAULT: u32 = 50;

impl Handle<ListResourceTags> for Kms {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListResourceTagsRequest,
    ) -> Result<ListResourceTagsResponse, Error> {
        let found = self.own_key(cx, &input.key_id).await?;
        let (key, _) = admit(cx, found, Facts::default())?;
        let limit = paging::limit(input.limit, LIMIT_DEFAULT);
        let tags = &key.record.tags;
        let (names, next_marker) = paging::page(tags.keys(), input.marker.as_deref(), limit)?;
        let tag = |name: &String| {
            let value = tags.get(name)?;
            Some(Tag { tag_key: name.clone(), tag_value: value.clone() })
        };
        Ok(ListResourceTagsResponse {
            tags: Some(names.into_iter().filter_map(tag).collect()),
            truncated: Some(next_marker.is_some()),
            next_marker,
        })
    }
}
