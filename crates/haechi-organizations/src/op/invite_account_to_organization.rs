//! Invites an account, named by its id or its e-mail address.

use haechi_core::database::Unknown;
use haechi_core::{AccountId, Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::InviteAccountToOrganization;
use haechi_organizations_model::shapes::{
    HandshakeParty, HandshakePartyType, HandshakeState, InviteAccountToOrganizationRequest,
    InviteAccountToOrganizationResponse,
};

use crate::Organizations;
use crate::accounts::account_of_email;
use crate::authz::{About, Reach};
use crate::change::random;
use crate::error::{handshake_constraint, handshake_exists, invalid, no_account};
use crate::handshake::STANDS_MS;
use crate::organization::Organization;
use crate::store::{HandshakeRecord, handshake_path, handshakes_path};
use crate::tags;

impl Handle<InviteAccountToOrganization> for Organizations {
    async fn handle(
        &self,
        cx: &Cx,
        input: InviteAccountToOrganizationRequest,
    ) -> Result<InviteAccountToOrganizationResponse, Error> {
        let tags = input.tags.as_deref().unwrap_or_default();
        let about = |_: &Organization| About::all().tags(tags);
        let organization = self.admit(cx, Reach::Management, about).await?;
        let (account, by_email) = self.invited(&input.target).await?;
        // The account has them once it joins.
        let joining = About::arn(organization.account_arn(&account));
        organization.admit_tags(cx, &joining.tags(tags))?;
        if self.organization_of(&account).await?.is_some() {
            let message = "The specified account is already a member of an organization.";
            return Err(handshake_constraint("ALREADY_IN_AN_ORGANIZATION", message));
        }
        let management = organization.management();
        let sent = self.database.list_all::<HandshakeRecord>(&handshakes_path()).await?;
        let open = sent.iter().map(|row| &row.value).any(|record| {
            let same = record.management == management && record.account == account;
            same && record.state(cx.now()) == HandshakeState::Open
        });
        if open {
            return Err(handshake_exists());
        }
        let owner = organization.account(management).ok_or_else(no_account)?;
        let record = HandshakeRecord {
            id: format!("h-{}", random(&self.env, 12)?),
            organization: organization.id().to_owned(),
            management: management.to_owned(),
            management_name: owner.name.clone(),
            management_email: owner.email.clone(),
            all_features: organization.record().all_features,
            account,
            by_email,
            notes: input.notes.as_ref().map(|notes| notes.0.clone()),
            tags: tags::new(input.tags.as_ref())?,
            state: HandshakeState::Open.as_str().to_owned(),
            requested_ms: cx.now().millis(),
            expires_ms: cx.now().millis().saturating_add(STANDS_MS),
            ended_ms: None,
            unknown: Unknown::new(),
        };
        let mut change = organization.change();
        change.batch.create(handshake_path(&record.id), &record);
        self.save(cx, change).await?;
        Ok(InviteAccountToOrganizationResponse { handshake: Some(record.shown(cx.now())) })
    }
}

impl Organizations {
    /// The account that is meant, and its address if it was named by that.
    async fn invited(&self, party: &HandshakeParty) -> Result<(String, Option<String>), Error> {
        let text = party.id.0.as_str();
        let nobody =
            || invalid("TARGET_NOT_SUPPORTED", "You specified an account that doesn't exist.");
        match party.r#type {
            HandshakePartyType::Account => {
                let wrong =
                    || invalid("INVALID_PATTERN_TARGET_ID", "You specified an invalid account ID.");
                let account = AccountId::parse(text).ok_or_else(wrong)?;
                if !self.accounts.exists(&account).await? {
                    return Err(nobody());
                }
                Ok((text.to_owned(), None))
            }
            HandshakePartyType::Email => {
                let account = account_of_email(&self.database, text).await?.ok_or_else(nobody)?;
                Ok((account, Some(text.to_owned())))
            }
            HandshakePartyType::Organization => {
                let message =
                    "You specified the wrong type of entity as a party for the handshake.";
                Err(invalid("INVALID_PARTY_TYPE_TARGET", message))
            }
        }
    }
}
