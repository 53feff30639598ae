//! `ListResourceTags`.

use haechi_core::{Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::ListResourceTags;
use haechi_kms_model::shapes::{ListResourceTagsRequest, ListResourceTagsResponse, Tag};

use crate::authz::{Facts, admit};
use crate::{Kms, paging, request};

/// Tags on a page, unless asked otherwise, and at most; and as many as a key may have.
const LIMIT_MAX: u32 = 50;

impl Handle<ListResourceTags> for Kms {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListResourceTagsRequest,
    ) -> Result<ListResourceTagsResponse, Error> {
        let found = self.own_key(cx, &input.key_id).await?;
        let (key, _) = admit(cx, found, Facts::default())?;
        let limit = paging::limit(input.limit, LIMIT_MAX);
        if limit > LIMIT_MAX {
            return Err(request::invalid(format!(
                "1 validation error detected: Value '{limit}' at 'limit' failed to satisfy \
                 constraint: Member must have value less than or equal to {LIMIT_MAX}"
            )));
        }
        let (tags, scope) = (&key.record.tags, paging::scope(cx, &key.record.id));
        let marker = input.marker.as_deref();
        let (names, next_marker) = paging::page(&scope, tags.keys(), marker, limit)?;
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
