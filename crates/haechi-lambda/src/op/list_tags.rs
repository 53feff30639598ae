//! `ListTags`.

use haechi_core::{Cx, Facts, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::ListTags;
use haechi_lambda_model::shapes::{ListTagsRequest, ListTagsResponse};

use crate::Lambda;

impl Handle<ListTags> for Lambda {
    async fn handle(&self, cx: &Cx, input: ListTagsRequest) -> Result<ListTagsResponse, Error> {
        let function = self.tagged(cx, &input.resource, Facts::default()).await?;
        Ok(ListTagsResponse { tags: Some(function.record.tags) })
    }
}
