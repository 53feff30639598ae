//! `ListTags`.

use haechi_core::{Cx, Facts, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::ListTags;
use haechi_lambda_model::shapes::{ListTagsRequest, ListTagsResponse};

use crate::Lambda;

impl Handle<ListTags> for Lambda {
    async fn handle(&self, cx: &Cx, input: ListTagsRequest) -> Result<ListTagsResponse, Error> {
        let mapping = self.tagged_mapping(cx, &input.resource, Facts::default()).await?;
        if let Some(found) = mapping {
            return Ok(ListTagsResponse { tags: Some(found.value.tags) });
        }
        let function = self.tagged(cx, &input.resource, Facts::default()).await?;
        Ok(ListTagsResponse { tags: Some(function.record.tags) })
    }
}
