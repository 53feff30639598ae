//! What an organization lays over its accounts: service control policies, resource control
//! policies, and where an account stands.
//!
//! One value, [`Guardrails`], tells this of every account of the installation. A call takes it as it
//! stands when the call begins; so a decision needs no store, also for a resource of an account that
//! is known only once the resource is loaded.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use haechi_policy::{Document, Principal};
use haechi_wire::Fault;

/// Services whose resources resource control policies protect ("Resource control policies", "List
/// of AWS services that support RCPs").
const RESOURCE_CONTROLLED: &[&str] = &[
    "aoss",
    "cognito-identity",
    "cognito-idp",
    "dynamodb",
    "ecr",
    "kms",
    "logs",
    "s3",
    "secretsmanager",
    "sqs",
    "sts",
];

/// What no resource control policy restrains ("Resource control policies in AWS KMS").
const RETIRE_GRANT: &str = "kms:RetireGrant";

/// Roles that services make for themselves lie under this path; no guardrail binds them. What an ARN
/// calls its resource must begin so: a path of anybody's may have it further in.
const SERVICE_LINKED: &str = "role/aws-service-role/";

/// Policies level by level: the root's, each unit's, the account's. Every level must allow.
pub type Levels = Vec<Vec<Arc<Document>>>;

/// An account's place in its organization.
#[derive(Debug, Default)]
pub struct Membership {
    /// `o-…`.
    pub organization_id: String,
    /// The account that manages the organization.
    pub management_account: String,
    /// Whether the organization has all features, and not consolidated billing only.
    pub all_features: bool,
    /// The services with trusted access, as service principals.
    pub trusted_services: Arc<[String]>,
    /// `o-…/r-…/ou-…/`: what `aws:PrincipalOrgPaths` holds.
    pub path: String,
    /// Service control policies; none for the management account, which they do not bind.
    pub service_control: Levels,
    /// Resource control policies, likewise.
    pub resource_control: Levels,
}

/// The memberships of all accounts that are in an organization.
#[derive(Debug, Default)]
pub struct Guardrails {
    memberships: HashMap<String, Membership>,
}

impl Guardrails {
    /// The guardrails of these accounts.
    pub fn new(memberships: HashMap<String, Membership>) -> Guardrails {
        Guardrails { memberships }
    }

    /// Where an account stands; `None` if it is in no organization.
    pub fn membership(&self, account: &str) -> Option<&Membership> {
        self.memberships.get(account)
    }

    /// The service control policies that bind a principal.
    pub fn service_control(&self, principal: &Principal) -> &[Vec<Arc<Document>>] {
        let account = principal.account().filter(|_| !is_service_linked(principal));
        let membership = account.and_then(|account| self.membership(account));
        membership.map_or(&[], |membership| &membership.service_control)
    }

    /// The resource control policies that bind `action` on a resource of an account.
    pub fn resource_control(
        &self,
        principal: &Principal,
        action: &str,
        account: &str,
    ) -> &[Vec<Arc<Document>>] {
        let service = action.split_once(':').map_or("", |(service, _)| service);
        let controlled =
            RESOURCE_CONTROLLED.iter().any(|known| known.eq_ignore_ascii_case(service));
        let exempt = action.eq_ignore_ascii_case(RETIRE_GRANT);
        if !controlled || exempt || is_service_linked(principal) {
            return &[];
        }
        self.membership(account).map_or(&[], |membership| &membership.resource_control)
    }
}

fn is_service_linked(principal: &Principal) -> bool {
    let Principal::AssumedRole { role_arn, .. } = principal else { return false };
    role_arn.splitn(6, ':').nth(5).is_some_and(|resource| resource.starts_with(SERVICE_LINKED))
}

/// Knows the guardrails; Organizations implements it.
#[async_trait]
pub trait GuardrailSource: Send + Sync + 'static {
    /// The guardrails as they stand, never older than an acknowledged write. Asked on every call,
    /// so it must not read the store unless something has changed.
    ///
    /// # Errors
    /// If the store fails.
    async fn guardrails(&self) -> Result<Arc<Guardrails>, Fault>;
}

#[cfg(test)]
mod tests {
    use haechi_policy::Kind;

    use super::*;

    fn guarded() -> Guardrails {
        let text = |principal: &str| {
            format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Deny",{principal}"Action":"*","Resource":"*"}}]}}"#
            )
        };
        let level = |principal: &str, kind| {
            vec![vec![Arc::new(Document::parse(&text(principal), kind).unwrap())]]
        };
        let membership = Membership {
            organization_id: "o-aaaaaaaaaa".to_owned(),
            path: "o-aaaaaaaaaa/r-aaaa/".to_owned(),
            service_control: level("", Kind::ServiceControl),
            resource_control: level(r#""Principal":"*","#, Kind::ResourceControl),
            ..Membership::default()
        };
        Guardrails::new(HashMap::from([("111111111111".to_owned(), membership)]))
    }

    fn session(role_arn: &str) -> Principal {
        Principal::AssumedRole {
            session_arn: "arn:aws:sts::111111111111:assumed-role/r/s".to_owned(),
            role_arn: role_arn.to_owned(),
            role_unique_id: "AROA".to_owned(),
            session_name: "s".to_owned(),
            account: "111111111111".to_owned(),
        }
    }

    #[test]
    fn a_role_of_an_account_is_bound_and_a_service_linked_one_is_not() {
        let guardrails = guarded();
        let role = session("arn:aws:iam::111111111111:role/r");
        let linked = "arn:aws:iam::111111111111:role/aws-service-role/x.amazonaws.com/r";
        let linked = session(linked);
        assert_eq!(guardrails.service_control(&role).len(), 1);
        assert!(guardrails.service_control(&linked).is_empty());
        assert!(guardrails.resource_control(&linked, "kms:Encrypt", "111111111111").is_empty());
    }

    #[test]
    fn a_role_whose_path_looks_like_a_service_linked_one_further_in_is_bound() {
        let guardrails = guarded();
        for path in ["x:role/aws-service-role/y/", "x/role/aws-service-role/y/", "x:"] {
            let role = session(&format!("arn:aws:iam::111111111111:role/{path}r"));
            assert_eq!(guardrails.service_control(&role).len(), 1, "{path}");
            let controls = guardrails.resource_control(&role, "kms:Encrypt", "111111111111");
            assert_eq!(controls.len(), 1, "{path}");
        }
    }

    #[test]
    fn a_service_that_acts_for_itself_is_bound_by_resource_control_only() {
        let (guardrails, service) =
            (guarded(), Principal::Service { name: "events.amazonaws.com".to_owned() });
        let controls = guardrails.resource_control(&service, "sqs:SendMessage", "111111111111");
        assert_eq!(controls.len(), 1);
        assert!(guardrails.service_control(&service).is_empty());
    }

    #[test]
    fn resource_control_binds_only_services_that_support_it() {
        let (guardrails, role) = (guarded(), session("arn:aws:iam::111111111111:role/r"));
        let count = |action| guardrails.resource_control(&role, action, "111111111111").len();
        assert_eq!(count("kms:Encrypt"), 1);
        assert_eq!(count("KMS:Encrypt"), 1);
        assert_eq!(count("iam:CreateUser"), 0);
    }

    #[test]
    fn an_account_outside_any_organization_is_not_bound() {
        let role = session("arn:aws:iam::111111111111:role/r");
        assert!(guarded().resource_control(&role, "kms:Encrypt", "222222222222").is_empty());
    }
}
