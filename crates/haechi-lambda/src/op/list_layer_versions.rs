//! `ListLayerVersions`: there is none here, as none can be published.

use haechi_core::{Cx, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::ListLayerVersions;
use haechi_lambda_model::shapes::{ListLayerVersionsRequest, ListLayerVersionsResponse};

use crate::Lambda;
use crate::runtimes::check_of_layers;

impl Handle<ListLayerVersions> for Lambda {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListLayerVersionsRequest,
    ) -> Result<ListLayerVersionsResponse, Error> {
        cx.authorize_any()?;
        check_of_layers(input.compatible_runtime.as_deref())?;
        Ok(ListLayerVersionsResponse { layer_versions: Some(Vec::new()), next_marker: None })
    }
}
