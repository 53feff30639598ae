//! Transactions: etcd's compare-and-write, sent until its outcome is known.

use std::collections::BTreeMap;

use bytes::Bytes;
use haechi_store::{Cond, Conflict, Key, LeaseId, Op, Rev, StoreError, TxnError};

use crate::{
    client::path,
    fault::{Fault, Kind},
    layout::Epoch,
    message::{
        Compare, Comparison, DeleteRangeRequest, Operand, PutRequest, RangeRequest, Request,
        RequestOp, Response, ResponseOp, Row, Target, TxnRequest, TxnResponse,
    },
    slot::Slot,
    store::Shared,
};

/// Operations, or conditions, that etcd takes in one transaction (`--max-txn-ops`).
const OPERATIONS_MAX: usize = 128;

/// What is asked of etcd, before a slot is added.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    /// The caller's preconditions, in their order.
    pub when: Vec<Compare>,
    pub then: Vec<RequestOp>,
}

/// How a plan ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It holds since this revision of etcd's.
    Done(i64),
    /// Precondition `index` did not hold.
    Conflict { index: usize, revision: i64 },
}

/// etcd's revisions of rows that an import wrote: who was asked for, and whether for the last write
/// (true) or the first.
type Imported = BTreeMap<(Key, bool), i64>;

/// How one attempt ended.
enum Attempt {
    Finished(Outcome),
    /// The slot's row had been swept; nothing was done.
    Again,
}

impl Shared {
    /// A transaction of the caller's.
    pub(crate) async fn transact(&self, when: &[Cond], then: Vec<Op>) -> Result<Rev, TxnError> {
        let epoch = self.open()?;
        let imported = self.imported(&epoch, when).await?;
        let plan = Plan {
            when: when.iter().map(|cond| self.compare(&epoch, cond, &imported)).collect(),
            then: then.iter().map(|op| self.request(&epoch, op)).collect(),
        };
        let leases = then.iter().filter_map(|op| match op {
            Op::Put { lease, .. } => *lease,
            Op::Delete { .. } => None,
        });
        let leases: Vec<LeaseId> = leases.collect();
        match self.run(&epoch, plan).await {
            Ok(Outcome::Done(revision)) => Ok(epoch.rev(revision)),
            Ok(Outcome::Conflict { index, revision }) => {
                Err(Conflict { index, rev: epoch.rev(revision) }.into())
            }
            Err(fault) if fault.kind == Kind::LeaseNotFound => {
                Err(self.missing(&epoch, &leases, fault).await.into())
            }
            Err(fault) => Err(fault.into_write_error().into()),
        }
    }

    /// Sends a plan until its outcome is known.
    pub(crate) async fn run(&self, epoch: &Epoch, plan: Plan) -> Result<Outcome, Fault> {
        if plan.then.is_empty() {
            let reply = self.client.call(path::TXN, self.reading(epoch, &plan)).await?;
            return match self.judge(epoch, &plan, None, &reply.message)? {
                Attempt::Finished(outcome) => Ok(outcome),
                Attempt::Again => Err(self.strange("a read that wants a slot")),
            };
        }
        let Some((mut slot, _place)) = self.slots.take().await else {
            return Err(Fault { kind: Kind::Closed, ..self.strange("the store is closed") });
        };
        loop {
            let mark = self.slots.mark();
            let request = self.writing(epoch, &plan, &slot, &mark);
            let reply = match self.group.send(request).await {
                Ok(reply) => reply,
                Err(fault) if fault.doubtful => {
                    self.slots.doubt();
                    return Err(fault);
                }
                Err(fault) => {
                    let done = match fault.kind {
                        Kind::NoSpace => self.done_without_space(&mut slot, &mark).await?,
                        _ => None,
                    };
                    self.slots.put(slot);
                    return done.map(Outcome::Done).ok_or(fault);
                }
            };
            let mut outcome = self.judge(epoch, &plan, Some((&mut slot, &mark)), &reply.message)?;
            let nothing_to_do = reply.message.succeeded && !writes(&reply.message.responses);
            let conflict = matches!(outcome, Attempt::Finished(Outcome::Conflict { .. }));
            if reply.doubtful {
                self.slots.doubt();
            }
            if reply.doubtful && (nothing_to_do || conflict) {
                // An earlier attempt may be on its way yet, and find that the conflict is over, or
                // rows that were not there to be deleted.
                if let Some(revision) = self.fence(&mut slot, &mark).await? {
                    outcome = Attempt::Finished(Outcome::Done(revision));
                }
            }
            if let Attempt::Finished(outcome) = outcome {
                self.slots.put(slot);
                return Ok(outcome);
            }
        }
    }

    /// Makes sure that nothing with `mark` can be done any more; the revision at which it was.
    async fn fence(&self, slot: &mut Slot, mark: &Bytes) -> Result<Option<i64>, Fault> {
        let key = self.layout.slot(self.id, slot.number);
        let request = TxnRequest {
            compare: vec![compare(key.clone(), Comparison::Equal, Operand::Mod(slot.revision))],
            success: vec![put(key.clone(), self.slots.mark(), 0)],
            failure: vec![read(key)],
        };
        let doubt = |fault| Fault { doubtful: true, ..fault };
        let answer =
            self.client.call::<_, TxnResponse>(path::TXN, request).await.map_err(doubt)?.message;
        let header = answer.header.unwrap_or_default();
        if answer.succeeded {
            slot.revision = header.revision;
            return Ok(None);
        }
        let row = rows(&answer.responses).next().flatten();
        slot.revision = row.map_or(0, |row| row.mod_revision);
        Ok(row.filter(|row| row.value == *mark).map(|row| row.mod_revision))
    }

    /// etcd does a write that it had let in before its space ran out, and answers that there is no
    /// space all the same (its issue 16659): the slot's row tells which. The revision at which it was
    /// done.
    async fn done_without_space(
        &self,
        slot: &mut Slot,
        mark: &Bytes,
    ) -> Result<Option<i64>, Fault> {
        let key = self.layout.slot(self.id, slot.number);
        let doubt = |fault| Fault { doubtful: true, ..fault };
        let (rows, _) = self.rows(&[key], 0).await.map_err(doubt)?;
        let row = rows.into_iter().flatten().next();
        slot.revision = row.as_ref().map_or(0, |row| row.mod_revision);
        Ok(row.filter(|row| row.value == *mark).map(|row| row.mod_revision))
    }

    fn judge(
        &self,
        epoch: &Epoch,
        plan: &Plan,
        slot: Option<(&mut Slot, &Bytes)>,
        answer: &TxnResponse,
    ) -> Result<Attempt, Fault> {
        let revision = answer.header.unwrap_or_default().revision;
        if answer.succeeded {
            if let Some((slot, _)) = slot
                && writes(&answer.responses)
            {
                slot.revision = revision;
            }
            return Ok(Attempt::Finished(Outcome::Done(revision)));
        }
        let mut rows = rows(&answer.responses);
        let master = rows.next().flatten();
        if master.map_or(0, |row| row.mod_revision) != epoch.base {
            let detail = "another import, or another program, has rewritten the master row";
            return Err(Fault { kind: Kind::Replaced, ..self.strange(detail) });
        }
        if let Some((slot, mark)) = slot {
            let row = rows.next().flatten();
            let found = row.map_or(0, |row| row.mod_revision);
            let was = std::mem::replace(&mut slot.revision, found);
            if let Some(row) = row.filter(|row| row.value == *mark) {
                return Ok(Attempt::Finished(Outcome::Done(row.mod_revision)));
            }
            if found != was {
                return Ok(Attempt::Again);
            }
        }
        let failed = plan.when.iter().zip(rows).position(|(when, row)| !holds(when, row));
        match failed {
            Some(index) => Ok(Attempt::Finished(Outcome::Conflict { index, revision })),
            None => Err(self.strange("a transaction failed whose preconditions hold")),
        }
    }

    /// A transaction that only looks.
    fn reading(&self, epoch: &Epoch, plan: &Plan) -> TxnRequest {
        let mut request = self.guarded(epoch, plan);
        request.failure.extend(plan.when.iter().map(look));
        // With nothing to do in it etcd would not ask the majority.
        request.success.push(read(self.layout.master()));
        request
    }

    /// A transaction that writes, in a slot.
    fn writing(&self, epoch: &Epoch, plan: &Plan, slot: &Slot, mark: &Bytes) -> TxnRequest {
        let mut request = self.guarded(epoch, plan);
        let key = self.layout.slot(self.id, slot.number);
        request.compare.push(compare(key.clone(), Comparison::Equal, Operand::Mod(slot.revision)));
        request.failure.push(read(key.clone()));
        request.failure.extend(plan.when.iter().map(look));
        let mark = put(key, mark.clone(), 0);
        let deleted: Option<Vec<Compare>> = plan.then.iter().map(absent).collect();
        // etcd counts what is nested with what it is nested in.
        let fits = request.compare.len() + plan.then.len() < OPERATIONS_MAX;
        match deleted.filter(|_| fits) {
            // Only deletes: if none of the rows is there, nothing is to be written, no mark either.
            Some(absent) => request.success.push(
                Request::Txn(TxnRequest {
                    compare: absent,
                    success: Vec::new(),
                    failure: plan.then.iter().cloned().chain([mark]).collect(),
                })
                .into(),
            ),
            None => request.success = plan.then.iter().cloned().chain([mark]).collect(),
        }
        request
    }

    fn guarded(&self, epoch: &Epoch, plan: &Plan) -> TxnRequest {
        let master = self.layout.master();
        let mut compares = plan.when.clone();
        compares.push(compare(master.clone(), Comparison::Equal, Operand::Mod(epoch.base)));
        TxnRequest { compare: compares, success: Vec::new(), failure: vec![read(master)] }
    }

    fn compare(&self, epoch: &Epoch, cond: &Cond, imported: &Imported) -> Compare {
        let row = |key: &Key| self.layout.row(epoch, key);
        let revision = |key: &Key, rev: &Rev, modified: bool| {
            if *rev == Rev::ZERO {
                return 0;
            }
            let exact = (rev.0 == epoch.first).then(|| imported.get(&(key.clone(), modified)));
            // -1 is no row's.
            exact.flatten().copied().or_else(|| epoch.revision(*rev)).unwrap_or(-1)
        };
        let (equal, greater) = (Comparison::Equal, Comparison::Greater);
        match cond {
            Cond::ModRev(key, rev) => {
                compare(row(key), equal, Operand::Mod(revision(key, rev, true)))
            }
            Cond::CreateRev(key, rev) => {
                compare(row(key), equal, Operand::Create(revision(key, rev, false)))
            }
            Cond::Absent(key) => compare(row(key), equal, Operand::Create(0)),
            Cond::Exists(key) => compare(row(key), greater, Operand::Create(0)),
            Cond::Equals(key, value) => {
                compare(row(key), equal, Operand::Value(value.clone().into_bytes()))
            }
            Cond::Held(lease) => {
                compare(self.layout.lease(lease_number(epoch, *lease)), greater, Operand::Create(0))
            }
        }
    }

    /// The rows of an import were written at several of etcd's revisions, which are one of the
    /// store's. A precondition on it needs to know which.
    async fn imported(&self, epoch: &Epoch, when: &[Cond]) -> Result<Imported, StoreError> {
        let keys: Vec<(Key, bool)> = when
            .iter()
            .filter_map(|cond| match cond {
                Cond::ModRev(key, rev) if rev.0 == epoch.first => Some((key.clone(), true)),
                Cond::CreateRev(key, rev) if rev.0 == epoch.first => Some((key.clone(), false)),
                _ => None,
            })
            .filter(|_| epoch.first > 0)
            .collect();
        if keys.is_empty() {
            return Ok(Imported::new());
        }
        let named: Vec<Bytes> = keys.iter().map(|(key, _)| self.layout.row(epoch, key)).collect();
        let (rows, _) = self.rows(&named, 0).await.map_err(Fault::into_error)?;
        let found = keys.into_iter().zip(rows).map(|((key, modified), row)| {
            let revision =
                row.map_or(-1, |row| if modified { row.mod_revision } else { row.create_revision });
            let revision = if (1..=epoch.base).contains(&revision) { revision } else { -1 };
            ((key, modified), revision)
        });
        Ok(found.collect())
    }

    fn request(&self, epoch: &Epoch, op: &Op) -> RequestOp {
        match op {
            Op::Put { key, value, lease } => {
                let lease = lease.map_or(0, |lease| lease_number(epoch, lease));
                put(self.layout.row(epoch, key), value.clone().into_bytes(), lease)
            }
            Op::Delete { key } => Request::DeleteRange(DeleteRangeRequest {
                key: self.layout.row(epoch, key),
                range_end: Bytes::new(),
            })
            .into(),
        }
    }

    /// Which of the leases does not exist.
    async fn missing(&self, epoch: &Epoch, leases: &[LeaseId], fault: Fault) -> StoreError {
        let keys: Vec<Bytes> =
            leases.iter().map(|lease| self.layout.lease(lease_number(epoch, *lease))).collect();
        let rows = match self.rows(&keys, 0).await {
            Ok((rows, _)) => rows,
            Err(fault) => return fault.into_error(),
        };
        let missing = leases.iter().zip(rows).find(|(_, row)| row.is_none());
        match missing.map(|(lease, _)| lease).or(leases.first()) {
            Some(lease) => StoreError::LeaseNotFound { lease: *lease },
            None => fault.into_error(),
        }
    }

    pub(crate) fn strange(&self, detail: &str) -> Fault {
        Fault {
            kind: Kind::Other,
            endpoint: self.client.url(),
            detail: detail.to_owned(),
            doubtful: false,
        }
    }
}

/// etcd's id of a lease: the revision that granted it, as etcd counts.
pub(crate) fn lease_number(epoch: &Epoch, lease: LeaseId) -> i64 {
    // -1 is no lease's: ids are revisions.
    epoch.revision(lease.0).unwrap_or(-1)
}

pub(crate) fn put(key: Bytes, value: Bytes, lease: i64) -> RequestOp {
    Request::Put(PutRequest { key, value, lease }).into()
}

pub(crate) fn read(key: Bytes) -> RequestOp {
    Request::Range(RangeRequest { key, ..RangeRequest::default() }).into()
}

pub(crate) fn compare(key: Bytes, result: Comparison, operand: Operand) -> Compare {
    let target = match operand {
        Operand::Version(_) => Target::Version,
        Operand::Create(_) => Target::Create,
        Operand::Mod(_) => Target::Mod,
        Operand::Value(_) => Target::Value,
    };
    Compare { result: result.into(), target: target.into(), key, operand: Some(operand) }
}

/// Reads what a precondition speaks of, with its value only if that matters.
fn look(when: &Compare) -> RequestOp {
    let keys_only = !matches!(when.operand, Some(Operand::Value(_)));
    Request::Range(RangeRequest { key: when.key.clone(), keys_only, ..RangeRequest::default() })
        .into()
}

/// The precondition that a delete would find nothing.
fn absent(op: &RequestOp) -> Option<Compare> {
    match &op.request {
        Some(Request::DeleteRange(delete)) => {
            Some(compare(delete.key.clone(), Comparison::Equal, Operand::Create(0)))
        }
        _ => None,
    }
}

/// Whether a precondition holds, as etcd judges.
fn holds(when: &Compare, row: Option<&Row>) -> bool {
    let equal = when.result == i32::from(Comparison::Equal);
    let number = |found: i64, asked: i64| if equal { found == asked } else { found > asked };
    match &when.operand {
        Some(Operand::Version(asked)) => number(row.map_or(0, |row| row.version), *asked),
        Some(Operand::Create(asked)) => number(row.map_or(0, |row| row.create_revision), *asked),
        Some(Operand::Mod(asked)) => number(row.map_or(0, |row| row.mod_revision), *asked),
        Some(Operand::Value(asked)) => row.is_some_and(|row| row.value == *asked),
        None => false,
    }
}

/// The row that each read found.
fn rows(responses: &[ResponseOp]) -> impl Iterator<Item = Option<&Row>> {
    responses.iter().map(|response| match &response.response {
        Some(Response::Range(range)) => range.rows.first(),
        _ => None,
    })
}

/// Whether a slot was written: always, but in a transaction of deletes that found nothing.
fn writes(responses: &[ResponseOp]) -> bool {
    match responses.first().and_then(|response| response.response.as_ref()) {
        Some(Response::Txn(inner)) => !inner.succeeded,
        _ => true,
    }
}
