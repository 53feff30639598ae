//! The request quota, with AWS's default rate.
//!
//! Source: User Guide of IAM, "IAM and AWS STS quotas": 600 requests per second, account and Region
//! for these operations together. Calls with tokens of identity providers do not count.

use haechi_core::quota::RequestQuota;

/// Requests of one account in one Region.
pub const REQUEST_QUOTAS: &[RequestQuota] = &[RequestQuota {
    service: "sts",
    operations: &[
        "AssumeRole",
        "DecodeAuthorizationMessage",
        "GetAccessKeyInfo",
        "GetCallerIdentity",
        "GetFederationToken",
        "GetSessionToken",
    ],
    per_second: 600.0,
    regions: &[],
}];
