//! The thread that writes: takes what is queued, commits it as one group, then answers.
//!
//! A group is one SQLite transaction, so one sync to disk. Nobody is answered before the commit,
//! not even a conflict: it may have been judged by what the same group wrote. If SQLite fails
//! inside a group, the group is rolled back and its members are tried one by one, so that one
//! that is too large for the disk does not take others with it.

use std::{
    io::Read,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use haechi_store::{Cond, LeaseId, Op, Options, Rev, StoreError, TxnError, archive::Summary};
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::{
    fault,
    lock::Lock,
    maintain,
    schema::State,
    write::{Group, millis},
};

/// Most transactions in one group.
const GROUP_MAX: usize = 256;
/// Most bytes in one group, roughly: bounds memory and the time until the first answer.
const GROUP_BYTES_MAX: usize = 8 * 1024 * 1024;

/// What is written.
pub(crate) enum Change {
    Txn { when: Vec<Cond>, then: Vec<Op> },
    Lease { ttl: Duration },
    KeepAlive { lease: LeaseId },
    Revoke { lease: LeaseId },
    Expire,
}

/// The store's revision after the change; for a lease, its id.
pub(crate) type Answer = Result<Rev, TxnError>;

/// What the thread is asked for.
pub(crate) enum Command {
    Change(Change, oneshot::Sender<Answer>),
    Import(Box<dyn Read + Send>, oneshot::Sender<Result<Summary, StoreError>>),
    Close(oneshot::Sender<Result<(), StoreError>>),
}

/// What the thread tells everyone else.
pub(crate) struct Shared {
    pub(crate) progress: tokio::sync::watch::Sender<haechi_store::Progress>,
    /// When the next lease ends, in milliseconds since the epoch.
    pub(crate) next_deadline_ms: AtomicI64,
}

pub(crate) struct Writer {
    pub(crate) connection: Connection,
    pub(crate) path: PathBuf,
    pub(crate) state: State,
    pub(crate) options: Options,
    pub(crate) shared: Arc<Shared>,
    pub(crate) queue: mpsc::Receiver<Command>,
    /// Released when the database is closed.
    pub(crate) lock: Lock,
    /// Set when a sync failed: what is on disk is unknown, so nothing is written any more.
    pub(crate) stopped: Option<String>,
}

type Waiting = (Change, oneshot::Sender<Answer>);

impl Writer {
    /// Serves the queue until it is closed.
    pub(crate) fn run(mut self) {
        let mut asked = None;
        while let Some(command) = self.queue.blocking_recv() {
            let after = match command {
                Command::Change(change, reply) => self.group((change, reply)),
                other => Some(other),
            };
            match after {
                Some(Command::Import(reader, reply)) => {
                    // A caller that went away needs no answer, here and below.
                    drop(reply.send(self.import(reader)));
                }
                Some(Command::Close(reply)) => {
                    asked = Some(reply);
                    break;
                }
                Some(Command::Change(change, reply)) => {
                    self.group((change, reply));
                }
                None => {}
            }
        }
        self.close(asked);
    }

    /// Commits `first` and what is queued behind it; returns the command that ended the group.
    fn group(&mut self, first: Waiting) -> Option<Command> {
        let mut bytes = size(&first.0);
        let mut waiting = vec![first];
        let mut after = None;
        while waiting.len() < GROUP_MAX && bytes < GROUP_BYTES_MAX {
            match self.queue.try_recv() {
                Ok(Command::Change(change, reply)) => {
                    bytes += size(&change);
                    waiting.push((change, reply));
                }
                Ok(other) => {
                    after = Some(other);
                    break;
                }
                Err(_) => break,
            }
        }
        match self.commit(waiting.iter().map(|(change, _)| change)) {
            Ok(answers) => answer(waiting, answers),
            Err(error) if waiting.len() == 1 => answer(waiting, vec![Err(error.into())]),
            Err(_) => {
                for (change, reply) in waiting {
                    let one = self.commit(std::iter::once(&change));
                    let answers = one.unwrap_or_else(|error| vec![Err(error.into())]);
                    answer(vec![(change, reply)], answers);
                }
            }
        }
        after
    }

    /// Writes the changes as one SQLite transaction. `Err` means that none was written.
    fn commit<'a>(
        &mut self,
        changes: impl Iterator<Item = &'a Change>,
    ) -> Result<Vec<Answer>, StoreError> {
        if let Some(detail) = &self.stopped {
            let detail = format!("stopped writing after a failed sync ({detail}): restart");
            return Err(StoreError::Engine { path: self.path.clone(), detail });
        }
        let outcome = self.try_commit(changes);
        if let Err(error) = &outcome {
            if let StoreError::OutcomeUnknown { detail, .. } = error {
                self.stopped = Some(detail.clone());
            }
            // SQLite may have rolled back by itself.
            if !self.connection.is_autocommit() {
                self.connection
                    .execute_batch("ROLLBACK")
                    .map_err(|error| fault::sqlite(&self.path, &error))?;
            }
        }
        let (answers, state, deadline) = outcome?;
        self.state = state;
        self.shared.next_deadline_ms.store(deadline, Ordering::SeqCst);
        self.shared.progress.send_if_modified(|progress| {
            let moved = progress.rev != state.rev;
            progress.rev = state.rev;
            moved
        });
        Ok(answers)
    }

    fn try_commit<'a>(
        &self,
        changes: impl Iterator<Item = &'a Change>,
    ) -> Result<(Vec<Answer>, State, i64), StoreError> {
        let sqlite = |error| fault::sqlite(&self.path, &error);
        self.connection.execute_batch("BEGIN IMMEDIATE").map_err(sqlite)?;
        let mut group = Group { connection: &self.connection, path: &self.path, state: self.state };
        let now = self.options.clock.now();
        let mut deadline = self.shared.next_deadline_ms.load(Ordering::SeqCst);
        let mut leases_changed = deadline <= millis(now);
        if leases_changed {
            group.expire(now)?;
        }
        let mut answers = Vec::new();
        for change in changes {
            leases_changed |= !matches!(change, Change::Txn { .. } | Change::Expire);
            let answer = run(&mut group, change, now);
            match answer {
                Err(TxnError::Store(error)) if is_engine_failure(&error) => return Err(error),
                answer => answers.push(answer),
            }
        }
        if leases_changed {
            deadline = group.next_deadline().map_err(sqlite)?;
        }
        if group.state != self.state {
            let to = compaction(group.state, self.options.history);
            group.finish(to).map_err(sqlite)?;
        }
        let state = group.state;
        self.connection.execute_batch("COMMIT").map_err(sqlite)?;
        Ok((answers, state, deadline))
    }

    fn import(&mut self, reader: Box<dyn Read + Send>) -> Result<Summary, StoreError> {
        let summary = maintain::import(&self.connection, &self.path, self.state, reader)?;
        self.state = State { rev: summary.rev, compacted: summary.rev };
        self.shared.progress.send_modify(|progress| progress.rev = summary.rev);
        Ok(summary)
    }

    fn close(self, asked: Option<oneshot::Sender<Result<(), StoreError>>>) {
        // Moves the log into the database, so that the file alone is the store.
        let checkpoint = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .map_err(|error| fault::sqlite(&self.path, &error));
        let closed =
            self.connection.close().map_err(|(_, error)| fault::sqlite(&self.path, &error));
        drop(self.lock);
        self.shared.progress.send_modify(|progress| progress.closed = true);
        if let Some(reply) = asked {
            drop(reply.send(checkpoint.and(closed)));
        }
    }
}

fn answer(waiting: Vec<Waiting>, answers: Vec<Answer>) {
    for ((_, reply), answer) in waiting.into_iter().zip(answers) {
        // The caller may have gone away.
        drop(reply.send(answer));
    }
}

fn run(group: &mut Group<'_>, change: &Change, now: Duration) -> Answer {
    match change {
        Change::Txn { when, then } => return group.transact(when, then),
        Change::Lease { ttl } => return Ok(group.grant(*ttl, now)?.0),
        Change::KeepAlive { lease } => group.keep_alive(*lease, now)?,
        Change::Revoke { lease } => group.revoke(*lease)?,
        Change::Expire => {}
    }
    Ok(group.state.rev)
}

/// Refusals are answers; everything else spoils the group.
fn is_engine_failure(error: &StoreError) -> bool {
    !matches!(error, StoreError::LeaseNotFound { .. })
}

/// How far to forget now: not for every revision, but before much piles up.
fn compaction(state: State, history: u64) -> Option<Rev> {
    let target = Rev(state.rev.0.saturating_sub(history));
    let step = (history / 8).clamp(1, 128);
    (target.0 >= state.compacted.0.saturating_add(step)).then_some(target)
}

fn size(change: &Change) -> usize {
    let Change::Txn { then, .. } = change else { return 0 };
    let bytes = |op: &Op| match op {
        Op::Put { key, value, .. } => key.as_bytes().len() + value.as_bytes().len(),
        Op::Delete { key } => key.as_bytes().len(),
    };
    then.iter().map(bytes).sum()
}
