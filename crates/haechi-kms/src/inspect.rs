//! What decides about a key, for the operator who asks why something is denied (`haechi iam
//! explain`): the same policy and grants that calls are decided by. Nobody is authorised here;
//! whoever can call this holds the data directory.

use std::collections::BTreeMap;
use std::sync::Arc;

use haechi_policy::{Document, Granted, Principal};
use haechi_wire::Fault;

use crate::Kms;
use crate::grant::{Grants, Wanted};
use crate::store::Key;

/// A key, as decisions see it.
pub struct InspectedKey {
    key: Arc<Key>,
    grants: Arc<Grants>,
}

impl Kms {
    /// The key with this ARN.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn inspect(&self, arn: &str) -> Result<Option<InspectedKey>, Fault> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let ["arn", _, "kms", region, account, resource] = parts.as_slice() else {
            return Ok(None);
        };
        let Some(id) = resource.strip_prefix("key/") else { return Ok(None) };
        let Some(key) = self.ready_in(region, account, id).await? else { return Ok(None) };
        let grants = self.grants(&key.record).await?;
        Ok(Some(InspectedKey { key, grants }))
    }
}

impl InspectedKey {
    /// The key policy, bound to the users and roles that it named.
    pub fn policy(&self) -> &Arc<Document> {
        &self.key.policy
    }

    /// The condition keys that the key brings into a request, and their values.
    pub fn attributes(&self) -> Vec<(String, Vec<String>)> {
        let record = &self.key.record;
        let mut attributes = vec![
            ("kms:KeySpec".to_owned(), vec![record.spec.clone()]),
            ("kms:KeyUsage".to_owned(), vec![record.usage.clone()]),
            ("kms:KeyOrigin".to_owned(), vec![record.origin.clone()]),
            ("kms:MultiRegion".to_owned(), vec![record.multi_region_flag().to_owned()]),
            ("kms:ResourceAliases".to_owned(), record.aliases.iter().cloned().collect()),
        ];
        if let Some(kind) = record.multi_region_key_type() {
            attributes.push(("kms:MultiRegionKeyType".to_owned(), vec![kind.to_owned()]));
        }
        for (tag, value) in &record.tags {
            attributes.push((format!("aws:ResourceTag/{tag}"), vec![value.clone()]));
        }
        attributes
    }

    /// What the key's grants give a principal for an action. An action that makes a grant is judged
    /// as if it made none.
    pub fn granted(
        &self,
        principal: &Principal,
        action: &str,
        encryption_context: &BTreeMap<String, String>,
    ) -> Option<Granted> {
        let wanted = Wanted {
            operation: action.strip_prefix("kms:")?,
            context: Some(encryption_context),
            child: None,
            source_arn: None,
            caller_account: principal.account().unwrap_or_default(),
            key_account: &self.key.record.account,
        };
        self.grants.give(principal, &wanted)
    }
}
