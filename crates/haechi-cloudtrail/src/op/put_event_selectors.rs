//! `PutEventSelectors`.

use haechi_cloudtrail_model::Error;
use haechi_cloudtrail_model::ops::PutEventSelectors;
use haechi_cloudtrail_model::shapes::{PutEventSelectorsRequest, PutEventSelectorsResponse};
use haechi_core::{Batch, Cx, Handle};

use crate::CloudTrail;
use crate::name::TrailId;
use crate::selectors::Selectors;

impl Handle<PutEventSelectors> for CloudTrail {
    async fn handle(
        &self,
        cx: &Cx,
        input: PutEventSelectorsRequest,
    ) -> Result<PutEventSelectorsResponse, Error> {
        let id = TrailId::parse(cx, &input.trail_name)?;
        cx.authorize_on(&id.arn)?;
        let selectors = match (input.event_selectors, input.advanced_event_selectors) {
            (Some(basic), None) => Selectors::basic(basic)?,
            (None, Some(advanced)) => Selectors::advanced(advanced)?,
            _ => {
                return Err(Error::InvalidEventSelectorsException(
                    "Specify either EventSelectors or AdvancedEventSelectors.".to_owned(),
                ));
            }
        };
        let loaded = self.home_trail(cx, &id).await?;
        let mut trail = loaded.value.clone();
        trail.selectors = selectors;
        let mut batch = Batch::new();
        batch.replace(&loaded, &trail);
        self.database.commit(batch).await?;
        let (event_selectors, advanced_event_selectors) = trail.selectors.shown();
        Ok(PutEventSelectorsResponse {
            trail_arn: Some(trail.arn),
            event_selectors,
            advanced_event_selectors,
        })
    }
}
