//! `KeyMetadata`, as `CreateKey` and `DescribeKey` answer it.

use haechi_crypto::{KeySpec as Spec, SigningAlgorithm};
use haechi_kms_model::shapes::{
    CustomerMasterKeySpec, EncapsulationAlgorithmSpec, EncryptionAlgorithmSpec,
    ExpirationModelType, KeyAgreementAlgorithmSpec, KeyManagerType, KeyMetadata, KeySpec,
    KeyUsageType, MacAlgorithmSpec, OriginType, SigningAlgorithmSpec,
};
use haechi_wire::Timestamp;

use crate::key::State;
use crate::spec::{SYMMETRIC, encryption_algorithms};
use crate::store::KeyRecord;

/// The algorithms of a key, of the one kind that its usage needs.
#[derive(Default)]
pub(crate) struct Algorithms {
    pub(crate) encryption: Option<Vec<EncryptionAlgorithmSpec>>,
    pub(crate) signing: Option<Vec<SigningAlgorithmSpec>>,
    pub(crate) mac: Option<Vec<MacAlgorithmSpec>>,
    pub(crate) key_agreement: Option<Vec<KeyAgreementAlgorithmSpec>>,
    pub(crate) encapsulation: Option<Vec<EncapsulationAlgorithmSpec>>,
}

impl KeyRecord {
    /// With which algorithms it can be used.
    pub(crate) fn algorithms(&self) -> Algorithms {
        let none = Algorithms::default();
        let (Some(spec), Some(usage)) =
            (Spec::from_name(&self.spec), KeyUsageType::parse(&self.usage))
        else {
            return none;
        };
        match usage {
            KeyUsageType::EncryptDecrypt => {
                let names = encryption_algorithms(spec).iter().copied();
                let encryption = Some(names.filter_map(EncryptionAlgorithmSpec::parse).collect());
                Algorithms { encryption, ..none }
            }
            KeyUsageType::SignVerify => {
                let names = spec.signing_algorithms().iter().copied().map(SigningAlgorithm::name);
                let signing = Some(names.filter_map(SigningAlgorithmSpec::parse).collect());
                Algorithms { signing, ..none }
            }
            KeyUsageType::GenerateVerifyMac => {
                let algorithm = spec.mac_algorithm().and_then(MacAlgorithmSpec::parse);
                Algorithms { mac: algorithm.map(|algorithm| vec![algorithm]), ..none }
            }
            KeyUsageType::KeyAgreement => {
                Algorithms { key_agreement: Some(vec![KeyAgreementAlgorithmSpec::Ecdh]), ..none }
            }
            KeyUsageType::EncapsulateDecapsulate => {
                Algorithms { encapsulation: Some(vec![EncapsulationAlgorithmSpec::MlKem]), ..none }
            }
        }
    }

    /// What AWS tells of a key. Members that a key lacks stay absent.
    pub(crate) fn metadata(&self) -> KeyMetadata {
        let algorithms = self.algorithms();
        let current = self.current();
        let imports =
            current.is_some_and(|material| material.is_present() && material.imported.is_some());
        let valid_to_ms = imports.then(|| self.first_expiry_ms()).flatten();
        KeyMetadata {
            aws_account_id: Some(self.account.clone()),
            key_id: self.id.clone(),
            arn: Some(self.arn.clone()),
            creation_date: Some(Timestamp::from_millis(self.created_ms)),
            enabled: Some(self.state == State::Enabled),
            description: Some(self.description.clone()),
            key_usage: KeyUsageType::parse(&self.usage),
            key_state: Some(self.state.shape()),
            deletion_date: self.deletion_ms.map(Timestamp::from_millis),
            valid_to: valid_to_ms.map(Timestamp::from_millis),
            expiration_model: imports.then_some(match valid_to_ms {
                Some(_) => ExpirationModelType::KeyMaterialExpires,
                None => ExpirationModelType::KeyMaterialDoesNotExpire,
            }),
            origin: OriginType::parse(&self.origin),
            key_manager: Some(if self.is_aws_managed() {
                KeyManagerType::Aws
            } else {
                KeyManagerType::Customer
            }),
            customer_master_key_spec: CustomerMasterKeySpec::parse(&self.spec),
            key_spec: KeySpec::parse(&self.spec),
            encryption_algorithms: algorithms.encryption,
            signing_algorithms: algorithms.signing,
            mac_algorithms: algorithms.mac,
            key_agreement_algorithms: algorithms.key_agreement,
            encapsulation_algorithms: algorithms.encapsulation,
            multi_region: Some(self.multi_region.is_some()),
            multi_region_configuration: self.multi_region_configuration(),
            pending_deletion_window_in_days: self.deletion_window_days,
            current_key_material_id: current
                .filter(|_| self.spec == SYMMETRIC)
                .map(|material| material.id.clone()),
            ..KeyMetadata::default()
        }
    }
}
