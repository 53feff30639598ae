//! From an unchecked key to a key and a permit: key policy and IAM, with the condition keys of
//! KMS.
//!
//! Source: Developer Guide, "AWS KMS condition keys"; Service Authorization Reference.

use std::borrow::Cow;
use std::collections::BTreeMap;

use haechi_core::facts::{named, tagged};
use haechi_core::{Ask, Cx, Permit, Unchecked};
use haechi_kms_model::Error;
use haechi_kms_model::shapes::Tag;
use haechi_policy::{Context, Denial, Granted, Kind, ResourceRule, Values};
use haechi_wire::Fault;

use crate::grant::{Child, Constraints, Party, Wanted};
use crate::identifier::arn;
use crate::store::{Found, Key, KeyRecord, Named};

/// What the request says that conditions may ask about.
#[derive(Default, Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub(crate) encryption_context: Option<&'a BTreeMap<String, String>>,
    pub(crate) algorithm: Option<&'a str>,
    /// Tags to be set.
    pub(crate) tags: &'a [Tag],
    /// Tags to be removed.
    pub(crate) tag_keys: &'a [String],
    /// `BypassPolicyLockoutSafetyCheck`.
    pub(crate) bypass: Option<bool>,
    /// Whether a re-encryption stays under one key.
    pub(crate) same_key: Option<bool>,
    /// Of a deletion.
    pub(crate) window_days: Option<i32>,
    /// The grant that is to be made.
    pub(crate) grant: Option<Child<'a>>,
    /// The constraints of the grant that is to be made or retired.
    pub(crate) constraints: Option<&'a Constraints>,
    /// Condition keys of few operations, in small letters, each with its one value.
    pub(crate) extra: &'a [(&'static str, &'a str)],
}

/// What a key is, as far as conditions ask: of one that exists, or is to be made.
#[derive(Clone, Copy)]
pub(crate) struct Kinds<'a> {
    pub(crate) spec: &'a str,
    pub(crate) usage: &'a str,
    pub(crate) origin: &'a str,
}

/// The condition keys of a request that is about no key that exists.
pub(crate) struct Conditions<'a> {
    caller_account: &'a str,
    /// The service that calls on the caller's behalf; a client cannot say that one does.
    via: Option<String>,
    kinds: Option<Kinds<'a>>,
    facts: Facts<'a>,
}

impl<'a> Conditions<'a> {
    /// Those of a call, with what it says.
    pub(crate) fn of(cx: &'a Cx, facts: Facts<'a>) -> Conditions<'a> {
        // Put together by hand: formatting took a thousand instructions of every secret's reading.
        let named = |service: &str| [service, ".", cx.region.as_str(), ".amazonaws.com"].concat();
        let via = cx.via().last().map(|service| named(service));
        Conditions { caller_account: cx.account().as_str(), via, kinds: None, facts }
    }

    /// Of a key that is to be made.
    pub(crate) fn with_kinds(self, kinds: Kinds<'a>) -> Conditions<'a> {
        Conditions { kinds: Some(kinds), ..self }
    }

    /// What they say of a key that exists.
    pub(crate) fn values_of(
        &self,
        record: &'a KeyRecord,
        named: &'a Named,
        key: &str,
    ) -> Option<Values<'_>> {
        if let Some(name) = key.strip_prefix("aws:resourcetag/") {
            return tagged(&record.tags, name);
        }
        match key {
            "kms:requestalias" => match named {
                Named::Alias(name) => Some(Values::one(name)),
                Named::Id | Named::Ciphertext => None,
            },
            "kms:grantisforawsresource" => {
                Some(Values::one(if self.via.is_some() { "true" } else { "false" }))
            }
            "kms:resourcealiases" => {
                Some(Values::Many(Cow::Owned(record.aliases.iter().cloned().collect())))
            }
            "kms:keyspec" | "kms:customermasterkeyspec" => Some(Values::one(&record.spec)),
            "kms:keyusage" | "kms:customermasterkeyusage" => Some(Values::one(&record.usage)),
            "kms:keyorigin" => Some(Values::one(&record.origin)),
            "kms:multiregion" => Some(Values::one(record.multi_region_flag())),
            "kms:multiregionkeytype" => record.multi_region_key_type().map(Values::one),
            _ => self.values(key),
        }
    }
}

impl Context for Conditions<'_> {
    fn values(&self, key: &str) -> Option<Values<'_>> {
        let facts = &self.facts;
        if let Some(name) = key.strip_prefix("kms:encryptioncontext:") {
            return tagged(facts.encryption_context?, name);
        }
        if let Some(name) = key.strip_prefix("aws:requesttag/") {
            let tags = facts.tags.iter();
            return named(tags.map(|tag| (tag.tag_key.as_str(), tag.tag_value.as_str())), name);
        }
        if let Some((_, value)) = facts.extra.iter().find(|(name, _)| *name == key) {
            return Some(Values::one(value));
        }
        let flag = |value: bool| Values::one(if value { "true" } else { "false" });
        let grantee = facts.grant.map(|grant| grant.grantee);
        let retiring = facts.grant.and_then(|grant| grant.retiring);
        match key {
            "kms:calleraccount" => Some(Values::one(self.caller_account)),
            "kms:viaservice" => self.via.as_deref().map(Values::one),
            "kms:keyspec" | "kms:customermasterkeyspec" => {
                self.kinds.map(|kinds| Values::one(kinds.spec))
            }
            "kms:keyusage" | "kms:customermasterkeyusage" => {
                self.kinds.map(|kinds| Values::one(kinds.usage))
            }
            "kms:keyorigin" => self.kinds.map(|kinds| Values::one(kinds.origin)),
            "kms:multiregion" => self.kinds.map(|_| flag(false)),
            "kms:encryptionalgorithm" => facts.algorithm.map(Values::one),
            "kms:encryptioncontextkeys" => {
                let keys = facts.encryption_context?.keys().cloned().collect();
                Some(Values::Many(Cow::Owned(keys)))
            }
            "kms:bypasspolicylockoutsafetycheck" => facts.bypass.map(flag),
            "kms:reencryptonsamekey" => facts.same_key.map(flag),
            "kms:schedulekeydeletionpendingwindowindays" => {
                facts.window_days.map(|days| Values::owned(days.to_string()))
            }
            "kms:granteeprincipal" => party(grantee, false),
            "kms:granteeserviceprincipal" => party(grantee, true),
            "kms:retiringprincipal" => party(retiring, false),
            "kms:retiringserviceprincipal" => party(retiring, true),
            "kms:grantoperations" => facts.grant.map(|grant| Values::many(grant.operations)),
            "kms:grantconstrainttype" => facts
                .constraints
                .map(Constraints::kinds)
                .filter(|kinds| !kinds.is_empty())
                .map(|kinds| Values::Many(Cow::Owned(kinds))),
            "kms:grantconstraintsourcearn" => {
                facts.constraints?.source_arn.as_deref().map(Values::one)
            }
            "aws:tagkeys" => {
                let keys = facts.tags.iter().map(|tag| &tag.tag_key).chain(facts.tag_keys);
                Some(Values::Many(Cow::Owned(keys.cloned().collect())))
            }
            _ => None,
        }
    }
}

/// The name of a grant's party, if it is a service or if it is none.
fn party(party: Option<&Party>, service: bool) -> Option<Values<'_>> {
    party.filter(|party| party.service == service).map(|party| Values::one(&party.name))
}

/// A key with everything that the decision about it depends on.
struct Access<'a, K> {
    found: Found<K>,
    action: &'a str,
    conditions: Conditions<'a>,
}

impl<K: AsRef<Key>> Access<'_, K> {
    fn ask(&self) -> Ask<'_>
    where
        K: Send + Sync,
    {
        let key = self.found.key.as_ref();
        Ask {
            action: self.action,
            resource: key.arn(),
            resource_account: &key.record.account,
            policy: Some(&key.policy),
            rule: ResourceRule::RootOfTrust,
            context: self,
        }
    }

    /// What the key's grants give the caller.
    fn granted(&self, cx: &Cx) -> Option<Granted> {
        let (facts, record) = (&self.conditions.facts, &self.found.key.as_ref().record);
        self.found.grants.as_ref()?.give(
            &cx.caller.principal,
            &Wanted {
                operation: self.action.strip_prefix("kms:")?,
                context: facts.encryption_context,
                child: facts.grant,
                source_arn: cx.source().map(|source| source.arn.as_str()),
                caller_account: self.conditions.caller_account,
                key_account: &record.account,
            },
        )
    }
}

impl<K: AsRef<Key>> Context for Access<'_, K> {
    fn values(&self, key: &str) -> Option<Values<'_>> {
        let found = &self.found;
        self.conditions.values_of(&found.key.as_ref().record, &found.named, key)
    }

    fn is_of_service(&self) -> bool {
        self.found.key.as_ref().record.is_aws_managed()
    }
}

/// Decides the call's own action where it is about nothing that has a name.
pub(crate) fn authorize_any(cx: &Cx) -> Result<Permit, Fault> {
    authorize_on(cx, "*")
}

/// Decides the call's own action on something of the caller's account that has no policy.
pub(crate) fn authorize_on(cx: &Cx, resource: &str) -> Result<Permit, Fault> {
    cx.authorize(&Ask {
        action: cx.operation.action,
        resource,
        resource_account: cx.account().as_str(),
        policy: None,
        rule: ResourceRule::Union,
        context: &Conditions::of(cx, Facts::default()),
    })
}

/// Decides the call's own action on a key.
pub(crate) fn admit<K: AsRef<Key> + Send + Sync>(
    cx: &Cx,
    found: Unchecked<Found<K>>,
    facts: Facts<'_>,
) -> Result<(K, Permit), Error> {
    admit_action(cx, cx.operation.action, found, facts)
}

/// Decides an action on a key.
pub(crate) fn admit_action<K: AsRef<Key> + Send + Sync>(
    cx: &Cx,
    action: &str,
    found: Unchecked<Found<K>>,
    facts: Facts<'_>,
) -> Result<(K, Permit), Error> {
    let caller_account = cx.account().as_str();
    let conditions = Conditions::of(cx, facts);
    let access = found.map(|found| Access { found, action, conditions });
    // What a denial may say of a key of another account is less than of one's own.
    let mut foreign = None;
    let mut remember = |access: &Access<'_, K>| {
        let key = access.found.key.as_ref();
        if key.record.account == caller_account {
            key.note(cx);
        } else {
            foreign = Some(match &access.found.named {
                Named::Ciphertext => "the resource associated with this ciphertext".to_owned(),
                Named::Id => format!("resource: {}", key.arn()),
                Named::Alias(name) => {
                    format!("resource: {}", arn(cx, &key.record.account, name))
                }
            });
        }
    };
    let decided = access.decide_granting(
        cx,
        |access| {
            remember(access);
            access.ask()
        },
        |access| access.granted(cx),
    );
    match (decided, foreign) {
        (Ok((access, permit)), foreign) => {
            let key = access.found.key;
            // Of another account's key the caller's audit log learns only what was allowed.
            if foreign.is_some() {
                key.as_ref().note(cx);
            }
            Ok((key, permit))
        }
        (Err(denied), Some(what)) => Err(denied_abroad(cx, action, denied.denial, &what).into()),
        (Err(denied), None) => Err(Fault::from(denied).into()),
    }
}

/// The denial of something in another account that does not exist: as of a key that exists and
/// whose policy does not speak of the caller.
pub(crate) fn foreign(cx: &Cx, action: &str, account: &str, arn: &str) -> Fault {
    let conditions = Conditions::of(cx, Facts::default());
    let what = format!("resource: {arn}");
    let decided = cx.decide(&Ask {
        action,
        resource: arn,
        resource_account: account,
        policy: None,
        rule: ResourceRule::RootOfTrust,
        context: &conditions,
    });
    // Without a policy of the resource there is no allowing it.
    let denial = decided.err().map_or(Denial::new(Kind::Resource, false), |denied| denied.denial);
    denied_abroad(cx, action, denial, &what)
}

/// Tells what the caller's own policies say, and of the resource's nothing: neither that it is
/// there, nor which key it is beyond what the caller wrote.
fn denied_abroad(cx: &Cx, action: &str, denial: Denial, what: &str) -> Fault {
    let caller = cx.caller.arn();
    let reason = match denial.kind() {
        Kind::Resource => {
            "because the resource does not exist in this Region, no resource-based policies allow \
             access, or a resource-based policy explicitly denies access"
                .to_owned()
        }
        _ => denial.reason(action),
    };
    Fault::AccessDenied(format!(
        "User: {caller} is not authorized to perform: {action} on {what} {reason}"
    ))
}
