//! Records as answers show them.

use haechi_organizations_model::shapes::{
    Account, AccountJoinedMethod, AccountState, AccountStatus, CreateAccountFailureReason,
    CreateAccountState, CreateAccountStatus, Organization as Shown, OrganizationFeatureSet,
    OrganizationalUnit, Policy, PolicySummary, PolicyTargetSummary, PolicyType, PolicyTypeStatus,
    PolicyTypeSummary, ResourcePolicy, ResourcePolicySummary, Root,
};
use haechi_wire::{SecretString, Timestamp};

use crate::organization::{Organization, Target};
use crate::policy;
use crate::store::{CreationRecord, MemberRecord, PolicyRecord, ResourcePolicyRecord, UnitRecord};

pub(crate) fn secret(text: &str) -> Option<SecretString> {
    Some(SecretString(text.to_owned()))
}

fn enabled(name: &str) -> Option<PolicyTypeSummary> {
    Some(PolicyTypeSummary {
        r#type: Some(PolicyType::parse(name)?),
        status: Some(PolicyTypeStatus::Enabled),
    })
}

impl Organization {
    pub(crate) fn shown(&self) -> Shown {
        let record = self.record();
        let email = self.account(self.management()).map(|member| member.email.as_str());
        // Deprecated: AWS names this one type, whatever is enabled.
        let types = record.all_features.then(|| enabled(policy::SERVICE_CONTROL));
        Shown {
            id: Some(record.id.clone()),
            arn: Some(self.organization_arn()),
            feature_set: Some(if record.all_features {
                OrganizationFeatureSet::All
            } else {
                OrganizationFeatureSet::ConsolidatedBilling
            }),
            master_account_arn: Some(self.account_arn(self.management())),
            master_account_id: Some(record.management.clone()),
            master_account_email: email.and_then(secret),
            available_policy_types: Some(types.flatten().into_iter().collect()),
        }
    }

    pub(crate) fn shown_root(&self, types: impl Iterator<Item = impl AsRef<str>>) -> Root {
        Root {
            id: Some(self.record().root_id.clone()),
            arn: Some(self.root_arn()),
            name: Some("Root".to_owned()),
            policy_types: Some(types.filter_map(|name| enabled(name.as_ref())).collect()),
        }
    }

    pub(crate) fn shown_unit(&self, unit: &UnitRecord) -> OrganizationalUnit {
        OrganizationalUnit {
            id: Some(unit.id.clone()),
            arn: Some(self.arn_of(&unit.id)),
            name: Some(unit.name.clone()),
            path: Some(format!("{}{}/", self.path(&unit.parent), unit.id)),
        }
    }

    pub(crate) fn shown_account(&self, member: &MemberRecord) -> Account {
        let closed = member.closed_ms.is_some();
        Account {
            id: Some(member.account.clone()),
            arn: Some(self.account_arn(&member.account)),
            email: secret(&member.email),
            name: secret(&member.name),
            status: Some(if closed { AccountStatus::Suspended } else { AccountStatus::Active }),
            state: Some(if closed { AccountState::Closed } else { AccountState::Active }),
            paths: Some(vec![self.path(&member.account)]),
            joined_method: Some(if member.created {
                AccountJoinedMethod::Created
            } else {
                AccountJoinedMethod::Invited
            }),
            joined_timestamp: Some(Timestamp::from_millis(member.joined_ms)),
        }
    }

    pub(crate) fn shown_summary(&self, policy: &PolicyRecord) -> PolicySummary {
        PolicySummary {
            id: Some(policy.id.clone()),
            arn: Some(self.policy_arn(&policy.id)),
            name: Some(policy.name.clone()),
            description: Some(policy.description.clone()),
            r#type: PolicyType::parse(&policy.kind),
            aws_managed: Some(policy::managed(&policy.id).is_some()),
        }
    }

    /// A policy; one that was just made is not in the organization yet.
    pub(crate) fn shown_policy(&self, policy: &PolicyRecord) -> Policy {
        let arn = match policy::managed(&policy.id) {
            Some(_) => self.policy_arn(&policy.id),
            None => self.own_policy_arn(&policy.kind, &policy.id),
        };
        let summary = PolicySummary { arn: Some(arn), ..self.shown_summary(policy) };
        Policy { policy_summary: Some(summary), content: Some(policy.content.clone()) }
    }

    pub(crate) fn shown_target(&self, target: Target<'_>) -> PolicyTargetSummary {
        PolicyTargetSummary {
            target_id: Some(target.id().to_owned()),
            arn: Some(self.arn_of(target.id())),
            name: Some(target.name().to_owned()),
            r#type: Some(target.kind()),
        }
    }

    pub(crate) fn shown_resource_policy(&self, policy: &ResourcePolicyRecord) -> ResourcePolicy {
        let summary = ResourcePolicySummary {
            id: Some(policy.id.clone()),
            arn: Some(self.resource_policy_arn(&policy.id)),
        };
        ResourcePolicy {
            resource_policy_summary: Some(summary),
            content: Some(policy.content.clone()),
        }
    }
}

impl CreationRecord {
    pub(crate) fn shown(&self) -> CreateAccountStatus {
        let state = CreateAccountState::parse(&self.state);
        let done = state == Some(CreateAccountState::Succeeded);
        CreateAccountStatus {
            id: Some(self.id.clone()),
            account_name: secret(&self.name),
            state,
            requested_timestamp: Some(Timestamp::from_millis(self.requested_ms)),
            completed_timestamp: self.completed_ms.map(Timestamp::from_millis),
            account_id: done.then(|| self.account.clone()),
            gov_cloud_account_id: None,
            failure_reason: self.failure.as_deref().and_then(CreateAccountFailureReason::parse),
        }
    }
}
