//! `GetSubscriptionAttributes`.

use haechi_core::{Cx, Handle};
use haechi_sns_model::Error;
use haechi_sns_model::ops::GetSubscriptionAttributes;
use haechi_sns_model::shapes::{GetSubscriptionAttributesInput, GetSubscriptionAttributesResponse};

use crate::error::no_subscription;
use crate::{Sns, subscription};

impl Handle<GetSubscriptionAttributes> for Sns {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetSubscriptionAttributesInput,
    ) -> Result<GetSubscriptionAttributesResponse, Error> {
        let found = self.subscription(cx, &input.subscription_arn).await?;
        let found = found.ok_or_else(no_subscription)?;
        let attributes = subscription::attributes(found.record(), &found.topic)?;
        Ok(GetSubscriptionAttributesResponse { attributes: Some(attributes) })
    }
}
