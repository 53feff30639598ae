//! `ImportKeyMaterial`.

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Handle};
use haechi_crypto::{ImportError, KeyMaterial, KeySpec};
use haechi_kms_model::Error;
use haechi_kms_model::ops::ImportKeyMaterial;
use haechi_kms_model::shapes::{
    ExpirationModelType, ImportKeyMaterialRequest, ImportKeyMaterialResponse, ImportType,
};
use haechi_wire::{Fault, Timestamp};

use crate::authz::{Facts, admit};
use crate::import::{check_external, expiry_job};
use crate::key::{Transition, Use};
use crate::material::{Imported, MaterialRecord, binding};
use crate::multi_region::siblings;
use crate::rotation::check_primary;
use crate::spec::SYMMETRIC;
use crate::store::{HandleRecord, KeyRecord, handle_path};
use crate::{Kms, import_token, request};

/// The latest that imported material may be set to expire.
const VALID_SECONDS_MAX: i64 = 365 * 24 * 60 * 60;

impl Handle<ImportKeyMaterial> for Kms {
    async fn handle(
        &self,
        cx: &Cx,
        input: ImportKeyMaterialRequest,
    ) -> Result<ImportKeyMaterialResponse, Error> {
        let model = input.expiration_model.unwrap_or(ExpirationModelType::KeyMaterialExpires);
        let valid_to = valid_to(model, input.valid_to, cx.now())?;
        // Seconds, which the operators of numbers read and those of dates as well.
        let valid_to_text = valid_to.map(|at| at.seconds().to_string());
        // As the request has it: policies ask with `Null` whether it is left to KMS.
        let given = input.expiration_model.map(|model| ("kms:expirationmodel", model.as_str()));
        let mut extra: Vec<(&str, &str)> = given.into_iter().collect();
        extra.extend(valid_to_text.as_deref().map(|at| ("kms:validto", at)));
        let found = self.draft(cx, &input.key_id).await?;
        let (mut key, permit) = admit(cx, found, Facts { extra: &extra, ..Facts::default() })?;
        check_external(&key.as_ref().record)?;
        check_parameters(&key.as_ref().record, &input)?;
        key.as_ref().admit(Use::Change)?;
        let Some(spec) = key.as_ref().spec() else {
            return Err(Fault::internal("a key of unknown spec").into());
        };

        let record = key.record();
        let token = {
            let keyring = self.database.keyring();
            import_token::open(&keyring, &record.arn, &input.import_token.0, cx.now())?
        };
        record.used_import_tokens.retain(|used| used.valid_to_ms > cx.now().millis());
        if record.used_import_tokens.iter().any(|used| used.id == token.used.id) {
            return Err(import_token::invalid());
        }
        record.used_import_tokens.push(token.used.clone());
        let secret = self.unwrap_imported(token, spec, &input.encrypted_key_material.0).await?;

        let mut batch = Batch::new();
        let id = self.take_in(cx, record, &input, &secret, valid_to, &mut batch).await?;
        if !record.lacks_material() {
            record.transit(Transition::GainMaterial)?;
        }
        let (arn, symmetric) = (record.arn.clone(), record.spec == SYMMETRIC);
        key.save(&permit, &mut batch);
        self.database.commit(batch).await?;
        self.jobs.wake();
        Ok(ImportKeyMaterialResponse {
            key_id: Some(arn),
            key_material_id: Some(id).filter(|_| symmetric),
        })
    }
}

/// Refuses what is for keys that can have several materials, on one that has one for ever.
fn check_parameters(record: &KeyRecord, input: &ImportKeyMaterialRequest) -> Result<(), Error> {
    if record.spec == SYMMETRIC {
        return Ok(());
    }
    let given = [
        ("ImportType", input.import_type.is_some()),
        ("KeyMaterialDescription", input.key_material_description.is_some()),
        ("KeyMaterialId", input.key_material_id.is_some()),
    ];
    let Some((name, _)) = given.iter().find(|(_, given)| *given) else { return Ok(()) };
    Err(Error::UnsupportedOperationException(format!(
        "{name} is not supported for keys with the key spec {}.",
        record.spec
    )))
}

/// Until when the material is valid.
fn valid_to(
    model: ExpirationModelType,
    asked: Option<Timestamp>,
    now: Timestamp,
) -> Result<Option<Timestamp>, Error> {
    match (model, asked) {
        (ExpirationModelType::KeyMaterialExpires, None) => Err(request::invalid(
            "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES",
        )),
        (ExpirationModelType::KeyMaterialDoesNotExpire, Some(_)) => Err(request::invalid(
            "A validTo date must not be set if the ExpirationModel is \
             KEY_MATERIAL_DOES_NOT_EXPIRE",
        )),
        (ExpirationModelType::KeyMaterialExpires, Some(at))
            if at <= now || at > now.plus_seconds(VALID_SECONDS_MAX) =>
        {
            Err(request::invalid("The validTo date must be in the future, by 365 days at most"))
        }
        (_, asked) => Ok(asked),
    }
}

impl Kms {
    async fn unwrap_imported(
        &self,
        token: import_token::ImportToken,
        spec: KeySpec,
        wrapped: &[u8],
    ) -> Result<KeyMaterial, Error> {
        let wrapped = wrapped.to_vec();
        let work = move || token.key.unwrap_key_material(token.algorithm, spec, &wrapped);
        self.workers.work(work).await?.map_err(|error| match error {
            // Whatever was wrong, the answer is the same: it must not tell of the padding.
            ImportError::InvalidKeyMaterial | ImportError::UnsupportedCombination { .. } => {
                Error::InvalidCiphertextException(String::new())
            }
            ImportError::Keyring(error) => Fault::internal(error).into(),
            ImportError::Crypto(error) => Fault::internal(error).into(),
        })
    }

    /// Puts material into a key: new, or the same again. Answers its id.
    async fn take_in(
        &self,
        cx: &Cx,
        record: &mut KeyRecord,
        input: &ImportKeyMaterialRequest,
        secret: &KeyMaterial,
        valid_to: Option<Timestamp>,
        batch: &mut Batch,
    ) -> Result<String, Error> {
        let fingerprint = secret.fingerprint().map_err(Fault::internal)?;
        let same = |row: &MaterialRecord| {
            row.imported.as_ref().is_some_and(|imported| imported.fingerprint == fingerprint)
        };
        let known = record.materials.iter().position(same);
        let fresh = match input.import_type {
            Some(kind) => kind == ImportType::NewKeyMaterial,
            None => record.materials.is_empty(),
        };
        let imported = Imported {
            fingerprint,
            description: input.key_material_description.clone(),
            valid_to_ms: valid_to.map(Timestamp::millis),
            unknown: Unknown::new(),
        };
        let mut siblings = siblings(&self.database, &self.peers, record).await?;
        let index = if fresh {
            check_fresh(record, input, known)?;
            let mut row = self.wrap_new(cx, record, secret, imported)?;
            check_none_pending(record, &row)?;
            batch.create(handle_path(&row.handle()), &HandleRecord::of(record));
            row.pending = !record.materials.is_empty();
            for (_, sibling) in &mut siblings.rows {
                let mut there = MaterialRecord { token: Vec::new(), ..row.clone() };
                there.imported.iter_mut().for_each(|imported| imported.valid_to_ms = None);
                sibling.materials.push(there);
            }
            record.materials.push(row);
            record.materials.len() - 1
        } else {
            known
                .filter(|index| {
                    let id = record.materials.get(*index).map(|row| &row.id);
                    input.key_material_id.is_none() || input.key_material_id.as_ref() == id
                })
                .ok_or_else(|| {
                    incorrect("The key material is not the one that was imported before.")
                })?
        };
        if !fresh {
            self.wrap_again(record, index, secret, input, valid_to, batch)?;
        }
        let Some(row) = record.materials.get(index) else {
            return Err(Fault::internal("material that was just put in is not there").into());
        };
        if let Some(job) = expiry_job(record, row) {
            batch.schedule(&job);
        }
        let id = row.id.clone();
        siblings.save(record, cx.now(), batch);
        Ok(id)
    }

    fn wrap_new(
        &self,
        cx: &Cx,
        record: &KeyRecord,
        secret: &KeyMaterial,
        imported: Imported,
    ) -> Result<MaterialRecord, Fault> {
        let (keyring, now_ms) = (self.database.keyring(), cx.now().millis());
        let row = MaterialRecord::wrap(&self.env, &keyring, record, secret, now_ms)?;
        Ok(MaterialRecord { imported: Some(imported), ..row })
    }

    fn wrap_again(
        &self,
        record: &mut KeyRecord,
        index: usize,
        secret: &KeyMaterial,
        input: &ImportKeyMaterialRequest,
        valid_to: Option<Timestamp>,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        let Some(row) = record.materials.get(index) else { return Ok(()) };
        if let Some(job) = expiry_job(record, row) {
            batch.cancel(&job);
        }
        let (keyring, random) = (self.database.keyring(), &*self.env.random);
        let token =
            secret.wrap(&keyring, &binding(record, &row.id), random).map_err(Fault::internal)?;
        let Some(row) = record.materials.get_mut(index) else { return Ok(()) };
        row.token = token;
        if let Some(imported) = &mut row.imported {
            imported.valid_to_ms = valid_to.map(Timestamp::millis);
            if input.key_material_description.is_some() {
                imported.description.clone_from(&input.key_material_description);
            }
        }
        Ok(())
    }
}

fn incorrect(message: &str) -> Error {
    Error::IncorrectKeyMaterialException(message.to_owned())
}

/// Whether a key may get material that it never had.
fn check_fresh(
    record: &KeyRecord,
    input: &ImportKeyMaterialRequest,
    known: Option<usize>,
) -> Result<(), Error> {
    if input.key_material_id.is_some() {
        return Err(request::invalid(
            "KeyMaterialId cannot be specified if the ImportType is NEW_KEY_MATERIAL",
        ));
    }
    check_primary(record)?;
    if known.is_some() {
        return Err(incorrect("The key material is already associated with the KMS key."));
    }
    Ok(())
}

/// One material at a time waits for a rotation.
fn check_none_pending(record: &KeyRecord, fresh: &MaterialRecord) -> Result<(), Error> {
    let Some(pending) = record.materials.iter().find(|row| row.pending) else { return Ok(()) };
    Err(Error::KMSInvalidStateException(format!(
        "New key material (id: {}) cannot be imported into KMS key {}, because another key \
         material (id: {}) is pending rotation.",
        fresh.id, record.arn, pending.id
    )))
}
