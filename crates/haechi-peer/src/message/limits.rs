//! What a message may hold at the most.

use std::collections::BTreeMap;

use super::{
    KeyReplica, KeyReport, KeyState, MATERIALS_MAX, Material, Message, ReplicaReport,
    SEALED_BYTES_MAX, SecretContent, SecretReport, SecretState, SecretVersion, Standing,
    VERSIONS_MAX,
};
use crate::card::{REGIONS_MAX, is_region};

/// The longest text of any field, in bytes: the longest policy.
const TEXT_BYTES_MAX: usize = 64 << 10;
/// The longest id of anything.
const ID_BYTES_MAX: usize = 128;
const TAGS_MAX: usize = 64;

fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= ID_BYTES_MAX
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn are_tags(tags: &BTreeMap<String, String>) -> bool {
    tags.len() <= TAGS_MAX
        && tags.iter().all(|(key, value)| key.len() <= 512 && value.len() <= 1024)
}

fn is_text(text: &str) -> bool {
    text.len() <= TEXT_BYTES_MAX
}

impl Message for KeyState {
    fn is_within_limits(&self) -> bool {
        let replica = |(region, replica): (&String, &KeyReplica)| {
            is_region(region)
                && replica.born <= self.version
                && replica.beginning.as_ref().is_none_or(|beginning| {
                    is_text(&beginning.description)
                        && is_text(&beginning.policy)
                        && are_tags(&beginning.tags)
                })
        };
        let material = |material: &Material| {
            is_id(&material.id)
                && material.handle.len() == 64
                && material.handle.bytes().all(|byte| byte.is_ascii_hexdigit())
                && material.sealed.0.len() <= SEALED_BYTES_MAX
        };
        is_account(&self.account)
            && is_id(&self.key_id)
            && self.key_id.starts_with("mrk-")
            && [&self.spec, &self.usage, &self.origin].into_iter().all(|text| is_id(text))
            && is_region(&self.primary)
            && self.replicas.len() <= REGIONS_MAX
            && !self.replicas.contains_key(&self.primary)
            && self.replicas.iter().all(replica)
            && self.materials.len() <= MATERIALS_MAX
            && self.materials.iter().all(material)
    }
}

impl Message for KeyReport {
    fn is_within_limits(&self) -> bool {
        let replica = |(region, replica): (&String, &ReplicaReport)| {
            is_region(region)
                && replica.present.len() <= MATERIALS_MAX
                && replica.present.iter().all(|id| is_id(id))
        };
        is_account(&self.account)
            && is_id(&self.key_id)
            && self.replicas.len() <= REGIONS_MAX
            && self.replicas.iter().all(replica)
    }
}

impl Message for SecretState {
    fn is_within_limits(&self) -> bool {
        let version = |(id, version): (&String, &SecretVersion)| {
            !id.is_empty()
                && id.len() <= ID_BYTES_MAX
                && version.stages.len() <= 20
                && version.stages.iter().all(|stage| !stage.is_empty() && stage.len() <= 256)
                && version.value.as_ref().is_none_or(|value| value.0.len() <= SEALED_BYTES_MAX)
        };
        let content = |content: &SecretContent| {
            let texts = [&content.kms_key_id, &content.description, &content.kind, &content.policy];
            texts.into_iter().flatten().all(|text| is_text(text))
                && are_tags(&content.tags)
                && content.versions.len() <= VERSIONS_MAX
                && content.versions.iter().all(version)
        };
        is_account(&self.account)
            && is_id(&self.key)
            && (1..=512).contains(&self.name.len())
            && self.suffix.len() == 6
            && is_id(&self.suffix)
            && is_region(&self.primary)
            && is_region(&self.region)
            && self.primary != self.region
            && self.born <= self.version
            && self.content.as_ref().is_none_or(content)
    }
}

impl Message for SecretReport {
    fn is_within_limits(&self) -> bool {
        let standing = match &self.standing {
            Standing::Failed(message) => message.len() <= 4096,
            Standing::InSync | Standing::Left => true,
        };
        is_account(&self.account) && is_id(&self.key) && is_region(&self.region) && standing
    }
}
