//! Service-linked roles: which services have one, and how it is called ("AWS services that work
//! with IAM"; names and policies as recorded from AWS).

/// A service that has a service-linked role.
pub(crate) struct ServiceLinked {
    /// The service principal.
    pub(crate) service: &'static str,
    /// The role's name.
    pub(crate) role: &'static str,
    /// Its policy, under `arn:aws:iam::aws:policy/aws-service-role/`.
    pub(crate) policy: &'static str,
    /// Whether an account can have several, told apart by a suffix.
    pub(crate) takes_suffix: bool,
}

const fn linked(service: &'static str, role: &'static str, policy: &'static str) -> ServiceLinked {
    ServiceLinked { service, role, policy, takes_suffix: false }
}

static SERVICES: &[ServiceLinked] = &[
    linked(
        "acm.amazonaws.com",
        "AWSServiceRoleForCertificateManager",
        "CertificateManagerServiceRolePolicy",
    ),
    ServiceLinked {
        service: "autoscaling.amazonaws.com",
        role: "AWSServiceRoleForAutoScaling",
        policy: "AutoScalingServiceRolePolicy",
        takes_suffix: true,
    },
    linked(
        "cks.kms.amazonaws.com",
        "AWSServiceRoleForKeyManagementServiceCustomKeyStores",
        "AWSKeyManagementServiceCustomKeyStoresServiceRolePolicy",
    ),
    linked(
        "cloudtrail.amazonaws.com",
        "AWSServiceRoleForCloudTrail",
        "CloudTrailServiceRolePolicy",
    ),
    linked("config.amazonaws.com", "AWSServiceRoleForConfig", "AWSConfigServiceRolePolicy"),
    linked("fms.amazonaws.com", "AWSServiceRoleForFMS", "FMSServiceRolePolicy"),
    linked(
        "guardduty.amazonaws.com",
        "AWSServiceRoleForAmazonGuardDuty",
        "AmazonGuardDutyServiceRolePolicy",
    ),
    linked(
        "inspector2.amazonaws.com",
        "AWSServiceRoleForAmazonInspector2",
        "AmazonInspector2ServiceRolePolicy",
    ),
    linked("macie.amazonaws.com", "AWSServiceRoleForAmazonMacie", "AmazonMacieServiceRolePolicy"),
    linked(
        "mrk.kms.amazonaws.com",
        "AWSServiceRoleForKeyManagementServiceMultiRegionKeys",
        "AWSKeyManagementServiceMultiRegionKeysServiceRolePolicy",
    ),
    linked(
        "organizations.amazonaws.com",
        "AWSServiceRoleForOrganizations",
        "AWSOrganizationsServiceTrustPolicy",
    ),
    linked(
        "securityhub.amazonaws.com",
        "AWSServiceRoleForSecurityHub",
        "AWSSecurityHubServiceRolePolicy",
    ),
    linked("shield.amazonaws.com", "AWSServiceRoleForAWSShield", "AWSShieldServiceRolePolicy"),
    linked("ssm.amazonaws.com", "AWSServiceRoleForAmazonSSM", "AmazonSSMServiceRolePolicy"),
    linked("wafv2.amazonaws.com", "AWSServiceRoleForWAFV2Logging", "WAFV2LoggingServiceRolePolicy"),
];

/// The service's role, if it has one.
pub(crate) fn find(service: &str) -> Option<&'static ServiceLinked> {
    SERVICES.iter().find(|linked| linked.service == service)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws_managed;

    #[test]
    fn the_policy_of_every_service_linked_role_exists() {
        for linked in SERVICES {
            let known = aws_managed::all().iter().any(|policy| {
                policy.name == linked.policy && policy.path.starts_with("/aws-service-role/")
            });
            assert!(known, "{}", linked.policy);
        }
    }
}
