//! Which calls leave an intent: what their record is to be, kept with what they change until it is
//! on disk ([`haechi_core::intent`]).

use std::sync::Arc;

use haechi_core::{Cx, Intent};
use haechi_wire::Fault;

use crate::record::{Event, record};
use crate::serve::{Gateway, Passage};

/// Calls that CloudTrail counts as data events, by service: a row more for each would slow them, and
/// what a crash leaves of them is a message, no change of what is set up.
const DATA_EVENTS: &[(&str, &[&str])] = &[
    ("events", &["PutEvents"]),
    ("lambda", &["Invoke"]),
    ("sns", &["Publish", "PublishBatch"]),
    (
        "sqs",
        &[
            "ChangeMessageVisibility",
            "ChangeMessageVisibilityBatch",
            "DeleteMessage",
            "DeleteMessageBatch",
            "ReceiveMessage",
            "SendMessage",
            "SendMessageBatch",
        ],
    ),
];

fn is_data_event(service: &str, operation: &str) -> bool {
    let of_service = DATA_EVENTS.iter().filter(|(name, _)| *name == service);
    of_service.flat_map(|(_, operations)| *operations).any(|known| *known == operation)
}

impl Gateway {
    /// The intent of a call that may change something.
    pub(crate) fn intent(
        &self,
        passage: &Passage<'_>,
        cx: &Cx,
    ) -> Result<Option<Arc<Intent>>, Fault> {
        let (service, operation) = (passage.identified.service, cx.operation.name);
        let Some(intents) = self
            .intents
            .as_ref()
            .filter(|_| !passage.read_only && !is_data_event(service.name, operation))
        else {
            return Ok(None);
        };
        let event_id = cx.event_id()?;
        let event = Event {
            caller: Some(&cx.caller),
            region: Some(&cx.region),
            ..Event::begun(passage, event_id)
        };
        Ok(Some(intents.of(event_id, cx.now(), record(&event))))
    }
}
