//! Request quotas, and how they are refused.
//!
//! AWS publishes them ("Quotas and service limits for AWS Organizations", throttling limits); the
//! table was not at hand, so these are ours, of its order: each operation for itself.

use haechi_core::quota::{Refusal, RequestQuota};

const fn each(operation: &'static [&'static str], per_second: f64) -> RequestQuota {
    RequestQuota { service: "organizations", operations: operation, per_second, regions: &[] }
}

/// What whoever asks too often is told.
pub const TOO_MANY_REQUESTS: Refusal = Refusal {
    service: "organizations",
    code: "TooManyRequestsException",
    status: 400,
    message: "You have sent too many requests in too short a period of time. Try again later.",
};

/// Requests of one account.
pub const REQUEST_QUOTAS: &[RequestQuota] = &[
    each(&["DescribeAccount"], 20.0),
    each(&["DescribeCreateAccountStatus"], 20.0),
    each(&["DescribeEffectivePolicy"], 20.0),
    each(&["DescribeHandshake"], 20.0),
    each(&["DescribeOrganization"], 20.0),
    each(&["DescribeOrganizationalUnit"], 20.0),
    each(&["DescribePolicy"], 20.0),
    each(&["DescribeResourcePolicy"], 20.0),
    each(&["ListAccounts"], 10.0),
    each(&["ListAccountsForParent"], 10.0),
    each(&["ListAWSServiceAccessForOrganization"], 10.0),
    each(&["ListChildren"], 10.0),
    each(&["ListCreateAccountStatus"], 10.0),
    each(&["ListDelegatedAdministrators"], 10.0),
    each(&["ListDelegatedServicesForAccount"], 10.0),
    each(&["ListHandshakesForAccount"], 10.0),
    each(&["ListHandshakesForOrganization"], 10.0),
    each(&["ListOrganizationalUnitsForParent"], 10.0),
    each(&["ListParents"], 10.0),
    each(&["ListPolicies"], 10.0),
    each(&["ListPoliciesForTarget"], 10.0),
    each(&["ListRoots"], 10.0),
    each(&["ListTagsForResource"], 10.0),
    each(&["ListTargetsForPolicy"], 10.0),
    each(&["AcceptHandshake"], 5.0),
    each(&["AttachPolicy"], 5.0),
    each(&["CancelHandshake"], 5.0),
    each(&["CreateOrganizationalUnit"], 5.0),
    each(&["CreatePolicy"], 5.0),
    each(&["DeclineHandshake"], 5.0),
    each(&["DeleteOrganizationalUnit"], 5.0),
    each(&["DeletePolicy"], 5.0),
    each(&["DeleteResourcePolicy"], 5.0),
    each(&["DeregisterDelegatedAdministrator"], 5.0),
    each(&["DetachPolicy"], 5.0),
    each(&["DisableAWSServiceAccess"], 5.0),
    each(&["DisablePolicyType"], 5.0),
    each(&["EnableAWSServiceAccess"], 5.0),
    each(&["EnablePolicyType"], 5.0),
    each(&["InviteAccountToOrganization"], 5.0),
    each(&["LeaveOrganization"], 5.0),
    each(&["MoveAccount"], 5.0),
    each(&["PutResourcePolicy"], 5.0),
    each(&["RegisterDelegatedAdministrator"], 5.0),
    each(&["RemoveAccountFromOrganization"], 5.0),
    each(&["TagResource"], 5.0),
    each(&["UntagResource"], 5.0),
    each(&["UpdateOrganizationalUnit"], 5.0),
    each(&["UpdatePolicy"], 5.0),
    each(&["CloseAccount"], 1.0),
    each(&["CreateAccount"], 1.0),
    each(&["CreateOrganization"], 1.0),
    each(&["DeleteOrganization"], 1.0),
];
