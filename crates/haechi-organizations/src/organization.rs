//! An organization as it stands, all of it, in memory: the tree of its units and accounts, its
//! policies, and what hangs where. Pure: what changes it is in [`crate::change`].

use std::collections::BTreeMap;

use haechi_core::Loaded;
use haechi_organizations_model::shapes::TargetType;

use crate::policy;
use crate::store::{Hung, MemberRecord, OrganizationRecord, PolicyRecord, Tags, UnitRecord};

/// Rows by id.
pub(crate) type Rows<T> = BTreeMap<String, Loaded<T>>;

/// The organization.
pub(crate) struct Organization {
    pub(crate) head: Loaded<OrganizationRecord>,
    pub(crate) units: Rows<UnitRecord>,
    pub(crate) accounts: Rows<MemberRecord>,
    pub(crate) policies: Rows<PolicyRecord>,
}

/// What a policy can be attached to.
#[derive(Clone, Copy)]
pub(crate) enum Target<'a> {
    Root(&'a OrganizationRecord),
    Unit(&'a UnitRecord),
    Account(&'a MemberRecord),
}

impl<'a> Target<'a> {
    pub(crate) fn id(self) -> &'a str {
        match self {
            Target::Root(record) => &record.root_id,
            Target::Unit(record) => &record.id,
            Target::Account(record) => &record.account,
        }
    }

    pub(crate) fn name(self) -> &'a str {
        match self {
            Target::Root(_) => "Root",
            Target::Unit(record) => &record.name,
            Target::Account(record) => &record.name,
        }
    }

    pub(crate) fn kind(self) -> TargetType {
        match self {
            Target::Root(_) => TargetType::Root,
            Target::Unit(_) => TargetType::OrganizationalUnit,
            Target::Account(_) => TargetType::Account,
        }
    }

    pub(crate) fn hung(self) -> &'a Hung {
        match self {
            Target::Root(record) => &record.root,
            Target::Unit(record) => &record.hung,
            Target::Account(record) => &record.hung,
        }
    }

    /// The target above it.
    pub(crate) fn parent(self) -> Option<&'a str> {
        match self {
            Target::Root(_) => None,
            Target::Unit(record) => Some(&record.parent),
            Target::Account(record) => Some(&record.parent),
        }
    }
}

impl Organization {
    pub(crate) fn record(&self) -> &OrganizationRecord {
        &self.head.value
    }

    pub(crate) fn id(&self) -> &str {
        &self.record().id
    }

    pub(crate) fn management(&self) -> &str {
        &self.record().management
    }

    /// The root, a unit or an account.
    pub(crate) fn target(&self, id: &str) -> Option<Target<'_>> {
        if id == self.record().root_id {
            return Some(Target::Root(self.record()));
        }
        let unit = self.units.get(id).map(|unit| Target::Unit(&unit.value));
        unit.or_else(|| self.accounts.get(id).map(|account| Target::Account(&account.value)))
    }

    /// The root or a unit.
    pub(crate) fn parent(&self, id: &str) -> Option<Target<'_>> {
        self.target(id).filter(|target| !matches!(target, Target::Account(_)))
    }

    pub(crate) fn unit(&self, id: &str) -> Option<&UnitRecord> {
        self.units.get(id).map(|unit| &unit.value)
    }

    pub(crate) fn account(&self, id: &str) -> Option<&MemberRecord> {
        self.accounts.get(id).map(|account| &account.value)
    }

    /// From the root down to `id`, which is the last.
    pub(crate) fn line(&self, id: &str) -> Vec<Target<'_>> {
        let mut line = Vec::new();
        let mut next = self.target(id);
        while let Some(target) = next {
            line.push(target);
            next = target.parent().and_then(|parent| self.target(parent));
        }
        line.reverse();
        line
    }

    /// `o-…/r-…/ou-…/`: where `id` is, itself included.
    pub(crate) fn path(&self, id: &str) -> String {
        let line = self.line(id);
        line.iter().fold(format!("{}/", self.id()), |path, target| path + target.id() + "/")
    }

    /// Units right below a parent.
    pub(crate) fn units_of<'a>(&'a self, parent: &'a str) -> impl Iterator<Item = &'a UnitRecord> {
        self.units.values().map(|unit| &unit.value).filter(move |unit| unit.parent == parent)
    }

    /// Accounts right below a parent.
    pub(crate) fn accounts_of<'a>(
        &'a self,
        parent: &'a str,
    ) -> impl Iterator<Item = &'a MemberRecord> {
        let accounts = self.accounts.values().map(|account| &account.value);
        accounts.filter(move |account| account.parent == parent)
    }

    /// A policy, also of AWS's own.
    pub(crate) fn policy(&self, id: &str) -> Option<&PolicyRecord> {
        policy::managed(id).or_else(|| self.policies.get(id).map(|policy| &policy.value))
    }

    /// Ids of the policies of a type that are attached to a target: AWS's own first.
    pub(crate) fn attached<'a>(&self, target: Target<'a>, kind: &str) -> Vec<&'a str> {
        let Some(generation) = self.record().policy_types.get(kind).copied() else {
            return Vec::new();
        };
        let hung = target.hung();
        let mut ids = Vec::new();
        if let Some(id) = policy::attached_by_default(kind) {
            let off =
                hung.detached.iter().any(|off| off.policy == id && off.generation == generation);
            if !off {
                ids.push(id);
            }
        }
        // A generation belongs to one type, so this is about the type too.
        let current = hung.attached.iter().filter(|on| on.generation == generation);
        ids.extend(current.map(|on| on.policy.as_str()));
        ids
    }

    /// Targets that a policy is attached to: the root, units, accounts.
    pub(crate) fn targets_of(&self, policy: &PolicyRecord) -> Vec<Target<'_>> {
        let root = std::iter::once(Target::Root(self.record()));
        let units = self.units.values().map(|unit| Target::Unit(&unit.value));
        let accounts = self.accounts.values().map(|account| Target::Account(&account.value));
        let all = root.chain(units).chain(accounts);
        all.filter(|target| self.attached(*target, &policy.kind).contains(&policy.id.as_str()))
            .collect()
    }

    /// Tags of a root, unit, account, policy or the resource policy.
    pub(crate) fn tags_of(&self, id: &str) -> Option<&Tags> {
        if let Some(target) = self.target(id) {
            return Some(&target.hung().tags);
        }
        if let Some(policy) = self.policies.get(id) {
            return Some(&policy.value.tags);
        }
        let policy = self.record().resource_policy.as_ref();
        policy.filter(|policy| policy.id == id).map(|policy| &policy.tags)
    }

    /// Whether an account administers any service for the organization.
    pub(crate) fn is_delegated(&self, account: &str) -> bool {
        self.account(account).is_some_and(|member| !member.delegated.is_empty())
    }

    fn arn(&self, kind: &str, id: &str) -> String {
        format!("arn:aws:organizations::{}:{kind}/{}/{id}", self.management(), self.id())
    }

    pub(crate) fn organization_arn(&self) -> String {
        format!("arn:aws:organizations::{}:organization/{}", self.management(), self.id())
    }

    pub(crate) fn root_arn(&self) -> String {
        self.arn("root", &self.record().root_id)
    }

    pub(crate) fn account_arn(&self, account: &str) -> String {
        self.arn("account", account)
    }

    pub(crate) fn resource_policy_arn(&self, id: &str) -> String {
        self.arn("resourcepolicy", id)
    }

    /// The ARN of a policy, or the one that it would have.
    pub(crate) fn policy_arn(&self, id: &str) -> String {
        let kind = self.policy(id).map_or(policy::SERVICE_CONTROL, |policy| &policy.kind);
        if policy::managed(id).is_some() {
            let kind = kind.to_ascii_lowercase();
            return format!("arn:aws:organizations::aws:policy/{kind}/{id}");
        }
        self.own_policy_arn(kind, id)
    }

    /// The ARN of a policy of the organization's own, which need not be in it yet.
    pub(crate) fn own_policy_arn(&self, kind: &str, id: &str) -> String {
        self.arn("policy", &format!("{}/{id}", kind.to_ascii_lowercase()))
    }

    /// The ARN of a root, unit, account, policy or resource policy, by the form of its id.
    pub(crate) fn arn_of(&self, id: &str) -> String {
        match id.split('-').next() {
            Some("r") => self.arn("root", id),
            Some("ou") => self.arn("ou", id),
            Some("p") => self.policy_arn(id),
            Some("rp") => self.resource_policy_arn(id),
            _ => self.account_arn(id),
        }
    }
}
