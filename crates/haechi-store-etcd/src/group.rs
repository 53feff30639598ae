//! Writes that wait together are sent together: one request to etcd, one entry of its log, for many
//! transactions.
//!
//! A few requests are under way at a time. What comes meanwhile waits for one of them to end and is
//! then sent as one transaction, in which each of those that waited is nested with its own
//! preconditions: each is done or refused by itself, as if it had come alone. A lone write waits for
//! nobody.
//!
//! etcd judges all nested preconditions before it does anything, and refuses a request that writes a
//! key twice. So in one request nobody reads or writes what another one writes; who does waits for
//! the next. All that a request did has one revision, which several transactions then share.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use prost::Message;
use tokio::{sync::oneshot, time::timeout};

use crate::{
    client::{Client, Reply, path},
    fault::{Fault, Kind},
    message::{Request, RequestOp, Response, TxnRequest, TxnResponse},
};

/// Requests under way at once: the more there are, the less is left to be joined.
const AT_ONCE: usize = 4;

/// Most transactions in a request, and most operations in one of them, two levels deep: etcd takes
/// 128 in a request, of which each level takes away its own.
const MEMBERS_MAX: usize = 64;
const OPERATIONS_MAX: usize = 24;

/// Most bytes of a request, of which etcd takes 1.5 MiB; a larger transaction is sent alone.
const BYTES_MAX: usize = 512 * 1024;

type Answer = Result<Reply<TxnResponse>, Fault>;

/// A transaction that waits to be sent.
struct Waiting {
    request: TxnRequest,
    bytes: usize,
    answer: oneshot::Sender<Answer>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    /// Requests under way.
    senders: usize,
}

/// Sends transactions, several in a request.
pub(crate) struct Group {
    client: Arc<Client>,
    queue: Mutex<Queue>,
}

impl Group {
    pub(crate) fn new(client: Arc<Client>) -> Arc<Self> {
        Arc::new(Self { client, queue: Mutex::default() })
    }

    /// Sends a transaction, with others if others wait too, and waits for its own answer for as long
    /// as an operation may take, and a little.
    pub(crate) async fn send(self: &Arc<Self>, request: TxnRequest) -> Answer {
        let bytes = request.encoded_len();
        if bytes > BYTES_MAX || !may_be_joined(&request) {
            return self.client.call(path::TXN, request).await;
        }
        let (answer, answered) = oneshot::channel();
        self.join(Waiting { request, bytes, answer });
        let settings = self.client.settings();
        // An attempt longer than the sender's own time, which says more of what went wrong.
        let patience = settings.request_timeout + settings.attempt_timeout;
        match timeout(patience, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) | Err(_) => Err(self.lost()),
        }
    }

    /// Lets a transaction wait, and somebody send.
    fn join(self: &Arc<Self>, one: Waiting) {
        // Without the lock all is lost (a panic held it): the answer is that none came.
        let Ok(mut queue) = self.queue.lock() else { return };
        queue.waiting.push_back(one);
        if queue.senders < AT_ONCE {
            queue.senders += 1;
            // On its own, so that nobody's hanging up takes the others' answers away.
            tokio::spawn(self.clone().send_all());
        }
    }

    /// Sends until nothing waits.
    async fn send_all(self: Arc<Self>) {
        while let Some(members) = self.next() {
            self.send_together(members).await;
        }
    }

    /// Takes those that can be sent together, in their order; `None` ends a sender.
    fn next(&self) -> Option<Vec<Waiting>> {
        let mut queue = self.queue.lock().ok()?;
        // Who has given up is not sent at all.
        queue.waiting.retain(|one| !one.answer.is_closed());
        let (members, rest) = choose(std::mem::take(&mut queue.waiting));
        queue.waiting = rest;
        if members.is_empty() {
            queue.senders = queue.senders.saturating_sub(1);
            return None;
        }
        Some(members)
    }

    async fn send_together(&self, members: Vec<Waiting>) {
        let (requests, answers): (Vec<_>, Vec<_>) =
            members.into_iter().map(|one| (one.request, one.answer)).unzip();
        let answered = match self.call(&requests).await {
            // Of several one may be at fault: each is asked for its own.
            Err(fault) if requests.len() > 1 && fault.kind == Kind::Other && !fault.doubtful => {
                let mut alone = Vec::with_capacity(requests.len());
                for request in requests {
                    alone.push(self.client.call(path::TXN, request).await);
                }
                alone
            }
            Err(fault) => answers.iter().map(|_| Err(fault.clone())).collect(),
            Ok(replies) => replies.into_iter().map(Ok).collect(),
        };
        for (answer, to) in answered.into_iter().zip(answers) {
            // Who has given up meanwhile does not hear it.
            drop(to.send(answer));
        }
    }

    /// One request for all; the answer to each.
    async fn call(&self, requests: &[TxnRequest]) -> Result<Vec<Reply<TxnResponse>>, Fault> {
        if let [request] = requests {
            let reply = self.client.call(path::TXN, request.clone()).await?;
            return Ok(vec![reply]);
        }
        let nested = requests.iter().map(|request| Request::Txn(request.clone()).into());
        // Never done, as nothing is required. etcd measures a request by what it puts, but does not
        // look into what is nested (its pull request 22134): without this it has room for any.
        let puts = requests.iter().flat_map(|request| &request.success);
        let puts = puts.filter(|one| matches!(one.request, Some(Request::Put(_))));
        let failure = puts.min_by_key(|one| one.encoded_len()).cloned().into_iter().collect();
        let together = TxnRequest { success: nested.collect(), failure, ..TxnRequest::default() };
        let Reply { message, doubtful } =
            self.client.call::<_, TxnResponse>(path::TXN, together).await?;
        let header = message.header;
        let members = message.responses.into_iter().map(|one| match one.response {
            Some(Response::Txn(answer)) => {
                Ok(Reply { message: TxnResponse { header, ..answer }, doubtful })
            }
            _ => Err(self.lost()),
        });
        let members: Vec<_> = members.collect::<Result<_, _>>()?;
        if members.len() == requests.len() { Ok(members) } else { Err(self.lost()) }
    }

    /// No answer came for a transaction.
    fn lost(&self) -> Fault {
        let detail = "no answer to a write in time".to_owned();
        Fault { kind: Kind::Unanswered, endpoint: self.client.url(), detail, doubtful: true }
    }
}

/// Those that go into the next request, and those that wait on.
fn choose(waiting: VecDeque<Waiting>) -> (Vec<Waiting>, VecDeque<Waiting>) {
    let (mut members, mut rest) = (Vec::new(), VecDeque::new());
    let (mut read, mut written) = (HashSet::new(), HashSet::new());
    let mut bytes = 0;
    for one in waiting {
        let keys = Keys::of(&one.request);
        let apart = !keys.written.iter().any(|key| read.contains(key) || written.contains(key))
            && !keys.read.iter().any(|key| written.contains(key));
        let fits = members.len() < MEMBERS_MAX && bytes + one.bytes <= BYTES_MAX;
        // Also the keys of those that wait on: nobody overtakes a write of the same row.
        read.extend(keys.read);
        written.extend(keys.written);
        if apart && fits {
            bytes += one.bytes;
            members.push(one);
        } else {
            rest.push_back(one);
        }
    }
    (members, rest)
}

/// The keys that a transaction looks at and those that it writes.
#[derive(Default)]
struct Keys {
    read: HashSet<Bytes>,
    written: HashSet<Bytes>,
}

impl Keys {
    fn of(request: &TxnRequest) -> Self {
        let mut keys = Self::default();
        keys.add(request);
        keys
    }

    fn add(&mut self, request: &TxnRequest) {
        self.read.extend(request.compare.iter().map(|compare| compare.key.clone()));
        for operation in request.success.iter().chain(&request.failure) {
            match &operation.request {
                Some(Request::Put(put)) => drop(self.written.insert(put.key.clone())),
                Some(Request::DeleteRange(delete)) => {
                    self.written.insert(delete.key.clone());
                }
                Some(Request::Range(range)) => drop(self.read.insert(range.key.clone())),
                Some(Request::Txn(nested)) => self.add(nested),
                None => {}
            }
        }
    }
}

/// Whether a transaction is small, names single keys and no lease: a lease that has ended fails the
/// whole request.
fn may_be_joined(request: &TxnRequest) -> bool {
    let single = |operation: &RequestOp| match &operation.request {
        Some(Request::Put(put)) => put.lease == 0,
        Some(Request::DeleteRange(delete)) => delete.range_end.is_empty(),
        Some(Request::Range(range)) => range.range_end.is_empty(),
        Some(Request::Txn(nested)) => may_be_joined(nested),
        None => false,
    };
    let most = request.compare.len().max(request.success.len()).max(request.failure.len());
    most <= OPERATIONS_MAX && request.success.iter().chain(&request.failure).all(single)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        message::{Comparison, Operand},
        txn::{compare, put, read},
    };

    fn named(key: &str) -> Bytes {
        Bytes::copy_from_slice(key.as_bytes())
    }

    /// A transaction that requires `looks` not to be there and writes `writes`.
    fn write(looks: &[&str], writes: &[&str]) -> TxnRequest {
        let absent = |key: &&str| compare(named(key), Comparison::Equal, Operand::Create(0));
        TxnRequest {
            compare: looks.iter().map(absent).collect(),
            success: writes.iter().map(|key| put(named(key), named("value"), 0)).collect(),
            failure: looks.iter().map(|key| read(named(key))).collect(),
        }
    }

    /// How many of these go together first.
    fn joined(requests: Vec<TxnRequest>) -> usize {
        let waiting = requests.into_iter().map(|request| {
            let (answer, _) = oneshot::channel();
            Waiting { bytes: request.encoded_len(), request, answer }
        });
        choose(waiting.collect()).0.len()
    }

    #[test]
    fn writes_of_different_rows_go_together() {
        assert_eq!(joined(vec![write(&["m"], &["a"]), write(&["m"], &["b"])]), 2);
    }

    #[test]
    fn nobody_goes_with_one_who_writes_what_it_reads_or_writes() {
        assert_eq!(joined(vec![write(&[], &["a"]), write(&[], &["a"])]), 1);
        assert_eq!(joined(vec![write(&[], &["a"]), write(&["a"], &["b"])]), 1);
        assert_eq!(joined(vec![write(&["a"], &["b"]), write(&[], &["a"])]), 1);
    }

    #[test]
    fn nobody_overtakes_one_who_waits_for_the_same_row() {
        let first = write(&[], &["a"]);
        let waits = write(&["a"], &["b"]);
        let behind = write(&["b"], &["c"]);
        assert_eq!(joined(vec![first, waits, behind]), 1);
    }

    #[test]
    fn a_request_has_a_size() {
        let one = |at: usize| write(&[], &[&format!("{at:01024}")]);
        assert_eq!(joined((0..MEMBERS_MAX + 1).map(one).collect()), MEMBERS_MAX);
        let large = |at: usize| {
            let mut request = write(&[], &[&format!("{at}")]);
            let value = vec![7; BYTES_MAX / 3].into();
            request.success.push(put(named(&format!("{at}-large")), value, 0));
            request
        };
        assert_eq!(joined((0..4).map(large).collect()), 2);
    }

    #[test]
    fn leases_and_large_transactions_go_alone() {
        assert!(may_be_joined(&write(&["m"], &["a"])));
        let mut leased = write(&[], &["a"]);
        leased.success.push(put(named("l"), named("value"), 7));
        assert!(!may_be_joined(&leased));
        let nested = TxnRequest { failure: leased.success, ..TxnRequest::default() };
        let outer =
            TxnRequest { success: vec![Request::Txn(nested).into()], ..TxnRequest::default() };
        assert!(!may_be_joined(&outer));
        let many: Vec<String> = (0..=OPERATIONS_MAX).map(|at| at.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(!may_be_joined(&write(&[], &many)));
    }
}
