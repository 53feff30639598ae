//! How much an account may have: AWS's default quotas ("IAM and AWS STS quotas").

/// As `GetAccountSummary` tells them.
pub(crate) const SUMMARY: &[(&str, i32)] = &[
    ("UsersQuota", 5000),
    ("GroupsQuota", 300),
    ("RolesQuota", 1000),
    ("InstanceProfilesQuota", 1000),
    ("PoliciesQuota", 1500),
    ("PolicyVersionsInUseQuota", 10_000),
    ("ServerCertificatesQuota", 20),
    ("GroupsPerUserQuota", 10),
    ("AccessKeysPerUserQuota", 2),
    ("SigningCertificatesPerUserQuota", 2),
    ("VersionsPerPolicyQuota", 5),
    ("AttachedPoliciesPerUserQuota", 10),
    ("AttachedPoliciesPerGroupQuota", 10),
    ("AttachedPoliciesPerRoleQuota", 10),
    ("UserPolicySizeQuota", 2048),
    ("GroupPolicySizeQuota", 5120),
    ("RolePolicySizeQuota", 10_240),
    ("AssumeRolePolicySizeQuota", 2048),
    ("PolicySizeQuota", 6144),
];
