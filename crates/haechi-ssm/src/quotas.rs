//! Request quotas, with AWS's default rates.
//!
//! Source: AWS General Reference, "AWS Systems Manager endpoints and quotas", Parameter Store. An
//! account's `high-throughput-enabled` does not change them here.

use haechi_core::quota::RequestQuota;

const fn shared(operations: &'static [&'static str], per_second: f64) -> RequestQuota {
    RequestQuota { service: "ssm", operations, per_second, regions: &[] }
}

/// Requests of one account in one Region.
pub const REQUEST_QUOTAS: &[RequestQuota] = &[
    shared(&["GetParameter", "GetParameters", "PutParameter"], 40.0),
    shared(&["GetParametersByPath"], 100.0),
    shared(&["DescribeParameters"], 10.0),
    shared(&["GetParameterHistory"], 10.0),
    shared(&["LabelParameterVersion"], 10.0),
    shared(&["UnlabelParameterVersion"], 10.0),
    shared(&["DeleteParameter"], 5.0),
    shared(&["DeleteParameters"], 5.0),
];
