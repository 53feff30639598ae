//! Request quotas, with AWS's default rates.
//!
//! Source: User Guide, "AWS Secrets Manager quotas".

use haechi_core::quota::RequestQuota;

const fn shared(operations: &'static [&'static str], per_second: f64) -> RequestQuota {
    RequestQuota { service: "secretsmanager", operations, per_second, regions: &[] }
}

/// Requests of one account in one Region.
pub const REQUEST_QUOTAS: &[RequestQuota] = &[
    shared(&["DescribeSecret", "GetSecretValue"], 10_000.0),
    shared(&["BatchGetSecretValue"], 100.0),
    shared(&["ListSecrets"], 100.0),
    shared(&["CreateSecret"], 50.0),
    shared(&["DeleteSecret"], 50.0),
    shared(&["RestoreSecret"], 50.0),
    shared(&["GetRandomPassword"], 50.0),
    shared(&["ListSecretVersionIds"], 50.0),
    shared(&["RotateSecret", "CancelRotateSecret"], 50.0),
    shared(&["TagResource", "UntagResource"], 50.0),
    shared(
        &[
            "DeleteResourcePolicy",
            "GetResourcePolicy",
            "PutResourcePolicy",
            "ValidateResourcePolicy",
        ],
        50.0,
    ),
    shared(
        &[
            "PutSecretValue",
            "RemoveRegionsFromReplication",
            "ReplicateSecretToRegions",
            "StopReplicationToReplica",
            "UpdateSecret",
            "UpdateSecretVersionStage",
        ],
        50.0,
    ),
];

#[cfg(test)]
mod tests {
    use haechi_secretsmanager_model::ops::SERVICE;

    use super::*;

    #[test]
    fn each_operation_has_one_quota() {
        let named = REQUEST_QUOTAS.iter().flat_map(|quota| quota.operations.iter().copied());
        let mut operations: Vec<&str> = named.collect();
        let all = operations.len();
        operations.sort_unstable();
        operations.dedup();
        assert_eq!(operations.len(), all);
        assert!(operations.iter().all(|operation| SERVICE.operations.contains(operation)));
    }
}
