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
