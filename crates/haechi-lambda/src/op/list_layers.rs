//! `ListLayers`: there is none here, as none can be published.

use haechi_core::{Cx, Handle};
use haechi_lambda_model::Error;
use haechi_lambda_model::ops::ListLayers;
use haechi_lambda_model::shapes::{ListLayersRequest, ListLayersResponse};

use crate::Lambda;
use crate::runtimes::check_of_layers;

impl Handle<ListLayers> for Lambda {
    async fn handle(&self, cx: &Cx, input: ListLayersRequest) -> Result<ListLayersResponse, Error> {
        cx.authorize_any()?;
        check_of_layers(input.compatible_runtime.as_deref())?;
        Ok(ListLayersResponse { layers: Some(Vec::new()), next_marker: None })
    }
}
