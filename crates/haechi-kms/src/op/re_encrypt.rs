//! `ReEncrypt`.

use std::sync::Arc;

use haechi_core::{Cx, Handle, Unchecked};
use haechi_crypto::EncryptionAlgorithm;
use haechi_kms_model::Error;
use haechi_kms_model::ops::ReEncrypt;
use haechi_kms_model::shapes::{EncryptionAlgorithmSpec, ReEncryptRequest, ReEncryptResponse};

use super::decrypt::Sealed;
use crate::asymmetric::check_length;
use crate::authz::{Facts, admit_action};
use crate::material::tell_material;
use crate::store::{Found, Key};
use crate::{Kms, request};

/// What is asked of the key that the ciphertext leaves.
const FROM: &str = "kms:ReEncryptFrom";
/// What is asked of the key that it moves to.
const TO: &str = "kms:ReEncryptTo";

impl Handle<ReEncrypt> for Kms {
    async fn handle(&self, cx: &Cx, input: ReEncryptRequest) -> Result<ReEncryptResponse, Error> {
        self.check_grant_tokens(input.grant_tokens.as_ref())?;
        let modifiers = input.dry_run_modifiers.as_ref();
        let ignored = request::ignores_ciphertext(input.dry_run, modifiers)?;
        let from_context = request::encryption_context(input.source_encryption_context)?;
        let to_context = request::encryption_context(input.destination_encryption_context)?;
        let from_algorithm = request::algorithm(input.source_encryption_algorithm);
        let to_algorithm = request::algorithm(input.destination_encryption_algorithm);
        let sealed = Sealed::read(input.ciphertext_blob.as_ref(), ignored, from_algorithm)?;

        let named = input.source_key_id.as_deref();
        let source = self.decrypting_key(cx, FROM, named, &sealed, &from_context).await?;
        let target = self.key_for(cx, TO, &input.destination_key_id).await?;
        let ((source_arn, source), (target_arn, target)) = (named_arn(source), named_arn(target));
        let facts = Facts { same_key: Some(source_arn == target_arn), ..Facts::default() };
        let from = Facts {
            encryption_context: Some(&from_context),
            algorithm: Some(from_algorithm),
            ..facts
        };
        let to =
            Facts { encryption_context: Some(&to_context), algorithm: Some(to_algorithm), ..facts };
        let (source, from_permit) = admit_action(cx, FROM, source, from)?;
        let (target, to_permit) = admit_action(cx, TO, target, to)?;

        self.check_maker(cx, &source, &sealed, &from_context).await?;
        self.admit_use(cx, &source).await?;
        self.admit_use(cx, &target).await?;
        request::check_algorithm(cx, &target, to_algorithm)?;
        request::check_context(to_algorithm, &to_context)?;
        let opened = self.open(cx, &source, from_permit, &sealed, &from_context).await?;
        let plaintext = opened.plaintext.expose();
        if let Some(algorithm) = EncryptionAlgorithm::from_name(to_algorithm) {
            check_length(&target, algorithm, plaintext.len())?;
        }
        request::end_dry_run(input.dry_run)?;
        let (blob, to_material) =
            self.seal(cx, &target, to_permit, to_algorithm, &to_context, plaintext).await?;
        self.used(cx, &source)?;
        self.used(cx, &target)?;
        tell_material(cx, "destinationKeyMaterialId", to_material.as_deref());
        tell_material(cx, "sourceKeyMaterialId", opened.material_id.as_deref());
        Ok(ReEncryptResponse {
            ciphertext_blob: Some(haechi_wire::Blob(blob)),
            source_key_id: Some(source.arn().to_owned()),
            key_id: Some(target.arn().to_owned()),
            source_encryption_algorithm: EncryptionAlgorithmSpec::parse(from_algorithm),
            destination_encryption_algorithm: EncryptionAlgorithmSpec::parse(to_algorithm),
            source_key_material_id: opened.material_id,
            destination_key_material_id: to_material,
        })
    }
}

/// The ARN of a key, which condition keys ask about before anything is decided.
fn named_arn(found: Unchecked<Found<Arc<Key>>>) -> (String, Unchecked<Found<Arc<Key>>>) {
    let mut arn = String::new();
    let found = found.map(|found| {
        found.key.arn().clone_into(&mut arn);
        found
    });
    (arn, found)
}
