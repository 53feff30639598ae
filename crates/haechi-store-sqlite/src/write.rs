//! One transaction's changes, on the writer's connection, inside the group's transaction.
//!
//! Whatever can be refused is judged before the first write, so a refused transaction leaves
//! nothing behind in its group.

use std::time::Duration;

use haechi_store::{Cond, Conflict, Key, LeaseId, Op, Rev, StoreError, TxnError, Value};
use rusqlite::{Connection, Error, OptionalExtension, params};

use crate::{fault, read, row, row::Version, schema::State};

/// Most rows removed in one revision when a lease ends.
const LEASE_ROWS_MAX: i64 = row::POSITIONS - 1;

/// The group's transaction.
pub(crate) struct Group<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) path: &'a std::path::Path,
    pub(crate) state: State,
}

/// What a put needs to know of the row before it.
struct Before {
    create_rev: i64,
    version: i64,
}

impl Group<'_> {
    fn fault(&self, error: Error) -> StoreError {
        fault::sqlite(self.path, &error)
    }

    pub(crate) fn transact(&mut self, when: &[Cond], then: &[Op]) -> Result<Rev, TxnError> {
        for (index, cond) in when.iter().enumerate() {
            if !self.holds(cond).map_err(|error| self.fault(error))? {
                return Err(Conflict { index, rev: self.state.rev }.into());
            }
        }
        for op in then {
            if let Op::Put { lease: Some(lease), .. } = op {
                self.must_hold(*lease)?;
            }
        }
        self.apply(then).map_err(|error| self.fault(error))?;
        Ok(self.state.rev)
    }

    fn holds(&self, cond: &Cond) -> Result<bool, Error> {
        let current = match cond.key() {
            Some(key) => read::version(self.connection, key, self.state.rev)?,
            None => None,
        };
        let current = current.and_then(Version::into_kv);
        Ok(match cond {
            Cond::ModRev(_, rev) => current.map_or(Rev::ZERO, |kv| kv.mod_rev) == *rev,
            Cond::CreateRev(_, rev) => current.map_or(Rev::ZERO, |kv| kv.create_rev) == *rev,
            Cond::Absent(_) => current.is_none(),
            Cond::Exists(_) => current.is_some(),
            Cond::Equals(_, value) => current.is_some_and(|kv| kv.value == *value),
            Cond::Held(lease) => self.is_held(*lease)?,
        })
    }

    fn apply(&mut self, then: &[Op]) -> Result<(), Error> {
        let rev = self.state.rev.next();
        let mut id = row::first_id(rev);
        for op in then {
            let changed = match op {
                Op::Put { key, value, lease } => self.put(id, key, value, *lease)?,
                Op::Delete { key } => self.delete(id, key)?,
            };
            id += i64::from(changed);
        }
        if id > row::first_id(rev) {
            self.state.rev = rev;
        }
        Ok(())
    }

    fn put(
        &self,
        id: i64,
        key: &Key,
        value: &Value,
        lease: Option<LeaseId>,
    ) -> Result<bool, Error> {
        let now = row::int(row::rev_of(id).0);
        let before = self.before(key)?.unwrap_or(Before { create_rev: now, version: 0 });
        self.insert(&Version {
            id,
            key: key.clone(),
            value: Some(value.clone()),
            create_rev: before.create_rev,
            version: before.version.saturating_add(1),
            lease: lease.map(|lease| row::int(lease.0.0)),
        })?;
        Ok(true)
    }

    fn delete(&self, id: i64, key: &Key) -> Result<bool, Error> {
        if self.before(key)?.is_none() {
            return Ok(false);
        }
        let key = key.clone();
        self.insert(&Version { id, key, value: None, create_rev: 0, version: 0, lease: None })?;
        Ok(true)
    }

    /// The row as it is now, without its value; `None` if there is none.
    fn before(&self, key: &Key) -> Result<Option<Before>, Error> {
        let sql = "SELECT create_rev, version, value IS NULL FROM log
                   WHERE key = ?1 ORDER BY id DESC LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let newest = statement
            .query_row([key.as_bytes()], |row| {
                let before = Before { create_rev: row.get(0)?, version: row.get(1)? };
                Ok((before, row.get::<_, bool>(2)?))
            })
            .optional()?;
        Ok(newest.filter(|(_, deleted)| !deleted).map(|(before, _)| before))
    }

    pub(crate) fn insert(&self, version: &Version) -> Result<(), Error> {
        let sql = "INSERT INTO log (id, key, value, create_rev, version, lease, sum)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.execute(params![
            version.id,
            version.key.as_bytes(),
            version.value.as_ref().map(Value::as_bytes),
            version.create_rev,
            version.version,
            version.lease,
            version.sum(),
        ])?;
        Ok(())
    }

    fn is_held(&self, lease: LeaseId) -> Result<bool, Error> {
        let mut statement =
            self.connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM lease WHERE id = ?1)")?;
        statement.query_row([row::int(lease.0.0)], |row| row.get(0))
    }

    fn must_hold(&self, lease: LeaseId) -> Result<(), StoreError> {
        if self.is_held(lease).map_err(|error| self.fault(error))? {
            Ok(())
        } else {
            Err(StoreError::LeaseNotFound { lease })
        }
    }

    pub(crate) fn grant(&mut self, ttl: Duration, now: Duration) -> Result<LeaseId, StoreError> {
        let id = self.state.rev.next();
        let deadline = millis(now).saturating_add(millis(ttl));
        let sql = "INSERT INTO lease (id, ttl_ms, deadline_ms) VALUES (?1, ?2, ?3)";
        self.connection
            .execute(sql, [row::int(id.0), millis(ttl), deadline])
            .map_err(|error| self.fault(error))?;
        self.state.rev = id;
        Ok(LeaseId(id))
    }

    pub(crate) fn keep_alive(&self, lease: LeaseId, now: Duration) -> Result<(), StoreError> {
        let sql = "UPDATE lease SET deadline_ms =
                   CASE WHEN ttl_ms > ?2 - ?1 THEN ?2 ELSE ttl_ms + ?1 END WHERE id = ?3";
        let changed = self
            .connection
            .execute(sql, [millis(now), i64::MAX, row::int(lease.0.0)])
            .map_err(|error| self.fault(error))?;
        if changed == 0 { Err(StoreError::LeaseNotFound { lease }) } else { Ok(()) }
    }

    pub(crate) fn revoke(&mut self, lease: LeaseId) -> Result<(), StoreError> {
        self.must_hold(lease)?;
        self.end(row::int(lease.0.0)).map_err(|error| self.fault(error))
    }

    /// Ends the leases that are due.
    pub(crate) fn expire(&mut self, now: Duration) -> Result<(), StoreError> {
        self.end_due(millis(now)).map_err(|error| self.fault(error))
    }

    fn end_due(&mut self, now_ms: i64) -> Result<(), Error> {
        let sql = "SELECT id FROM lease WHERE deadline_ms <= ?1 ORDER BY id";
        let mut statement = self.connection.prepare_cached(sql)?;
        let due: Result<Vec<i64>, Error> =
            statement.query_map([now_ms], |row| row.get(0))?.collect();
        due?.into_iter().try_for_each(|lease| self.end(lease))
    }

    fn end(&mut self, lease: i64) -> Result<(), Error> {
        self.connection.execute("DELETE FROM lease WHERE id = ?1", [lease])?;
        let sql = "SELECT key FROM log AS held WHERE lease = ?1
                   AND id = (SELECT max(id) FROM log WHERE key = held.key)
                   ORDER BY key LIMIT ?2";
        loop {
            let mut statement = self.connection.prepare_cached(sql)?;
            let keys: Result<Vec<Key>, Error> = statement
                .query_map([lease, LEASE_ROWS_MAX], |row| Ok(Key::new(row.get::<_, Vec<u8>>(0)?)))?
                .collect();
            let ops: Vec<Op> = keys?.into_iter().map(Op::delete).collect();
            if ops.is_empty() {
                return Ok(());
            }
            self.apply(&ops)?;
        }
    }

    /// When the next lease ends, in milliseconds since the epoch.
    pub(crate) fn next_deadline(&self) -> Result<i64, Error> {
        let sql = "SELECT coalesce(min(deadline_ms), 0x7fffffffffffffff) FROM lease";
        self.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))
    }

    /// Forgets what only revisions before `to` show, and writes where the store stands.
    pub(crate) fn finish(&mut self, to: Option<Rev>) -> Result<(), Error> {
        if let Some(to) = to {
            let span = [row::last_id(self.state.compacted), row::last_id(to)];
            let superseded = "DELETE FROM log WHERE id IN (
                SELECT older.id FROM log AS newer JOIN log AS older
                ON older.key = newer.key AND older.id < newer.id
                WHERE newer.id > ?1 AND newer.id <= ?2)";
            self.connection.prepare_cached(superseded)?.execute(span)?;
            let deleted = "DELETE FROM log WHERE id > ?1 AND id <= ?2 AND value IS NULL";
            self.connection.prepare_cached(deleted)?.execute(span)?;
            self.state.compacted = to;
        }
        let sql = "UPDATE state SET rev = ?1, compacted = ?2 WHERE id = 1";
        let State { rev, compacted } = self.state;
        self.connection.prepare_cached(sql)?.execute([row::int(rev.0), row::int(compacted.0)])?;
        Ok(())
    }
}

/// Whole milliseconds; what SQLite cannot hold is "never".
pub(crate) fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
