//! `Publish`.

use haechi_core::{Cx, Handle};
use haechi_sns_model::Error;
use haechi_sns_model::ops::Publish;
use haechi_sns_model::shapes::{PublishInput, PublishResponse};

use crate::Sns;
use crate::arn::TopicArn;
use crate::envelope::sequence_number;
use crate::error::{invalid, invalid_because};
use crate::message::{Draft, is_phone_number};

impl Handle<Publish> for Sns {
    async fn handle(&self, cx: &Cx, input: PublishInput) -> Result<PublishResponse, Error> {
        if let Some(number) = input.phone_number.as_ref().map(|number| number.0.as_str()) {
            if !is_phone_number(number) {
                let told = format!("{number} is not valid to publish to");
                return Err(invalid_because("PhoneNumber", told));
            }
            return Err(cx.unsupported_parameter("PhoneNumber").into());
        }
        let arn = match (&input.topic_arn, &input.target_arn) {
            (Some(_), Some(_)) => {
                return Err(invalid("TopicArn or TargetArn Reason: both are set"));
            }
            (Some(arn), None) => TopicArn::parse(cx, arn)?,
            // A device of mobile push: nobody can make one here.
            (None, Some(arn)) if arn.contains(":endpoint/") => {
                let told = "No endpoint found for the target arn specified";
                return Err(invalid_because("TargetArn", told));
            }
            (None, Some(arn)) => TopicArn::named(cx, "TargetArn", arn)?,
            (None, None) => {
                let told = "no value for required parameter";
                return Err(invalid_because("TopicArn or TargetArn", told));
            }
        };
        let topic = self.topic_to_publish(cx, &arn).await?;
        let receipt = self.publish(cx, &arn, &topic, Draft::from(input)).await?;
        Ok(PublishResponse {
            message_id: Some(receipt.message_id),
            sequence_number: receipt.sequence.map(sequence_number),
        })
    }
}
