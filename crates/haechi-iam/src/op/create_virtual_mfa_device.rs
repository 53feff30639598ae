//! Makes a virtual MFA device that is nobody's yet. Its seed is shown here and never again.

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Handle};
use haechi_crypto::TotpSeed;
use haechi_iam_model::Error;
use haechi_iam_model::ops::{CreateVirtualMFADevice, TagMFADevice};
use haechi_iam_model::shapes::{
    CreateVirtualMFADeviceRequest, CreateVirtualMFADeviceResponse, VirtualMFADevice,
};
use haechi_wire::shape::SecretBlob;
use haechi_wire::{Fault, SecretString};
use zeroize::Zeroizing;

use crate::authz::{Conditions, authorize_creation};
use crate::by_arn::{self, ByArn};
use crate::secret::Secret;
use crate::store::MfaRecord;
use crate::user::{DEFAULT_PATH, shown_tags};
use crate::{Iam, mfa, qr_code, tags};

/// Characters of a serial number, at most.
const SERIAL_MAX: usize = 256;

impl Handle<CreateVirtualMFADevice> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: CreateVirtualMFADeviceRequest,
    ) -> Result<CreateVirtualMFADeviceResponse, Error> {
        let (account, name) = (cx.account(), input.virtual_mfa_device_name);
        let path = input.path.unwrap_or_else(|| DEFAULT_PATH.to_owned());
        let new_tags = input.tags.unwrap_or_default();
        let rest = mfa::rest(&path, &name);
        let serial = by_arn::arn::<MfaRecord>(account, &rest);
        by_arn::note::<MfaRecord>(cx, &serial);
        let keys = tags::keys(&new_tags);
        let asked =
            Conditions { request_tags: &new_tags, tag_keys: &keys, ..Conditions::default() };
        authorize_creation::<TagMFADevice>(cx, &serial, &asked)?;
        tags::check(&new_tags, tags::KeyCase::Counts)?;
        if serial.len() > SERIAL_MAX {
            let message = "The path and name of the virtual MFA device are too long together.";
            return Err(Error::InvalidInputException(message.to_owned()));
        }
        let place = MfaRecord::place(account, &rest);
        if self.database.load::<MfaRecord>(&place).await?.is_some() {
            let message = "MFA device already exists.";
            return Err(Error::EntityAlreadyExistsException(message.to_owned()));
        }
        let seed = TotpSeed::generate(&*cx.env.random).map_err(Fault::internal)?.base32();
        let record = MfaRecord {
            name,
            path,
            created_ms: cx.now().millis(),
            seed: Secret(SecretString(seed.to_string())),
            user: None,
            enabled_ms: None,
            drift_steps: 0,
            tags: tags::merged(Vec::new(), &new_tags, tags::KeyCase::Counts)?,
            unknown: Unknown::new(),
        };
        let alias = self.account_record(cx).await?.value.alias;
        let issuer = alias.as_deref().unwrap_or(account.as_str());
        let uri = Zeroizing::new(format!(
            "otpauth://totp/{}@{issuer}?secret={}",
            record.name,
            seed.as_str()
        ));
        let picture = qr_code::png(&uri)?;
        let mut batch = Batch::new();
        batch.create(place, &record);
        self.database.commit(batch).await?;
        let tags = Some(shown_tags(&record.tags)).filter(|tags| !tags.is_empty());
        Ok(CreateVirtualMFADeviceResponse {
            virtual_mfa_device: VirtualMFADevice {
                serial_number: serial,
                base32_string_seed: Some(SecretBlob(seed.as_bytes().to_vec())),
                qr_code_png: Some(SecretBlob(picture)),
                tags,
                ..VirtualMFADevice::default()
            },
        })
    }
}
