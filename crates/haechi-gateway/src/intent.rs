//! Which calls leave an intent: what their record is to be, kept with what they change until it is
//! on disk ([`haechi_core::intent`]).

use std::sync::Arc;

use haechi_core::{Cx, Intent};
use haechi_wire::Fault;

use crate::record::{Event, record};
use crate::serve::{Gateway, Passage};
use crate::shown;

impl Gateway {
    /// The intent of a call that may change something.
    pub(crate) fn intent(
        &self,
        passage: &Passage<'_>,
        cx: &Cx,
    ) -> Result<Option<Arc<Intent>>, Fault> {
        let (service, operation) = (passage.identified.service, cx.operation.name);
        // Of data events none: a row more for each would slow them, and what a crash leaves of them
        // is a message, no change of what is set up.
        let Some(intents) = self
            .intents
            .as_ref()
            .filter(|_| !passage.read_only && !shown::is_data_event(service.name, operation))
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
