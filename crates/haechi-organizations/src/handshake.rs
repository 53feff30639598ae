//! Invitations: who may see one, what becomes of it, and how it is shown.
//!
//! Source: API Reference, Handshake; User Guide, "Managing invitations".

use haechi_core::{AccountId, Cx, Loaded};
use haechi_organizations_model::Error;
use haechi_organizations_model::shapes::{
    ActionType, Handshake, HandshakeFilter, HandshakeParty, HandshakePartyType, HandshakeResource,
    HandshakeResourceType, HandshakeState,
};
use haechi_wire::{SecretString, Timestamp};

use crate::Organizations;
use crate::error::{handshake_ended, handshake_in_state, no_handshake};
use crate::show::secret;
use crate::store::{HandshakeRecord, handshake_path, handshakes_path};

/// How long an invitation stands.
pub(crate) const STANDS_MS: i64 = 15 * 24 * 60 * 60 * 1000;

/// How long it is seen after its end.
const SEEN_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// Which party acts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Party {
    Inviter,
    Invited,
    Either,
}

impl HandshakeRecord {
    /// Its state now: an open one ends by itself.
    pub(crate) fn state(&self, now: Timestamp) -> HandshakeState {
        match HandshakeState::parse(&self.state) {
            Some(HandshakeState::Open) if now.millis() >= self.expires_ms => {
                HandshakeState::Expired
            }
            Some(state) => state,
            None => HandshakeState::Canceled,
        }
    }

    /// Whether it ended so long ago that nobody sees it any more.
    fn is_gone(&self, now: Timestamp) -> bool {
        let ended_ms = match self.state(now) {
            HandshakeState::Open | HandshakeState::Requested => return false,
            HandshakeState::Expired => self.expires_ms,
            _ => self.ended_ms.unwrap_or(self.expires_ms),
        };
        now.millis() >= ended_ms.saturating_add(SEEN_MS)
    }

    pub(crate) fn arn(&self) -> String {
        let (management, organization) = (&self.management, &self.organization);
        format!("arn:aws:organizations::{management}:handshake/{organization}/invite/{}", self.id)
    }

    fn party(&self) -> HandshakeParty {
        let (id, kind) = match &self.by_email {
            Some(email) => (email, HandshakePartyType::Email),
            None => (&self.account, HandshakePartyType::Account),
        };
        HandshakeParty { id: SecretString(id.clone()), r#type: kind }
    }

    /// As answers show it.
    pub(crate) fn shown(&self, now: Timestamp) -> Handshake {
        let resource = |kind, value: &str| HandshakeResource {
            r#type: Some(kind),
            value: secret(value),
            resources: None,
        };
        let features = if self.all_features { "ALL" } else { "CONSOLIDATED_BILLING" };
        let organization = HandshakeResource {
            resources: Some(vec![
                resource(HandshakeResourceType::MasterEmail, &self.management_email),
                resource(HandshakeResourceType::MasterName, &self.management_name),
                resource(HandshakeResourceType::OrganizationFeatureSet, features),
            ]),
            ..resource(HandshakeResourceType::Organization, &self.organization)
        };
        let invited = match &self.by_email {
            Some(email) => resource(HandshakeResourceType::Email, email),
            None => resource(HandshakeResourceType::Account, &self.account),
        };
        let notes = self.notes.as_deref().map(|text| resource(HandshakeResourceType::Notes, text));
        let inviter = HandshakeParty {
            id: SecretString(self.organization.clone()),
            r#type: HandshakePartyType::Organization,
        };
        Handshake {
            id: Some(self.id.clone()),
            arn: Some(self.arn()),
            parties: Some(vec![inviter, self.party()]),
            state: Some(self.state(now)),
            requested_timestamp: Some(Timestamp::from_millis(self.requested_ms)),
            expiration_timestamp: Some(Timestamp::from_millis(self.expires_ms)),
            action: Some(ActionType::Invite),
            resources: Some([organization, invited].into_iter().chain(notes).collect()),
        }
    }
}

impl Organizations {
    /// A handshake that the caller is a party of, and may do the operation on.
    pub(crate) async fn handshake(
        &self,
        cx: &Cx,
        id: &str,
        party: Party,
    ) -> Result<Loaded<HandshakeRecord>, Error> {
        let found = self.database.load::<HandshakeRecord>(&handshake_path(id)).await?;
        let account = cx.account().as_str();
        let found = found.filter(|found| !found.value.is_gone(cx.now())).filter(|found| {
            let inviter = found.value.management == account && party != Party::Invited;
            inviter || (found.value.account == account && party != Party::Inviter)
        });
        match found {
            Some(found) => {
                cx.authorize_on(&found.value.arn())?;
                Ok(found)
            }
            None => {
                cx.authorize_any()?;
                Err(no_handshake())
            }
        }
    }

    /// All handshakes of an account: those that it was sent, or those that it sent.
    pub(crate) async fn handshakes(
        &self,
        account: &AccountId,
        sent: bool,
        filter: Option<&HandshakeFilter>,
        now: Timestamp,
    ) -> Result<Vec<Handshake>, Error> {
        let only = filter.and_then(|filter| filter.action_type);
        // There are invitations only, and none has a parent.
        let none = only.is_some_and(|only| only != ActionType::Invite)
            || filter.is_some_and(|filter| filter.parent_handshake_id.is_some());
        if none {
            return Ok(Vec::new());
        }
        let rows = self.database.list_all::<HandshakeRecord>(&handshakes_path()).await?;
        let mine = rows.iter().map(|row| &row.value).filter(|record| {
            let party = if sent { &record.management } else { &record.account };
            party == account.as_str() && !record.is_gone(now)
        });
        Ok(mine.map(|record| record.shown(now)).collect())
    }
}

/// A handshake in a new state, if it is still open.
pub(crate) fn moved(
    record: &HandshakeRecord,
    to: HandshakeState,
    now: Timestamp,
) -> Result<HandshakeRecord, Error> {
    match record.state(now) {
        HandshakeState::Open | HandshakeState::Requested => {
            let ended_ms = Some(now.millis());
            Ok(HandshakeRecord { state: to.as_str().to_owned(), ended_ms, ..record.clone() })
        }
        state if state == to => Err(handshake_in_state()),
        _ => Err(handshake_ended()),
    }
}
