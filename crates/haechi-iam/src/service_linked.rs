//! Service-linked roles: which services have one, and how it is called. AWS says it page by page of
//! each service's guide; `service_linked.tsv` has it in one table.

use std::collections::HashMap;
use std::sync::LazyLock;

/// A service that has a service-linked role.
pub(crate) struct ServiceLinked {
    /// The role's name.
    pub(crate) role: &'static str,
    /// Its policy, under `arn:aws:iam::aws:policy/aws-service-role/`.
    pub(crate) policy: &'static str,
    /// Whether an account can have several, told apart by a suffix.
    pub(crate) takes_suffix: bool,
}

/// By service principal.
static SERVICES: LazyLock<HashMap<&'static str, ServiceLinked>> = LazyLock::new(|| {
    let lines = include_str!("service_linked.tsv").lines();
    let rows = lines.filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut fields = line.split('\t');
        let (service, role, policy) = (fields.next()?, fields.next()?, fields.next()?);
        let takes_suffix = fields.next() == Some("+");
        Some((service, ServiceLinked { role, policy, takes_suffix }))
    });
    rows.collect()
});

/// The service's role, if it has one.
pub(crate) fn find(service: &str) -> Option<&'static ServiceLinked> {
    SERVICES.get(service)
}

#[cfg(test)]
mod tests {
    use haechi_policy::reference::is_service_principal;

    use super::*;
    use crate::aws_managed;

    #[test]
    fn the_policy_of_every_service_linked_role_exists() {
        assert!(SERVICES.len() > 150, "{}", SERVICES.len());
        for (service, linked) in SERVICES.iter() {
            let known = aws_managed::all().iter().any(|policy| {
                policy.name == linked.policy && policy.path.starts_with("/aws-service-role/")
            });
            assert!(known, "{}", linked.policy);
            assert!(is_service_principal(service), "{service}");
        }
    }

    #[test]
    fn services_that_keep_several_roles_take_a_suffix_and_others_do_not() {
        let takes = |service: &str| find(service).is_some_and(|linked| linked.takes_suffix);
        assert!(takes("autoscaling.amazonaws.com") && takes("lexv2.amazonaws.com"));
        assert!(!takes("ecs.amazonaws.com"));
        assert!(find("secretsmanager.amazonaws.com").is_none());
    }
}
