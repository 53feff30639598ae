//! Request quotas, as the operator's configuration has them: `[[request_quota]]`.

use haechi_core::quota::RequestQuota;
use haechi_core::{AccountId, Region, Router};
use haechi_gateway::{QuotaRule, Quotas};
use serde::Deserialize;

use crate::Failure;
use crate::config::Config;

/// One table `[[request_quota]]` of the configuration file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuotaOptions {
    service: String,
    #[serde(default)]
    operations: Vec<String>,
    account: Option<AccountId>,
    region: Option<Region>,
    per_second: f64,
}

/// AWS's defaults, of each service that has some.
const DEFAULTS: [&[RequestQuota]; 7] = [
    haechi_cloudtrail::REQUEST_QUOTAS,
    haechi_iam::REQUEST_QUOTAS,
    haechi_kms::REQUEST_QUOTAS,
    haechi_organizations::REQUEST_QUOTAS,
    haechi_secretsmanager::REQUEST_QUOTAS,
    haechi_ssm::REQUEST_QUOTAS,
    haechi_sts::REQUEST_QUOTAS,
];

/// How many requests an account may make: AWS's defaults, and the operator's rules before them.
///
/// # Errors
/// If a rule names a service or an operation that there is not, or a rate that is none.
pub fn quotas(config: &Config, router: &Router) -> Result<Quotas, Failure> {
    if !config.request_quotas {
        return Ok(Quotas::none());
    }
    let rules: Result<Vec<QuotaRule>, String> =
        config.request_quota.iter().map(|rule| checked(router, rule)).collect();
    let kinds = haechi_kms::KEY_QUOTAS.to_vec();
    let refusals = vec![haechi_organizations::TOO_MANY_REQUESTS];
    let quotas = Quotas::new(DEFAULTS.concat()).with_kinds(kinds).with_refusals(refusals);
    Ok(quotas.with_rules(rules?))
}

fn checked(router: &Router, rule: &QuotaOptions) -> Result<QuotaRule, String> {
    let QuotaOptions { service, operations, account, region, per_second } = rule;
    let Some(schema) = router.named(service) else {
        let known: Vec<&str> = router.services().map(|service| service.name).collect();
        let known = known.join(", ");
        return Err(format!("request_quota: there is no service `{service}`, but {known}"));
    };
    let unknown = operations.iter().find(|name| !schema.operations.contains(&name.as_str()));
    if let Some(unknown) = unknown {
        return Err(format!("request_quota: {service} has no operation `{unknown}`"));
    }
    if !(per_second.is_finite() && *per_second > 0.0) {
        return Err(format!("request_quota: {per_second} requests per second are no rate"));
    }
    Ok(QuotaRule {
        service: service.clone(),
        operations: operations.clone(),
        account: account.as_ref().map(ToString::to_string),
        region: region.as_ref().map(ToString::to_string),
        per_second: *per_second,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use haechi_wire::ServiceSchema;

    use super::*;

    #[test]
    fn each_operation_has_one_quota_at_most_and_each_quota_is_of_operations() {
        let services: [&ServiceSchema; DEFAULTS.len()] = [
            &haechi_cloudtrail_model::ops::SERVICE,
            &haechi_iam_model::ops::SERVICE,
            &haechi_kms_model::ops::SERVICE,
            &haechi_organizations_model::ops::SERVICE,
            &haechi_secretsmanager_model::ops::SERVICE,
            &haechi_ssm_model::ops::SERVICE,
            &haechi_sts_model::ops::SERVICE,
        ];
        for (quotas, service) in DEFAULTS.iter().zip(services) {
            let mut seen = BTreeSet::new();
            for quota in *quotas {
                assert_eq!(quota.service, service.name);
                for operation in quota.operations {
                    assert!(service.operations.contains(operation), "{operation}");
                    assert!(seen.insert(operation), "{operation} has two");
                }
            }
        }
    }

    /// Services whose quotas are of each operation: a new one that is forgotten has no limit.
    const WHOLE: [&str; 2] = ["iam", "organizations"];

    #[tokio::test]
    async fn no_operation_of_a_service_with_a_quota_for_each_is_forgotten() {
        let router = crate::stack::Stack::in_memory().await.unwrap().router;
        for name in WHOLE {
            let service = router.named(name).unwrap();
            let quotas = DEFAULTS.concat();
            let of_service = quotas.iter().filter(|quota| quota.service == name);
            let limited: BTreeSet<&str> =
                of_service.flat_map(|quota| quota.operations.iter().copied()).collect();
            let done = service.operations.iter().filter(|operation| router.has(service, operation));
            assert_eq!(limited, done.copied().collect(), "{name}");
        }
    }
}
