//! Leases: etcd's own, which end by the time of etcd's leader, whatever the nodes' clocks say.
//!
//! A lease's id must be a revision, so that it fences: a grant first writes a row, and takes that
//! revision for the id of etcd's lease. No other program that does so can have the same, for no
//! other has the same revision. Then it writes the lease's own row, which lives as long as the
//! lease: `Cond::Held` looks whether it is there.
//!
//! etcd counts seconds, grants no less than its election time-out allows (two seconds by default),
//! and after a change of leader gives every lease its whole time anew. So a lease lives at least as
//! long as asked, and may live some seconds longer.

use std::time::Duration;

use haechi_store::{Lease, LeaseId, StoreError};

use crate::{
    client::path,
    fault::{Fault, Kind},
    layout::Epoch,
    message::{Done, LeaseGrantRequest, LeaseRequest, LeaseResponse},
    store::Shared,
    txn::{Outcome, Plan, lease_number, put},
};

/// etcd's longest time to live, in seconds.
const TTL_MAX: u64 = 9_000_000_000;

impl Shared {
    pub(crate) async fn grant(&self, ttl: Duration) -> Result<Lease, StoreError> {
        let epoch = self.open()?;
        if ttl < Duration::from_millis(1) {
            return Err(StoreError::LeaseTtl);
        }
        let (id, ttl) = self.etcd_lease(&epoch, ttl).await.map_err(Fault::into_write_error)?;
        let then = vec![put(self.layout.lease(id), Default::default(), id)];
        let marked = self.run(&epoch, Plan { when: Vec::new(), then }).await;
        marked.map_err(Fault::into_write_error)?;
        Ok(Lease { id: LeaseId(epoch.rev(id)), ttl })
    }

    /// Grants a lease of etcd's whose id is a revision of ours.
    async fn etcd_lease(&self, epoch: &Epoch, ttl: Duration) -> Result<(i64, Duration), Fault> {
        let whole = ttl.as_secs().saturating_add(u64::from(ttl.subsec_nanos() > 0));
        let ttl = i64::try_from(whole.min(TTL_MAX)).unwrap_or(i64::MAX);
        loop {
            let then = vec![put(self.layout.grants(), Default::default(), 0)];
            let id = match self.run(epoch, Plan { when: Vec::new(), then }).await? {
                Outcome::Done(revision) => revision,
                Outcome::Conflict { .. } => return Err(self.strange("a conflict without cause")),
            };
            let grant = LeaseGrantRequest { ttl, id };
            match self.client.call::<_, LeaseResponse>(path::LEASE_GRANT, grant).await {
                Ok(reply) => {
                    let seconds = u64::try_from(reply.message.ttl).unwrap_or(0);
                    return Ok((id, Duration::from_secs(seconds)));
                }
                // Ours, whose answer was lost.
                Err(fault) if fault.kind == Kind::LeaseExists && fault.doubtful => {
                    return Ok((id, Duration::from_secs(ttl.unsigned_abs())));
                }
                // A stranger chose this number; the next is as good.
                Err(fault) if fault.kind == Kind::LeaseExists => {}
                Err(fault) => return Err(fault),
            }
        }
    }

    pub(crate) async fn keep_alive(&self, lease: LeaseId) -> Result<(), StoreError> {
        let epoch = self.open()?;
        let message = LeaseRequest { id: lease_number(&epoch, lease) };
        let mut retry = self.client.retry();
        loop {
            let stream = self.client.stream::<_, LeaseResponse>(path::LEASE_KEEP_ALIVE, message);
            let (mut stream, index) = stream.await.map_err(Fault::into_error)?;
            let limit = self.client.settings().attempt_timeout;
            let fault = match tokio::time::timeout(limit, stream.message()).await {
                Ok(Ok(Some(answer))) if answer.ttl > 0 => return Ok(()),
                Ok(Ok(Some(_))) => return Err(StoreError::LeaseNotFound { lease }),
                Ok(Err(status)) => self.client.failed(index, &status),
                Ok(Ok(None)) | Err(_) => self.client.silent(index, limit),
            };
            self.client.wait(&mut retry, index, fault).await.map_err(Fault::into_error)?;
        }
    }

    pub(crate) async fn revoke(&self, lease: LeaseId) -> Result<(), StoreError> {
        let epoch = self.open()?;
        let id = lease_number(&epoch, lease);
        // Not a stranger's lease that happens to have this number.
        let (rows, _) = self.rows(&[self.layout.lease(id)], 0).await.map_err(Fault::into_error)?;
        if rows.iter().all(Option::is_none) {
            return Err(StoreError::LeaseNotFound { lease });
        }
        let answer = self.client.call::<_, Done>(path::LEASE_REVOKE, LeaseRequest { id }).await;
        match answer {
            Ok(_) => Ok(()),
            // Done by the attempt whose answer was lost.
            Err(fault) if fault.kind == Kind::LeaseNotFound && fault.doubtful => Ok(()),
            Err(fault) if fault.kind == Kind::LeaseNotFound => {
                Err(StoreError::LeaseNotFound { lease })
            }
            Err(fault) => Err(fault.into_write_error()),
        }
    }
}
