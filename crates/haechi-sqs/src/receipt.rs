//! Receipt handles: what deletes a message that was received, or hides it for longer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use haechi_core::{Batch, Cx, Loaded};
use haechi_sqs_model::Error;
use haechi_wire::Fault;

use crate::Sqs;
use crate::content::remove_content;
use crate::error::invalid;
use crate::queue::Queue;
use crate::receive::relocate;
use crate::store::{MessageRecord, ReceiptRecord};

/// Seconds for which a message that was received is hidden, at most.
const VISIBILITY_MAX: i32 = 43_200;

/// The handle of one receive of a message.
pub(crate) fn handle(queue: &Queue, message: &MessageRecord) -> String {
    let plain = format!("{} {} {}", queue.record().id, message.id, message.receive_count);
    STANDARD.encode(plain)
}

/// The message that a handle is for, and which receive it was.
fn parse(queue: &Queue, handle: &str) -> Result<(String, u32), Error> {
    let refused = || {
        let told = format!("The input receipt handle \"{handle}\" is not a valid receipt handle.");
        Error::ReceiptHandleIsInvalid(told)
    };
    let plain = STANDARD.decode(handle).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let plain = plain.ok_or_else(refused)?;
    let mut words = plain.split(' ');
    match (words.next(), words.next(), words.next().map(str::parse)) {
        (Some(id), Some(message), Some(Ok(count))) if id == queue.record().id => {
            Ok((message.to_owned(), count))
        }
        _ => Err(refused()),
    }
}

impl Sqs {
    /// The message that a handle is for; `None` if it is deleted.
    async fn received(
        &self,
        queue: &Queue,
        message: &str,
    ) -> Result<Option<(Loaded<ReceiptRecord>, Loaded<MessageRecord>)>, Fault> {
        let path = queue.place.receipt(&queue.record().id, message);
        let Some(receipt) = self.database.load::<ReceiptRecord>(&path).await? else {
            return Ok(None);
        };
        let (due_ms, sequence) = (receipt.value.due_ms, receipt.value.sequence);
        let path = queue.place.message(queue.record(), due_ms, sequence);
        let message = self.database.load::<MessageRecord>(&path).await?;
        Ok(message.map(|message| (receipt, message)))
    }

    /// Deletes a message; that it is gone already is no failure.
    pub(crate) async fn delete(
        &self,
        cx: &Cx,
        queue: &Queue,
        handle: &str,
        batch: &mut Batch,
    ) -> Result<(), Error> {
        let (id, count) = parse(queue, handle)?;
        let Some((receipt, message)) = self.received(queue, &id).await? else { return Ok(()) };
        // Of a FIFO queue, a handle ends with its visibility: another may hold the message now.
        let is_over =
            message.value.receive_count != count || message.value.due_ms <= cx.env.now().millis();
        if queue.is_fifo() && is_over {
            return Err(invalid("ReceiptHandle", handle, "The receipt handle has expired."));
        }
        batch.remove(&receipt);
        batch.remove(&message);
        remove_content(batch, &queue.place, &message.value);
        Ok(())
    }

    /// Hides a message that is in flight for so long from now.
    pub(crate) async fn change_visibility(
        &self,
        cx: &Cx,
        queue: &Queue,
        handle: &str,
        seconds: i32,
        batch: &mut Batch,
    ) -> Result<(), Error> {
        let (id, count) = parse(queue, handle)?;
        if !(0..=VISIBILITY_MAX).contains(&seconds) {
            let told = "Must be between 0 and 43200, if provided.";
            return Err(invalid("VisibilityTimeout", &seconds.to_string(), told));
        }
        let gone = || {
            let told = "Message does not exist or is not available for visibility timeout change.";
            invalid("ReceiptHandle", handle, told)
        };
        let (_, message) = self.received(queue, &id).await?.ok_or_else(gone)?;
        let now_ms = cx.env.now().millis();
        if message.value.receive_count != count
            || (queue.is_fifo() && message.value.due_ms <= now_ms)
        {
            return Err(gone());
        }
        if message.value.due_ms <= now_ms {
            // Back in the queue and not received again: AWS takes it, without effect.
            return Ok(());
        }
        let mut next = message.value.clone();
        next.due_ms = now_ms.saturating_add(i64::from(seconds) * 1000);
        let hidden_ms = next.due_ms - next.received_ms.unwrap_or(now_ms);
        if hidden_ms > i64::from(VISIBILITY_MAX) * 1000 {
            let told = format!(
                "Total VisibilityTimeout for the message is beyond the limit [{VISIBILITY_MAX} seconds]"
            );
            return Err(invalid("VisibilityTimeout", &seconds.to_string(), &told));
        }
        relocate(batch, queue, &message, &next);
        Ok(())
    }
}
