//! Request quotas, with AWS's default rates.
//!
//! Source: Developer Guide, "Request quotas". Which key an operation uses is not known before it is
//! handled, so the quotas of asymmetric keys are not told apart from that of symmetric ones where
//! an operation serves both.

use haechi_core::quota::RequestQuota;

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
    each(&["Sign", "Verify", "DeriveSharedSecret", "Encapsulate", "Decapsulate"], 1000.0),
    each(&["GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext"], 100.0),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operation_has_one_quota_at_most() {
        let mut operations: Vec<&str> =
            REQUEST_QUOTAS.iter().flat_map(|quota| quota.operations.iter().copied()).collect();
        let all = operations.len();
        operations.sort_unstable();
        operations.dedup();
        assert_eq!(operations.len(), all);
    }
}
