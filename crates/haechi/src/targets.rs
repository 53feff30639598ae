//! Where EventBridge's events go: SQS.

use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::{Env, Source};
use haechi_events::{Message, Refusal, Targets};
use haechi_sqs::{Delivery, Sqs};
use haechi_wire::{Fault, Problem};

/// The services that take events.
pub struct EventTargets {
    /// Time and randomness.
    pub env: Env,
    /// Queues.
    pub sqs: Arc<Sqs>,
}

#[async_trait]
impl Targets for EventTargets {
    async fn deliver(&self, rule: Source, message: &Message) -> Result<(), Refusal> {
        let delivery = Delivery {
            queue_arn: message.target_arn.clone(),
            body: message.body.clone(),
            group_id: message.group_id.clone(),
            deduplication_id: message.deduplication_id.clone(),
        };
        let outcome = self.sqs.deliver(&self.env, "events", rule, delivery).await;
        outcome.map_err(|error| match Problem::from(error) {
            Problem::Fault(fault @ (Fault::Unavailable { .. } | Fault::Internal(_))) => {
                Refusal::Temporary(fault)
            }
            refused => Refusal::Permanent(refused.message()),
        })
    }
}
