//! Which messages come next, and which are dead letters.

use std::collections::{HashMap, HashSet};

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Loaded};
use haechi_sqs_model::Error;
use haechi_sse::DataKey;
use haechi_wire::Fault;

use crate::Sqs;
use crate::attributes::Redrive;
use crate::content::remove_content;
use crate::queue::Queue;
use crate::store::{MessageRecord, Place, QueueRecord, ReceiptRecord};

/// Rows of a FIFO queue that are looked through for a group that is free.
const FIFO_ROWS_MAX: u32 = 20_000;

/// Pages of a FIFO queue whose groups are put in order.
const FIFO_PAGES: u32 = 2;

/// Rows that are read at a time.
const PAGE: u32 = 100;

/// Writes after which a transaction takes no further message: a hundred is its limit, and a message
/// of many pieces may come last.
const WRITES_MAX: usize = 60;

/// Where a message goes that was received too often.
struct DeadLetters {
    redrive: Redrive,
    target: Option<(Place, QueueRecord)>,
}

/// A receive in the making.
struct Round<'a> {
    sqs: &'a Sqs,
    queue: &'a Queue,
    now_ms: i64,
    visibility_ms: i64,
    dead_letters: Option<DeadLetters>,
    batch: Batch,
    /// Dead letters that this receive has moved already.
    moved: &'a HashSet<String>,
    taken: Vec<MessageRecord>,
    dead: Vec<String>,
    /// The sequence numbers of those that the batch moves.
    sequences: Vec<u64>,
    /// Rows that go without being handed out: expired, dead.
    cleared: usize,
    /// Writes in the batch, nearly.
    writes: usize,
}

impl Sqs {
    /// Takes up to `max` messages, with what opens them, and hides them for a while; none is no
    /// failure.
    pub(crate) async fn take(
        &self,
        cx: &Cx,
        queue: &Queue,
        max: usize,
        visibility_ms: i64,
    ) -> Result<Vec<(MessageRecord, Option<DataKey>)>, Error> {
        // Two queues may be each other's dead-letter queues: what comes back waits for the next receive.
        let mut moved = HashSet::new();
        loop {
            let mut round = self.round(cx, queue, visibility_ms, &moved).await?;
            if queue.is_fifo() {
                round.fifo(max).await?
            } else {
                round.standard(max).await?
            }
            let Round { batch, taken, dead, cleared, .. } = round;
            if taken.is_empty() && cleared == 0 {
                return Ok(Vec::new());
            }
            // Before they are hidden: what the caller may not open stays for others.
            let mut opened = Vec::with_capacity(taken.len());
            for message in taken {
                let key = self.reading_key(cx, queue, &message).await?;
                opened.push((message, key));
            }
            match self.database.commit(batch).await {
                // Where only dead rows were found, live ones may come behind them.
                Ok(()) if opened.is_empty() => moved.extend(dead),
                Ok(()) => return Ok(opened),
                // Somebody else took them: look again.
                Err(Fault::Conflict) => {}
                Err(fault) => return Err(fault.into()),
            }
        }
    }

    async fn round<'a>(
        &'a self,
        cx: &Cx,
        queue: &'a Queue,
        visibility_ms: i64,
        moved: &'a HashSet<String>,
    ) -> Result<Round<'a>, Fault> {
        Ok(Round {
            sqs: self,
            queue,
            now_ms: cx.env.now().millis(),
            visibility_ms,
            dead_letters: self.dead_letters(queue).await?,
            batch: Batch::new(),
            moved,
            taken: Vec::new(),
            dead: Vec::new(),
            sequences: Vec::new(),
            cleared: 0,
            writes: 0,
        })
    }

    async fn dead_letters(&self, queue: &Queue) -> Result<Option<DeadLetters>, Fault> {
        let Some(redrive) = queue.attributes().redrive() else { return Ok(None) };
        let name = redrive.target_arn.rsplit(':').next().unwrap_or_default();
        let found = self.database.load::<QueueRecord>(&queue.place.queue(name)).await?;
        // A queue that is its own would have each dead letter found again, for ever.
        let target = found
            .filter(|found| found.value.id != queue.record().id)
            .map(|found| (queue.place.clone(), found.value));
        Ok(Some(DeadLetters { redrive, target }))
    }
}

impl Round<'_> {
    /// The rows that are due stand first.
    async fn standard(&mut self, max: usize) -> Result<(), Fault> {
        let prefix = self.queue.place.messages(&self.queue.record().id);
        let limit = u32::try_from(max).unwrap_or(PAGE);
        let page = self.sqs.database.list::<MessageRecord>(&prefix, None, limit).await?;
        for message in page.items {
            if !self.is_due(&message.value) || self.is_full() {
                break;
            }
            self.hand_out(message);
        }
        Ok(())
    }

    /// Of each group in the order of their numbers, as many of one group as there are; first the
    /// group that has been free for longest. That is AWS's order (recorded).
    async fn fifo(&mut self, max: usize) -> Result<(), Fault> {
        for group in self.groups(max).await? {
            for message in group {
                self.hand_out(message);
                if self.taken.len() == max || self.is_full() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Messages that may be handed out, by group; none of a group behind one that is out. Looks at
    /// the first rows, and further only for as long as there are fewer than `max`.
    async fn groups(&self, max: usize) -> Result<Vec<Vec<Loaded<MessageRecord>>>, Fault> {
        let prefix = self.queue.place.messages(&self.queue.record().id);
        let mut groups: Vec<Vec<Loaded<MessageRecord>>> = Vec::new();
        let (mut places, mut busy) = (HashMap::new(), HashSet::new());
        let (mut from, mut found) = (None, 0);
        for read in 1..=FIFO_ROWS_MAX / PAGE {
            let page =
                self.sqs.database.list::<MessageRecord>(&prefix, from.as_ref(), PAGE).await?;
            for message in page.items {
                let name = message.value.group_id.clone().unwrap_or_default();
                if busy.contains(&name) {
                    continue;
                }
                if !self.is_due(&message.value) {
                    busy.insert(name);
                    continue;
                }
                let place = *places.entry(name).or_insert(groups.len());
                match groups.get_mut(place) {
                    Some(group) => group.push(message),
                    None => groups.push(vec![message]),
                }
                found += 1;
            }
            from = page.next;
            if from.is_none() || (read >= FIFO_PAGES && found >= max) {
                break;
            }
        }
        groups.sort_by_key(|group| {
            group.first().map(|first| (first.value.due_ms, first.value.sequence))
        });
        Ok(groups)
    }

    fn is_due(&self, message: &MessageRecord) -> bool {
        message.due_ms <= self.now_ms && !self.moved.contains(&message.id)
    }

    /// Takes a message that is due; one that has expired, or was received too often, goes.
    fn hand_out(&mut self, message: Loaded<MessageRecord>) {
        let retention_ms = self.queue.attributes().retention_ms();
        if message.value.expires_ms(retention_ms) <= self.now_ms {
            self.cleared += 1;
            self.forget(&message);
            self.writes += remove_content(&mut self.batch, &self.queue.place, &message.value);
            return;
        }
        let apart = self.apart(message.value.sequence);
        let mut next = message.value.clone();
        next.receive_count = next.receive_count.saturating_add(1);
        if let Some(DeadLetters { redrive, target: Some((place, target)) }) = &self.dead_letters
            && next.receive_count > redrive.receive_max
        {
            next.source_arn = Some(self.queue.arn.clone());
            // It counts as received by nobody yet there, and AWS leaves the count as it was.
            next.receive_count = message.value.receive_count;
            next.due_ms = self.now_ms.saturating_add(apart);
            // Developer Guide, "Using dead-letter queues". Pieces are kept for as long as a message
            // may lie that was sent when they were, so the age of long messages stays.
            if self.queue.is_fifo() && next.pieces == 0 {
                next.enqueued_ms = Some(self.now_ms);
            }
            self.dead.push(next.id.clone());
            self.batch.create(place.message(target, next.due_ms, next.sequence), &next);
            self.cleared += 1;
            self.forget(&message);
            return;
        }
        next.first_received_ms = next.first_received_ms.or(Some(self.now_ms));
        next.received_ms = Some(self.now_ms);
        next.due_ms = self.now_ms.saturating_add(self.visibility_ms).saturating_add(apart);
        relocate(&mut self.batch, self.queue, &message, &next);
        self.writes += 3;
        self.taken.push(next);
    }

    /// Milliseconds by which a message is put apart from others with its sequence number: two nodes
    /// may have given the same one, and a batch writes no row twice.
    fn apart(&mut self, sequence: u64) -> i64 {
        let twins = self.sequences.iter().filter(|known| **known == sequence).count();
        self.sequences.push(sequence);
        i64::try_from(twins).unwrap_or(0)
    }

    /// Whether the batch may not take another message.
    fn is_full(&self) -> bool {
        self.writes > WRITES_MAX
    }

    fn forget(&mut self, message: &Loaded<MessageRecord>) {
        let queue = &self.queue.record().id;
        self.writes += 3;
        self.batch.remove(message);
        self.batch.delete(self.queue.place.receipt(queue, &message.value.id));
    }
}

/// Writes a message whose time has changed, and where it now lies.
pub(crate) fn relocate(
    batch: &mut Batch,
    queue: &Queue,
    old: &Loaded<MessageRecord>,
    new: &MessageRecord,
) {
    let (place, record) = (&queue.place, queue.record());
    let path = |message: &MessageRecord| place.message(record, message.due_ms, message.sequence);
    if path(&old.value) == path(new) {
        batch.replace(old, new);
    } else {
        batch.remove(old);
        batch.create(path(new), new);
    }
    let receipt =
        ReceiptRecord { sequence: new.sequence, due_ms: new.due_ms, unknown: Unknown::new() };
    batch.put(place.receipt(&record.id, &new.id), &receipt);
}

#[cfg(test)]
mod tests;
