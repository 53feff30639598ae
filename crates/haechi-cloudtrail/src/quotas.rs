//! Request quotas, with AWS's default rates.
//!
//! Source: User Guide of CloudTrail, "Quotas in AWS CloudTrail": 10 requests per second for what
//! reads, 2 for `LookupEvents`, 1 for anything else; account and Region, each operation for itself.

use haechi_core::quota::RequestQuota;

const fn each(operation: &'static [&'static str], per_second: f64) -> RequestQuota {
    RequestQuota { service: "cloudtrail", operations: operation, per_second, regions: &[] }
}

/// Requests of one account in one Region.
pub const REQUEST_QUOTAS: &[RequestQuota] = &[
    each(&["LookupEvents"], 2.0),
    each(&["DescribeTrails"], 10.0),
    each(&["GetEventSelectors"], 10.0),
    each(&["GetTrail"], 10.0),
    each(&["GetTrailStatus"], 10.0),
    each(&["ListPublicKeys"], 10.0),
    each(&["ListTags"], 10.0),
    each(&["ListTrails"], 10.0),
    each(&["AddTags"], 1.0),
    each(&["CreateTrail"], 1.0),
    each(&["DeleteTrail"], 1.0),
    each(&["PutEventSelectors"], 1.0),
    each(&["RemoveTags"], 1.0),
    each(&["StartLogging"], 1.0),
    each(&["StopLogging"], 1.0),
    each(&["UpdateTrail"], 1.0),
];
