//! Makes an organization that the caller's account manages.

use std::collections::BTreeMap;

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::CreateOrganization;
use haechi_organizations_model::shapes::{
    CreateOrganizationRequest, CreateOrganizationResponse, OrganizationFeatureSet,
};
use haechi_wire::Fault;

use crate::Organizations;
use crate::accounts::write;
use crate::change::{random, touch};
use crate::error::already_in;
use crate::store::{AccountRecord, Hung, MemberRecord, OrganizationRecord, Row, head_path};

impl Handle<CreateOrganization> for Organizations {
    async fn handle(
        &self,
        cx: &Cx,
        input: CreateOrganizationRequest,
    ) -> Result<CreateOrganizationResponse, Error> {
        cx.authorize_any()?;
        let (account, now) = (cx.account().as_str(), cx.now());
        let (found, contact) = self.contact(account, now).await?;
        if contact.organization.is_some() {
            return Err(already_in());
        }
        let (id, root) = (random(&self.env, 10)?, random(&self.env, 4)?);
        let record = OrganizationRecord {
            id: format!("o-{id}"),
            root_id: format!("r-{root}"),
            management: account.to_owned(),
            all_features: input.feature_set != Some(OrganizationFeatureSet::ConsolidatedBilling),
            created_ms: now.millis(),
            revision: 0,
            policy_types: BTreeMap::new(),
            generation: 0,
            root: Hung::default(),
            services: BTreeMap::new(),
            resource_policy: None,
            unknown: Unknown::new(),
        };
        let contact = AccountRecord { organization: Some(account.to_owned()), ..contact };
        let member = MemberRecord {
            account: account.to_owned(),
            name: contact.name.clone(),
            email: contact.email.clone(),
            parent: record.root_id.clone(),
            created: false,
            joined_ms: now.millis(),
            closed_ms: None,
            delegated: BTreeMap::new(),
            hung: Hung::default(),
            unknown: Unknown::new(),
        };
        let mut batch = Batch::new();
        batch.create(head_path(account), &record);
        batch.create(Row::Account.prefix(account, &record.id).part(account), &member);
        write(&mut batch, found.as_ref(), &contact);
        touch(&mut batch, now);
        self.database.commit(batch).await?;
        let organization = self.managed_by(account).await?.ok_or(Fault::Conflict)?;
        Ok(CreateOrganizationResponse { organization: Some(organization.shown()) })
    }
}
