//! `RevokeGrant`.

use haechi_core::{Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::RevokeGrant;
use haechi_kms_model::shapes::RevokeGrantRequest;
use haechi_wire::shape::Unit;

use crate::authz::{Facts, admit};
use crate::{Kms, grant, request};

impl Handle<RevokeGrant> for Kms {
    async fn handle(&self, cx: &Cx, input: RevokeGrantRequest) -> Result<Unit, Error> {
        let found = self.key_by_id(cx, &input.key_id).await?;
        let (key, _) = admit(cx, found, Facts::default())?;
        grant::check_id(&input.grant_id)?;
        let record = &key.record;
        let grant =
            self.grant(&record.account, &record.region, &record.id, &input.grant_id).await?;
        let grant = grant.ok_or_else(|| grant::not_found(&input.grant_id))?;
        request::end_dry_run(input.dry_run)?;
        self.end_grant(&grant).await?;
        Ok(Unit)
    }
}
