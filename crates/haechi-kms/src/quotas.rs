//! Request quotas, with AWS's default rates.
//!
//! Source: Developer Guide, "Request quotas". What an operation asks for is known before it is
//! handled, and its quota is taken then ([`REQUEST_QUOTAS`]); what its key is, only afterwards
//! ([`KEY_QUOTAS`], [`count`]).

use haechi_core::Cx;
use haechi_core::quota::{KindQuota, RequestQuota};
use haechi_crypto::KeySpec;
use haechi_wire::Fault;

use crate::store::Key;

const fn each(operations: &'static [&'static str], per_second: f64) -> RequestQuota {
    RequestQuota { service: "kms", operations, per_second, regions: &[] }
}

/// Requests of one account in one Region.
pub const REQUEST_QUOTAS: &[RequestQuota] = &[
    RequestQuota {
        service: "kms",
        operations: &[
            "Decrypt",
            "Encrypt",
            "GenerateDataKey",
            "GenerateDataKeyWithoutPlaintext",
            "GenerateMac",
            "GenerateRandom",
            "ReEncrypt",
            "VerifyMac",
        ],
        per_second: 10_000.0,
        regions: &[
            ("us-east-1", 100_000.0),
            ("us-west-2", 100_000.0),
            ("eu-west-1", 100_000.0),
            ("us-east-2", 20_000.0),
            ("ap-southeast-1", 20_000.0),
            ("ap-southeast-2", 20_000.0),
            ("ap-northeast-1", 20_000.0),
            ("eu-central-1", 20_000.0),
            ("eu-west-2", 20_000.0),
        ],
    },
    // As much as all kinds of keys together, for requests whose key is none.
    each(&["Sign", "Verify", "DeriveSharedSecret"], 3000.0),
    each(&["Encapsulate", "Decapsulate"], 1000.0),
    each(&["GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext"], 600.0),
    each(&["CancelKeyDeletion"], 5.0),
    each(&["ConnectCustomKeyStore"], 5.0),
    each(&["CreateAlias"], 5.0),
    each(&["CreateCustomKeyStore"], 5.0),
    each(&["CreateGrant"], 50.0),
    each(&["CreateKey"], 5.0),
    each(&["DeleteAlias"], 15.0),
    each(&["DeleteCustomKeyStore"], 5.0),
    each(&["DeleteImportedKeyMaterial"], 15.0),
    each(&["DescribeCustomKeyStores"], 5.0),
    each(&["DescribeKey"], 2000.0),
    each(&["DisableKey"], 5.0),
    each(&["DisableKeyRotation"], 5.0),
    each(&["DisconnectCustomKeyStore"], 5.0),
    each(&["EnableKey"], 5.0),
    each(&["EnableKeyRotation"], 15.0),
    each(&["GetKeyPolicy"], 1000.0),
    each(&["GetKeyRotationStatus"], 1000.0),
    each(&["GetParametersForImport"], 0.25),
    each(&["GetPublicKey"], 2000.0),
    each(&["ImportKeyMaterial"], 15.0),
    each(&["ListAliases"], 500.0),
    each(&["ListGrants"], 100.0),
    each(&["ListKeyPolicies"], 100.0),
    each(&["ListKeyRotations"], 100.0),
    each(&["ListKeys"], 500.0),
    each(&["ListResourceTags"], 2000.0),
    each(&["ListRetirableGrants"], 100.0),
    each(&["PutKeyPolicy"], 15.0),
    each(&["ReplicateKey"], 5.0),
    each(&["RetireGrant"], 30.0),
    each(&["RevokeGrant"], 30.0),
    each(&["RotateKeyOnDemand"], 5.0),
    each(&["ScheduleKeyDeletion"], 15.0),
    each(&["TagResource"], 10.0),
    each(&["UntagResource"], 5.0),
    each(&["UpdateAlias"], 5.0),
    each(&["UpdateCustomKeyStore"], 5.0),
    each(&["UpdateKeyDescription"], 5.0),
    each(&["UpdatePrimaryRegion"], 5.0),
];

const fn kind(kind: &'static str, per_second: f64) -> KindQuota {
    KindQuota { service: "kms", kind, per_second }
}

/// The kind of a key in a custom key store: each store has a quota of its own.
const CUSTOM_KEY_STORE: &str = "custom key store";

/// Requests of one account in one Region under one kind of key, and for one kind of data key pair.
pub const KEY_QUOTAS: &[KindQuota] = &[
    kind("RSA", 1000.0),
    kind("ECC", 1000.0),
    kind("ML_DSA", 1000.0),
    kind(CUSTOM_KEY_STORE, 1800.0),
    kind("pair ECC_NIST_P256", 100.0),
    kind("pair ECC_NIST_P384", 100.0),
    kind("pair ECC_NIST_P521", 100.0),
    kind("pair ECC_SECG_P256K1", 100.0),
    kind("pair ECC_NIST_EDWARDS25519", 100.0),
    // Ours: the page does not name them yet.
    kind("pair ML_KEM_512", 100.0),
    kind("pair ML_KEM_768", 100.0),
    kind("pair ML_KEM_1024", 100.0),
    kind("pair RSA_2048", 1.0),
    kind("pair RSA_3072", 0.5),
    kind("pair RSA_4096", 0.1),
];

/// Takes a request from the quota of its key.
pub(crate) fn count(cx: &Cx, key: &Key) -> Result<(), Fault> {
    if let Some(backing) = &key.record.custom_key_store {
        return cx.spend(CUSTOM_KEY_STORE, &backing.store_id);
    }
    // The quota of symmetric keys was taken with the operation's.
    ["RSA", "ECC", "ML_DSA"]
        .into_iter()
        .find(|kind| key.record.spec.starts_with(kind))
        .map_or(Ok(()), |kind| cx.spend(kind, ""))
}

/// Takes a request from the quota of the data key pairs of a spec.
pub(crate) fn count_pair(cx: &Cx, spec: KeySpec) -> Result<(), Fault> {
    let name = spec.name();
    let is_it = |quota: &&KindQuota| quota.kind.strip_prefix("pair ") == Some(name);
    KEY_QUOTAS.iter().find(is_it).map_or(Ok(()), |quota| cx.spend(quota.kind, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_spec_of_data_key_pairs_has_a_quota() {
        let kinds: Vec<&str> = KEY_QUOTAS.iter().map(|quota| quota.kind).collect();
        for spec in KeySpec::ALL.iter().filter(|spec| spec.is_data_key_pair()) {
            assert!(kinds.contains(&format!("pair {}", spec.name()).as_str()), "{}", spec.name());
        }
    }
}
