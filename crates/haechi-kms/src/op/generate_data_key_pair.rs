//! `GenerateDataKeyPair`.

use std::collections::BTreeMap;

use haechi_core::{Cx, Handle};
use haechi_crypto::{BlobKind, KeySpec};
use haechi_kms_model::Error;
use haechi_kms_model::ops::GenerateDataKeyPair;
use haechi_kms_model::shapes::{
    DataKeyPairSpec, GenerateDataKeyPairRequest, GenerateDataKeyPairResponse,
};
use haechi_wire::{Blob, Fault, SecretBlob};

use crate::authz::{Facts, admit};
use crate::key::Use;
use crate::material::tell_material;
use crate::rotation::check_own_material;
use crate::{Kms, quotas, request};

impl Handle<GenerateDataKeyPair> for Kms {
    async fn handle(
        &self,
        cx: &Cx,
        input: GenerateDataKeyPairRequest,
    ) -> Result<GenerateDataKeyPairResponse, Error> {
        request::no_recipient(input.recipient.as_ref())?;
        let asked = DataKeyPairRequest {
            key_id: &input.key_id,
            context: input.encryption_context,
            spec: input.key_pair_spec,
            grant_tokens: input.grant_tokens.as_ref(),
            dry_run: input.dry_run,
        };
        let made = self.data_key_pair(cx, asked).await?;
        Ok(GenerateDataKeyPairResponse {
            private_key_ciphertext_blob: Some(made.blob),
            private_key_plaintext: Some(made.private_key),
            public_key: Some(made.public_key),
            key_id: Some(made.key_arn),
            key_pair_spec: Some(input.key_pair_spec),
            ciphertext_for_recipient: None,
            key_material_id: Some(made.material_id),
        })
    }
}

/// What both operations that make data key pairs are asked.
pub(super) struct DataKeyPairRequest<'a> {
    pub(super) key_id: &'a str,
    pub(super) context: Option<BTreeMap<String, String>>,
    pub(super) spec: DataKeyPairSpec,
    pub(super) grant_tokens: Option<&'a Vec<String>>,
    pub(super) dry_run: Option<bool>,
}

/// A data key pair, its private half in both forms.
pub(super) struct DataKeyPair {
    /// PKCS#8 DER.
    pub(super) private_key: SecretBlob,
    pub(super) blob: Blob,
    /// `SubjectPublicKeyInfo` DER.
    pub(super) public_key: Blob,
    pub(super) key_arn: String,
    pub(super) material_id: String,
}

impl Kms {
    /// Makes a data key pair and encrypts its private half.
    pub(super) async fn data_key_pair(
        &self,
        cx: &Cx,
        asked: DataKeyPairRequest<'_>,
    ) -> Result<DataKeyPair, Error> {
        self.check_grant_tokens(asked.grant_tokens)?;
        let name = asked.spec.as_str();
        let Some(spec) = KeySpec::from_name(name).filter(|spec| spec.is_data_key_pair()) else {
            let message = format!("KeyPairSpec {name} is not supported in this Region.");
            return Err(Error::UnsupportedOperationException(message));
        };
        let context = request::encryption_context(asked.context)?;
        let algorithm = request::algorithm(None);
        let found = self.key(cx, asked.key_id).await?;
        let facts = Facts {
            encryption_context: Some(&context),
            algorithm: Some(algorithm),
            extra: &[("kms:datakeypairspec", name)],
            ..Facts::default()
        };
        let (key, permit) = admit(cx, found, facts)?;
        check_own_material(&key.record)?;
        key.admit(Use::Material)?;
        quotas::count_pair(cx, spec)?;
        request::check_algorithm(cx, &key, algorithm)?;
        request::end_dry_run(asked.dry_run)?;
        let pair = self.workers.generate(spec, &cx.env.random).await?;
        let halves = pair.private_key_der().map_err(Fault::internal)?.zip(pair.public_key());
        let Some((private, public)) = halves else {
            return Err(Fault::internal(format!("{name} is no key pair")).into());
        };
        let kind = BlobKind::GenerateDataKey;
        let (blob, material_id) =
            key.encrypt(&permit, &cx.env, kind, &context, private.expose())?;
        self.used(cx, &key)?;
        tell_material(cx, "keyMaterialId", Some(&material_id));
        Ok(DataKeyPair {
            public_key: Blob(public.as_der().to_vec()),
            private_key: SecretBlob(private.into_inner()),
            blob: Blob(blob),
            key_arn: key.arn().to_owned(),
            material_id,
        })
    }
}
