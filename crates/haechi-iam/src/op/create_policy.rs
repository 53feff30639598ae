//! Makes a managed policy of the account.

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Handle, Resource};
use haechi_iam_model::Error;
use haechi_iam_model::ops::{CreatePolicy, TagPolicy};
use haechi_iam_model::shapes::{CreatePolicyRequest, CreatePolicyResponse, Policy};

use crate::authz::{Conditions, authorize_named, authorize_tags};
use crate::managed::{self, Managed};
use crate::store::{PolicyRecord, PolicyVersionRecord, policy_path};
use crate::user::{DEFAULT_PATH, new_id, shown_tags};
use crate::{Iam, tags};

impl Handle<CreatePolicy> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: CreatePolicyRequest,
    ) -> Result<CreatePolicyResponse, Error> {
        let (account, name) = (cx.account(), input.policy_name);
        let path = input.path.unwrap_or_else(|| DEFAULT_PATH.to_owned());
        let new_tags = input.tags.unwrap_or_default();
        let arn = managed::arn(account, &path, &name);
        let kind = "AWS::IAM::Policy";
        cx.note(Resource { arn: arn.clone(), account: account.to_string(), kind });
        let keys = tags::keys(&new_tags);
        let asked =
            Conditions { request_tags: &new_tags, tag_keys: &keys, ..Conditions::default() };
        authorize_named(cx, (&arn, &format!("policy {name}")), &asked)?;
        authorize_tags::<TagPolicy>(cx, &arn, &asked)?;
        tags::check(&new_tags, tags::KeyCase::Counts)?;
        managed::check_document(&input.policy_document)?;
        let place = policy_path(account, &name);
        if self.database.load::<PolicyRecord>(&place).await?.is_some() {
            let message =
                format!("A policy called {name} already exists. Duplicate names are not allowed.");
            return Err(Error::EntityAlreadyExistsException(message));
        }
        let now = cx.now().millis();
        let first = PolicyVersionRecord { number: 1, text: input.policy_document, created_ms: now };
        self.check_quota::<PolicyRecord>(account).await?;
        let record = PolicyRecord {
            name,
            path,
            id: new_id(&cx.env, "ANPA")?,
            created_ms: now,
            updated_ms: now,
            description: input.description,
            tags: tags::merged(Vec::new(), &new_tags, tags::KeyCase::Counts)?,
            versions: vec![first],
            default_version: 1,
            last_version: 1,
            unknown: Unknown::new(),
        };
        let mut batch = Batch::new();
        batch.create(place.clone(), &record);
        self.database.commit(batch).await?;
        self.counts.made::<PolicyRecord>(account);
        let tags = Some(shown_tags(&record.tags)).filter(|tags| !tags.is_empty());
        let shown = Managed::listed_record(&record, arn, &[]);
        Ok(CreatePolicyResponse { policy: Some(Policy { tags, ..shown }) })
    }
}
