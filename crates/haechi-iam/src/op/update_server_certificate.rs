//! Renames a server certificate or moves it to another path.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::UpdateServerCertificate;
use haechi_iam_model::shapes::UpdateServerCertificateRequest;
use haechi_wire::shape::Unit;

use crate::authz::{Conditions, authorize};
use crate::store::{ServerCertificateRecord, server_certificate_path};
use crate::{Iam, server_certificate};

impl Handle<UpdateServerCertificate> for Iam {
    async fn handle(&self, cx: &Cx, input: UpdateServerCertificateRequest) -> Result<Unit, Error> {
        let account = cx.account();
        let name = &input.server_certificate_name;
        let old = self.server_certificate(cx, name, Conditions::default()).await?;
        let name = input.new_server_certificate_name.unwrap_or_else(|| old.value.name.clone());
        let path = input.new_path.unwrap_or_else(|| old.value.path.clone());
        let new = ServerCertificateRecord { name, path, ..old.value.clone() };
        let arn = new.arn(account);
        if arn != old.value.arn(account) {
            authorize(cx, &arn, &Conditions::default())?;
            server_certificate::note(cx, &arn);
        }
        let mut batch = Batch::new();
        let place = server_certificate_path(account, &new.name);
        if place == server_certificate_path(account, &old.value.name) {
            batch.replace(&old, &new);
        } else if self.database.load::<ServerCertificateRecord>(&place).await?.is_some() {
            return Err(server_certificate::exists(&new.name));
        } else {
            batch.remove(&old);
            batch.create(place, &new);
        }
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
