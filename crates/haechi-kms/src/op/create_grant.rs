//! `CreateGrant`.

use haechi_core::database::Unknown;
use haechi_core::{Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::CreateGrant;
use haechi_kms_model::shapes::{CreateGrantRequest, CreateGrantResponse};

use crate::authz::{Facts, admit};
use crate::grant::{self, Child, Constraints, GrantRecord, Party};
use crate::key::Use;
use crate::{Kms, request};

impl Handle<CreateGrant> for Kms {
    async fn handle(
        &self,
        cx: &Cx,
        input: CreateGrantRequest,
    ) -> Result<CreateGrantResponse, Error> {
        self.check_grant_tokens(input.grant_tokens.as_ref())?;
        let constraints = Constraints::read(input.constraints.clone())?;
        let (grantee, retiring) = parties(&input, &constraints)?;
        let mut operations: Vec<String> =
            input.operations.iter().map(|operation| operation.as_str().to_owned()).collect();
        operations.sort_unstable();
        operations.dedup();

        let found = self.key_by_id(cx, &input.key_id).await?;
        let context = constraints.context();
        let facts = Facts {
            encryption_context: context.as_ref(),
            grant: Some(Child {
                grantee: &grantee,
                retiring: retiring.as_ref(),
                operations: &operations,
                constraints: &constraints,
            }),
            constraints: Some(&constraints),
            ..Facts::default()
        };
        let (key, _) = admit(cx, found, facts)?;
        key.admit(Use::Material)?;
        let record = &key.record;
        grant::check_fits(&record.spec, &record.usage, &operations, &constraints)?;
        let grantee = self.existing_party(grantee).await?;
        let retiring = match retiring {
            Some(retiring) => Some(self.existing_party(retiring).await?),
            None => None,
        };
        request::end_dry_run(input.dry_run)?;
        let grant = GrantRecord {
            id: grant::new_id(cx)?,
            key_id: record.id.clone(),
            key_arn: record.arn.clone(),
            key_account: record.account.clone(),
            region: record.region.clone(),
            name: input.name,
            created_ms: cx.now().millis(),
            issuing_account: cx.account().as_str().to_owned(),
            grantee,
            retiring,
            operations,
            constraints,
            unknown: Unknown::new(),
        };
        let grant = match self.same_grant(&grant).await? {
            Some(same) => same,
            None => {
                self.add_grant(record, &grant).await?;
                grant
            }
        };
        Ok(CreateGrantResponse {
            grant_token: Some(self.grant_token(&grant)?),
            grant_id: Some(grant.id),
        })
    }
}

/// Who gets the grant, and who may retire it, as the request names them.
fn parties(
    input: &CreateGrantRequest,
    constraints: &Constraints,
) -> Result<(Party, Option<Party>), Error> {
    let named = |principal: &Option<String>, service: &Option<String>, names: &str| {
        let party = |name: &String, service| Party { name: name.clone(), unique_id: None, service };
        match (principal, service) {
            (Some(_), Some(_)) => {
                Err(request::invalid(format!("You can specify only one of {names}.")))
            }
            (Some(name), None) => Ok(Some(party(name, false))),
            (None, Some(name)) => Ok(Some(party(name, true))),
            (None, None) => Ok(None),
        }
    };
    let names = "GranteePrincipal and GranteeServicePrincipal";
    let grantee = named(&input.grantee_principal, &input.grantee_service_principal, names)?;
    let names = "RetiringPrincipal and RetiringServicePrincipal";
    let retiring = named(&input.retiring_principal, &input.retiring_service_principal, names)?;
    let Some(grantee) = grantee else {
        return Err(request::invalid(
            "You must specify either GranteePrincipal or GranteeServicePrincipal.",
        ));
    };
    if grantee.service && (constraints.source_arn.is_none() || retiring.is_none()) {
        return Err(request::invalid(
            "With GranteeServicePrincipal you must specify a SourceArn grant constraint, and \
             either RetiringPrincipal or RetiringServicePrincipal.",
        ));
    }
    Ok((grantee, retiring))
}
