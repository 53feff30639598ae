//! `RetireGrant`.

use haechi_core::{Ask, Cx, Handle, Loaded, Resource};
use haechi_kms_model::Error;
use haechi_kms_model::ops::RetireGrant;
use haechi_kms_model::shapes::RetireGrantRequest;
use haechi_policy::{Context, Granted, ResourceRule, Values};
use haechi_wire::Fault;
use haechi_wire::shape::Unit;

use crate::authz::{self, Conditions, Facts};
use crate::grant::{self, GrantRecord};
use crate::identifier::{Identifier, arn};
use crate::store::{Key, Named};
use crate::{Kms, grants, request};

impl Handle<RetireGrant> for Kms {
    async fn handle(&self, cx: &Cx, input: RetireGrantRequest) -> Result<Unit, Error> {
        let grant = match (&input.grant_token, &input.key_id, &input.grant_id) {
            (Some(token), None, None) => self.grant_of_token(cx, token).await?,
            (None, Some(key_id), Some(grant_id)) => self.named_grant(cx, key_id, grant_id).await?,
            _ => {
                return Err(request::invalid(
                    "Specify either a grant token, or a key ID and a grant ID.",
                ));
            }
        };
        let (account, region) = (&grant.value.key_account, &grant.value.region);
        let key = self.ready_in(region, account, &grant.value.key_id).await?;
        authorize(cx, &grant.value, key.as_deref())?;
        let (arn, account) = (grant.value.key_arn.clone(), grant.value.key_account.clone());
        cx.note(Resource { arn, account, kind: "AWS::KMS::Key" });
        // A token says nothing to who reads the record.
        cx.tell("grantId", &grant.value.id);
        request::end_dry_run(input.dry_run)?;
        self.end_grant(&grant).await?;
        Ok(Unit)
    }
}

/// What conditions may ask about: the grant, and its key if that is still there.
struct Retiring<'a> {
    conditions: Conditions<'a>,
    key: Option<&'a Key>,
}

impl Context for Retiring<'_> {
    fn values(&self, key: &str) -> Option<Values<'_>> {
        match self.key {
            Some(of) => self.conditions.values_of(&of.record, &Named::Id, key),
            None => self.conditions.values(key),
        }
    }
}

/// The grant itself says who may retire it: the retiring principal, and the grantee where it gives
/// `RetireGrant`. The accounts that created it and that own the key leave it to their IAM policies.
/// A key policy has no say.
fn authorize(cx: &Cx, grant: &GrantRecord, key: Option<&Key>) -> Result<(), Fault> {
    let caller_account = cx.account().as_str();
    let granted = || {
        let principal = &cx.caller.principal;
        let retiring = grant.retiring.as_ref().and_then(|party| party.speaks_for(principal));
        let gives = grant.operations.iter().any(|operation| operation == "RetireGrant");
        let grantee = gives.then(|| grant.grantee.speaks_for(principal)).flatten();
        let involved =
            caller_account == grant.issuing_account || caller_account == grant.key_account;
        let account = involved.then_some(Granted::Account);
        retiring.max(grantee).max(account)
    };
    let context = grant.constraints.context();
    let facts = Facts {
        encryption_context: context.as_ref(),
        constraints: Some(&grant.constraints),
        ..Facts::default()
    };
    let retiring = Retiring { conditions: Conditions::of(cx, facts), key };
    let ask = Ask {
        action: cx.operation.action,
        resource: &grant.key_arn,
        resource_account: &grant.key_account,
        policy: None,
        rule: ResourceRule::RootOfTrust,
        context: &retiring,
    };
    match cx.decide_granting(&ask, granted) {
        Ok(_) => Ok(()),
        Err(_) if grant.key_account != caller_account => {
            Err(authz::foreign(cx, cx.operation.action, &grant.key_account, &grant.key_arn))
        }
        Err(denied) => Err(denied.into()),
    }
}

impl Kms {
    async fn grant_of_token(&self, cx: &Cx, token: &str) -> Result<Loaded<GrantRecord>, Error> {
        let place = self.open_token(token)?;
        let (account, region) = (&place.account, &place.region);
        if region != cx.region.as_str() {
            return Err(grant::not_found(&place.grant_id));
        }
        let grant = self.grant(account, region, &place.key_id, &place.grant_id).await?;
        grant.ok_or_else(|| grant::not_found(&place.grant_id))
    }

    async fn named_grant(
        &self,
        cx: &Cx,
        key_id: &str,
        grant_id: &str,
    ) -> Result<Loaded<GrantRecord>, Error> {
        grants::no_alias(cx, key_id)?;
        grant::check_id(grant_id)?;
        let Identifier::Key { account, id } = Identifier::parse(cx, key_id)? else {
            return Err(grant::not_found(grant_id));
        };
        let grant = self.grant(account, cx.region.as_str(), id, grant_id).await?;
        // What another account has is not for everyone to know.
        grant.ok_or_else(|| {
            if account == cx.account().as_str() {
                return grant::not_found(grant_id);
            }
            let key_arn = arn(cx, account, &format!("key/{id}"));
            authz::foreign(cx, cx.operation.action, account, &key_arn).into()
        })
    }
}
