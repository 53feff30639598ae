//! Who exists, as a test says.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use haechi_core::Principals;
use haechi_wire::Fault;

/// Users and roles, and their unique ids.
#[derive(Default)]
pub struct Directory(Mutex<BTreeMap<String, String>>);

impl Directory {
    /// Makes a user or role, in the place of another one of that ARN.
    pub fn make(&self, arn: &str, unique_id: &str) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(arn.to_owned(), unique_id.to_owned());
    }
}

#[async_trait]
impl Principals for Directory {
    async fn unique_id(&self, arn: &str) -> Result<Option<String>, Fault> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(all.get(arn).cloned())
    }
}
