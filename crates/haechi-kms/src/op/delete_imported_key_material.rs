//! `DeleteImportedKeyMaterial`.

use haechi_core::{Batch, Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::DeleteImportedKeyMaterial;
use haechi_kms_model::shapes::{
    DeleteImportedKeyMaterialRequest, DeleteImportedKeyMaterialResponse,
};

use crate::Kms;
use crate::authz::{Facts, admit};
use crate::import::{check_external, lose};
use crate::multi_region::siblings;
use crate::spec::SYMMETRIC;

impl Handle<DeleteImportedKeyMaterial> for Kms {
    async fn handle(
        &self,
        cx: &Cx,
        input: DeleteImportedKeyMaterialRequest,
    ) -> Result<DeleteImportedKeyMaterialResponse, Error> {
        let found = self.draft(cx, &input.key_id).await?;
        let (mut key, permit) = admit(cx, found, Facts::default())?;
        check_external(&key.as_ref().record)?;
        let record = key.record();
        let (arn, symmetric) = (record.arn.clone(), record.spec == SYMMETRIC);
        let asked = input.key_material_id;
        let id = asked.clone().or_else(|| record.current().map(|row| row.id.clone()));
        let mut batch = Batch::new();
        let mut siblings = siblings(&self.database, &self.peers, record).await?;
        let lost = match &id {
            Some(id) => lose(record, &mut siblings, id, &mut batch),
            None => false,
        };
        if !lost && asked.is_some() {
            let message = format!("{arn} has no such key material.");
            return Err(Error::NotFoundException(message));
        }
        siblings.save(record, cx.now(), &mut batch);
        key.save(&permit, &mut batch);
        self.database.commit(batch).await?;
        Ok(DeleteImportedKeyMaterialResponse {
            key_id: Some(arn),
            key_material_id: id.filter(|_| symmetric),
        })
    }
}
