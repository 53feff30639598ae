//! Export and import in the logical format.
//!
//! An import of any size is all or nothing: its rows go to a generation that nobody reads, and one
//! write to the master row makes it the one that counts. Archives of a few megabytes are read and
//! checked to their end before anything is written.

use std::{
    io::{BufReader, BufWriter, Read, Write},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use haechi_store::{
    Kv, LeaseId, Rev, StoreError,
    archive::{Reader, Summary, Writer},
    limits,
};
use tokio::{sync::mpsc, task::JoinHandle, time::Instant};

use crate::{
    client::path,
    compact::delete,
    fault::{Fault, Kind},
    layout::{Epoch, end_of},
    message::{Comparison, Operand, RequestOp, TxnRequest, TxnResponse},
    read::after,
    store::Shared,
    txn::{compare, lease_number, put},
};

/// Most rows that an export reads at once.
const EXPORT_ROWS: usize = 1000;
/// How much of an import is held until its end is known.
const HELD_BYTES_MAX: usize = 8 * 1024 * 1024;
/// How long an export's hold on its revision outlives its process; a long export keeps it alive.
const HOLD: Duration = Duration::from_secs(60);

impl Shared {
    pub(crate) async fn export(
        self: Arc<Self>,
        writer: Box<dyn Write + Send>,
    ) -> Result<Summary, StoreError> {
        let epoch = self.open()?;
        let (_, now) = self.rows(&[self.layout.master()], 0).await.map_err(Fault::into_error)?;
        let (pages, file) = write_pages(writer, epoch.rev(now));
        let mut hold = None;
        let sent = self.send_pages(&epoch, now, pages, &mut hold).await;
        if let Some(hold) = hold {
            // If it fails, the hold ends by itself.
            drop(self.revoke(hold).await);
        }
        let outcome = joined(file.await);
        sent.and(outcome)
    }

    async fn send_pages(
        &self,
        epoch: &Epoch,
        revision: i64,
        pages: mpsc::Sender<Vec<Kv>>,
        hold: &mut Option<LeaseId>,
    ) -> Result<(), StoreError> {
        let start = self.layout.generation(epoch.generation);
        let (mut key, end) = (start.clone(), end_of(&start));
        let mut kept = Instant::now();
        loop {
            let part = self.part(key, end.clone(), EXPORT_ROWS, revision).await;
            let (answer, _) = part.map_err(Fault::into_error)?;
            key = answer.rows.last().map_or_else(Bytes::new, |row| after(&row.key));
            let rows = answer.rows.iter().filter(|row| row.lease == 0);
            let page = rows.map(|row| self.layout.kv(epoch, row)).collect();
            // Who writes has failed, and says why itself.
            if pages.send(page).await.is_err() || !answer.more {
                return Ok(());
            }
            match hold {
                None => *hold = Some(self.hold(epoch, revision).await?),
                Some(hold) if kept.elapsed() > HOLD / 4 => {
                    self.keep_alive(*hold).await?;
                    kept = Instant::now();
                }
                Some(_) => {}
            }
        }
    }

    /// Keeps a revision from being compacted by this or another node.
    async fn hold(&self, epoch: &Epoch, revision: i64) -> Result<LeaseId, StoreError> {
        let lease = self.grant(HOLD).await?.id;
        let number = lease_number(epoch, lease);
        let value = Bytes::from(revision.to_string());
        let mark = TxnRequest {
            success: vec![put(self.layout.export(number), value, number)],
            ..TxnRequest::default()
        };
        let marked = self.client.call::<_, TxnResponse>(path::TXN, mark).await;
        marked.map_err(Fault::into_error)?;
        Ok(lease)
    }

    pub(crate) async fn import(
        self: Arc<Self>,
        reader: Box<dyn Read + Send>,
    ) -> Result<Summary, StoreError> {
        let epoch = self.open()?;
        self.must_be_new(&epoch).await?;
        let mut next = Epoch { generation: epoch.generation.wrapping_add(1), ..epoch };
        let (mut chunks, file) = read_chunks(reader);
        let (mut held, mut bytes, mut begun) = (Vec::new(), 0, false);
        let mut failure = None;
        while let Some(chunk) = chunks.recv().await {
            bytes += chunk.iter().map(size).sum::<usize>();
            held.push(chunk);
            if bytes > HELD_BYTES_MAX {
                if !begun {
                    self.make_room(&mut next).await?;
                }
                (begun, bytes) = (true, 0);
                failure = self.write_chunks(&next, std::mem::take(&mut held)).await.err();
            }
            if failure.is_some() {
                break;
            }
        }
        drop(chunks);
        let mut outcome = match failure {
            Some(fault) => Err(fault.into_error()),
            None => joined(file.await),
        };
        if outcome.is_ok()
            && let Err(fault) = self.finish(&mut next, held, begun, &outcome).await
        {
            outcome = Err(fault);
        }
        if outcome.is_err() && begun {
            self.abandon(&next).await?;
        }
        outcome
    }

    /// Writes the rest and makes the new generation the one that counts.
    async fn finish(
        &self,
        next: &mut Epoch,
        held: Vec<Vec<Kv>>,
        begun: bool,
        summary: &Result<Summary, StoreError>,
    ) -> Result<(), StoreError> {
        if !begun {
            self.make_room(next).await?;
        }
        self.write_chunks(next, held).await.map_err(Fault::into_error)?;
        let first = summary.as_ref().map_or(0, |summary| summary.rev.0);
        self.turn(next, first, next.generation).await
    }

    /// Removes what was written, and gives the store the revision back that it had.
    async fn abandon(&self, next: &Epoch) -> Result<(), StoreError> {
        self.clear(next).await?;
        self.restate().await
    }

    /// Writes the master row anew as it is: whatever required it and comes late does nothing.
    async fn restate(&self) -> Result<(), StoreError> {
        let epoch = self.open()?;
        self.turn(&epoch, epoch.first, epoch.generation).await
    }

    /// Empties the next generation, before anything is written there.
    async fn make_room(&self, next: &mut Epoch) -> Result<(), StoreError> {
        if self.clear(next).await? {
            self.restate().await?;
            next.base = self.open()?.base;
        }
        Ok(())
    }

    /// Writes the master row.
    async fn turn(&self, epoch: &Epoch, first: u64, generation: u32) -> Result<(), StoreError> {
        let master = self.layout.master();
        let request = TxnRequest {
            compare: vec![compare(master.clone(), Comparison::Equal, Operand::Mod(epoch.base))],
            success: vec![put(master.clone(), Epoch::value(first, generation), 0)],
            failure: Vec::new(),
        };
        let answer = self.client.call::<_, TxnResponse>(path::TXN, request).await;
        answer.map_err(Fault::into_write_error)?;
        let (rows, _) = self.rows(&[master], 0).await.map_err(Fault::into_write_error)?;
        let now = rows.iter().flatten().next().map(Epoch::read).transpose()?;
        let done = now.filter(|now| (now.first, now.generation) == (first, generation));
        let Some(now) = done else {
            let fault = self.strange("somebody else has imported or rewritten the master row");
            return Err(Fault { kind: Kind::Replaced, ..fault }.into_error());
        };
        if let Ok(mut epoch) = self.epoch.write() {
            *epoch = now;
        }
        Ok(())
    }

    /// New is a store that has no rows and in which nobody has ever written.
    async fn must_be_new(&self, epoch: &Epoch) -> Result<(), StoreError> {
        for start in [self.layout.generation(epoch.generation), self.layout.slots()] {
            let end = end_of(&start);
            let (answer, now) = self.part(start, end, 1, 0).await.map_err(Fault::into_error)?;
            if !answer.rows.is_empty() {
                return Err(StoreError::NotEmpty { rev: epoch.rev(now) });
            }
        }
        Ok(())
    }

    /// Removes what an import that was cut off has left in a generation; whether some of it may be done
    /// again, late.
    async fn clear(&self, generation: &Epoch) -> Result<bool, StoreError> {
        let start = self.layout.generation(generation.generation);
        let end = end_of(&start);
        let mut doubtful = false;
        loop {
            // In pieces: one large delete would hold up everybody.
            let part = self.part(start.clone(), end.clone(), EXPORT_ROWS, 0).await;
            let (answer, _) = part.map_err(Fault::into_error)?;
            let Some(last) = answer.rows.last() else { return Ok(doubtful) };
            let piece = vec![delete(start.clone(), after(&last.key))];
            doubtful |= self.replace(generation, piece).await.map_err(Fault::into_error)?;
        }
    }

    /// Does something in a generation that does not count yet, as long as the master row is as it was;
    /// whether it may be done again, late.
    async fn replace(&self, generation: &Epoch, success: Vec<RequestOp>) -> Result<bool, Fault> {
        let unchanged = Operand::Mod(generation.base);
        let request = TxnRequest {
            compare: vec![compare(self.layout.master(), Comparison::Equal, unchanged)],
            success,
            failure: Vec::new(),
        };
        let reply = self.client.call::<_, TxnResponse>(path::TXN, request).await?;
        if reply.message.succeeded {
            return Ok(reply.doubtful);
        }
        let fault = self.strange("somebody else has imported or rewritten the master row");
        Err(Fault { kind: Kind::Replaced, ..fault })
    }

    async fn write_chunks(&self, next: &Epoch, chunks: Vec<Vec<Kv>>) -> Result<(), Fault> {
        for chunk in chunks {
            let row = |kv: &Kv| -> RequestOp {
                put(self.layout.row(next, &kv.key), kv.value.clone().into_bytes(), 0)
            };
            // A copy that comes late finds another master row.
            self.replace(next, chunk.iter().map(row).collect()).await?;
        }
        Ok(())
    }
}

type File<T> = JoinHandle<Result<T, StoreError>>;

/// A thread that writes an archive: files do not wait without blocking.
fn write_pages(writer: Box<dyn Write + Send>, rev: Rev) -> (mpsc::Sender<Vec<Kv>>, File<Summary>) {
    let (sender, mut pages) = mpsc::channel::<Vec<Kv>>(2);
    let file = tokio::task::spawn_blocking(move || {
        let mut writer = Writer::new(BufWriter::new(writer), rev)?;
        while let Some(page) = pages.blocking_recv() {
            for kv in &page {
                writer.row(kv)?;
            }
        }
        writer.finish()
    });
    (sender, file)
}

/// A thread that reads an archive, in pieces that are a transaction each.
fn read_chunks(reader: Box<dyn Read + Send>) -> (mpsc::Receiver<Vec<Kv>>, File<Summary>) {
    let (sender, chunks) = mpsc::channel(2);
    let file = tokio::task::spawn_blocking(move || {
        let mut reader = Reader::new(BufReader::new(reader))?;
        let (mut chunk, mut bytes) = (Vec::new(), 0);
        while let Some(kv) = reader.next_row()? {
            let full = chunk.len() == limits::TXN_OPS_MAX
                || bytes + size(&kv) > limits::TXN_BYTES_MAX && !chunk.is_empty();
            if full && sender.blocking_send(std::mem::take(&mut chunk)).is_err() {
                return Err(StoreError::Closed);
            }
            bytes = if full { 0 } else { bytes } + size(&kv);
            chunk.push(kv);
        }
        let summary = reader.finish()?;
        // Who does not take it has failed, and says why.
        drop(sender.blocking_send(chunk));
        Ok(summary)
    });
    (chunks, file)
}

fn size(kv: &Kv) -> usize {
    kv.key.as_bytes().len() + kv.value.as_bytes().len()
}

fn joined<T>(file: Result<Result<T, StoreError>, tokio::task::JoinError>) -> Result<T, StoreError> {
    // The thread ended without an answer: it panicked, or the runtime is going down.
    file.unwrap_or(Err(StoreError::Closed))
}
