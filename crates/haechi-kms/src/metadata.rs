//! `KeyMetadata`, as `CreateKey` and `DescribeKey` answer it.

use haechi_kms_model::shapes::{
    CustomerMasterKeySpec, EncryptionAlgorithmSpec, KeyManagerType, KeyMetadata, KeySpec,
    KeyUsageType, OriginType,
};
use haechi_wire::Timestamp;

use crate::key::State;
use crate::store::KeyRecord;

impl KeyRecord {
    /// What AWS tells of a key. Members that a symmetric key of KMS's own lacks stay absent.
    pub(crate) fn metadata(&self) -> KeyMetadata {
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
            origin: OriginType::parse(&self.origin),
            key_manager: Some(KeyManagerType::Customer),
            customer_master_key_spec: CustomerMasterKeySpec::parse(&self.spec),
            key_spec: KeySpec::parse(&self.spec),
            encryption_algorithms: Some(vec![EncryptionAlgorithmSpec::SymmetricDefault]),
            multi_region: Some(false),
            current_key_material_id: self.materials.last().map(|material| material.id.clone()),
            ..KeyMetadata::default()
        }
    }
}
