//! Grants: what one gives, to whom, and under which constraints. Pure: no store.
//!
//! Source: Developer Guide, "Grants in AWS KMS"; API Reference, CreateGrant.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;

use haechi_core::database::Unknown;
use haechi_core::{AccountId, Cx, Record};
use haechi_kms_model::Error;
use haechi_kms_model::shapes::{GrantConstraints, GrantListEntry, GrantOperation};
use haechi_policy::{Granted, Principal};
use haechi_wire::Timestamp;
use serde::{Deserialize, Serialize};

use crate::request::invalid;

/// Grants that one key may have (Developer Guide, "Resource quotas").
pub(crate) const GRANTS_PER_KEY_MAX: u32 = 50_000;

/// Pairs in one constraint.
const PAIRS_MAX: usize = 8;

/// Characters of a constraint's keys and values together.
const CONSTRAINT_CHARACTERS_MAX: usize = 384;

/// A grant as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct GrantRecord {
    /// 64 hexadecimal digits.
    pub(crate) id: String,
    pub(crate) key_id: String,
    pub(crate) key_arn: String,
    pub(crate) key_account: String,
    pub(crate) region: String,
    pub(crate) name: Option<String>,
    pub(crate) created_ms: i64,
    /// The account of whoever created it.
    pub(crate) issuing_account: String,
    pub(crate) grantee: Party,
    pub(crate) retiring: Option<Party>,
    pub(crate) operations: Vec<String>,
    pub(crate) constraints: Constraints,
    /// Fields of the future.
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Record for GrantRecord {}

/// Who is named by a grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Party {
    /// The ARN of a principal, or the name of a service.
    pub(crate) name: String,
    /// IAM's unique id of the user or role when the grant was made: one that is made later under
    /// the same name is somebody else.
    #[serde(default)]
    pub(crate) unique_id: Option<String>,
    /// Whether it is a service.
    #[serde(default)]
    pub(crate) service: bool,
}

/// Under which conditions a grant counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Constraints {
    #[serde(default)]
    pub(crate) equals: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub(crate) subset: Option<BTreeMap<String, String>>,
    /// Only requests that a service makes on behalf of this resource.
    #[serde(default)]
    pub(crate) source_arn: Option<String>,
}

/// Whether `whole` has all pairs of `part`. In constraints keys have no case, values have.
fn includes(whole: &BTreeMap<String, String>, part: &BTreeMap<String, String>) -> bool {
    let has = |key: &str, value: &String| {
        whole.iter().any(|(own, held)| held == value && own.eq_ignore_ascii_case(key))
    };
    part.iter().all(|(key, value)| whole.get(key) == Some(value) || has(key, value))
}

/// Whether each has all pairs of the other.
fn same(one: &BTreeMap<String, String>, other: &BTreeMap<String, String>) -> bool {
    one.len() == other.len() && includes(one, other) && includes(other, one)
}

impl Constraints {
    /// Reads those of a request.
    pub(crate) fn read(asked: Option<GrantConstraints>) -> Result<Constraints, Error> {
        let mut asked = asked.unwrap_or_default();
        if let (Some(equals), Some(subset)) =
            (&asked.encryption_context_equals, &asked.encryption_context_subset)
        {
            // Terraform sends the one that it does not mean as an empty map.
            match (equals.is_empty(), subset.is_empty()) {
                (false, false) => return Err(invalid("More than one constraint supplied")),
                (true, false) => asked.encryption_context_equals = None,
                (_, true) => asked.encryption_context_subset = None,
            }
        }
        for context in [&asked.encryption_context_equals, &asked.encryption_context_subset] {
            let Some(context) = context else { continue };
            let characters: usize = context
                .iter()
                .map(|(key, value)| key.chars().count() + value.chars().count())
                .sum();
            if context.len() > PAIRS_MAX || characters > CONSTRAINT_CHARACTERS_MAX {
                return Err(invalid(format!(
                    "A grant constraint can have at most {PAIRS_MAX} encryption context pairs and \
                     {CONSTRAINT_CHARACTERS_MAX} characters."
                )));
            }
        }
        Ok(Constraints {
            equals: asked.encryption_context_equals,
            subset: asked.encryption_context_subset,
            source_arn: asked.source_arn,
        })
    }

    /// Whether any of them is about the encryption context.
    pub(crate) fn speak_of_context(&self) -> bool {
        self.equals.is_some() || self.subset.is_some()
    }

    /// The encryption contexts that they name: what `kms:EncryptionContext:…` sees of a new grant.
    pub(crate) fn context(&self) -> Option<BTreeMap<String, String>> {
        let named = [&self.subset, &self.equals].into_iter().flatten().flatten();
        self.speak_of_context()
            .then(|| named.map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    /// `kms:GrantConstraintType`.
    pub(crate) fn kinds(&self) -> Vec<String> {
        let kinds = [
            (self.equals.is_some(), "EncryptionContextEquals"),
            (self.subset.is_some(), "EncryptionContextSubset"),
            (self.source_arn.is_some(), "SourceArn"),
        ];
        kinds.iter().filter(|(there, _)| *there).map(|(_, kind)| (*kind).to_owned()).collect()
    }

    /// Whether a request with this encryption context meets those about it.
    fn admit(&self, context: &BTreeMap<String, String>) -> bool {
        self.equals.as_ref().is_none_or(|equals| same(equals, context))
            && self.subset.as_ref().is_none_or(|subset| includes(context, subset))
    }

    /// Whether every request that `child` admits is one that these admit.
    fn cover(&self, child: &Constraints) -> bool {
        let equals = self
            .equals
            .as_ref()
            .is_none_or(|equals| child.equals.as_ref().is_some_and(|child| same(equals, child)));
        let subset = self.subset.as_ref().is_none_or(|subset| {
            [&child.equals, &child.subset]
                .into_iter()
                .flatten()
                .any(|named| includes(named, subset))
        });
        let source = self.source_arn.is_none() || child.source_arn == self.source_arn;
        equals && subset && source
    }

    fn shape(&self) -> Option<GrantConstraints> {
        let shape = GrantConstraints {
            encryption_context_equals: self.equals.clone(),
            encryption_context_subset: self.subset.clone(),
            source_arn: self.source_arn.clone(),
        };
        (*self != Constraints::default()).then_some(shape)
    }
}

/// What a request asks of a grant.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// As in `Operations`: `Decrypt`.
    pub(crate) operation: &'a str,
    /// The encryption context; operations without one have an empty one.
    pub(crate) context: Option<&'a BTreeMap<String, String>>,
    /// The grant that is to be made, where the request makes one.
    pub(crate) child: Option<Child<'a>>,
    /// The resource on whose behalf a service asks.
    pub(crate) source_arn: Option<&'a str>,
    pub(crate) caller_account: &'a str,
    pub(crate) key_account: &'a str,
}

/// A grant that is to be made.
#[derive(Clone, Copy)]
pub(crate) struct Child<'a> {
    pub(crate) grantee: &'a Party,
    pub(crate) retiring: Option<&'a Party>,
    pub(crate) operations: &'a [String],
    pub(crate) constraints: &'a Constraints,
}

impl GrantRecord {
    fn gives(&self, wanted: &Wanted<'_>) -> bool {
        if !self.operations.iter().any(|operation| operation == wanted.operation) {
            return false;
        }
        let source_arn = self.constraints.source_arn.as_deref();
        if source_arn.is_some() && wanted.source_arn != source_arn {
            return false;
        }
        // These name no encryption context, so that a constraint on it does not bind them.
        if matches!(wanted.operation, "DescribeKey" | "RetireGrant") {
            return true;
        }
        if let Some(child) = &wanted.child {
            return child.operations.iter().all(|operation| self.operations.contains(operation))
                && self.constraints.cover(child.constraints);
        }
        self.constraints.admit(wanted.context.unwrap_or(&BTreeMap::new()))
    }

    /// As `ListGrants` answers it.
    pub(crate) fn entry(&self) -> GrantListEntry {
        let partition = self.key_arn.split(':').nth(1).unwrap_or("aws");
        let (grantee, grantee_service) = split(Some(&self.grantee));
        let (retiring, retiring_service) = split(self.retiring.as_ref());
        let operations = self.operations.iter();
        GrantListEntry {
            key_id: Some(self.key_arn.clone()),
            grant_id: Some(self.id.clone()),
            name: Some(self.name.clone().unwrap_or_default()),
            creation_date: Some(Timestamp::from_millis(self.created_ms)),
            grantee_principal: grantee,
            retiring_principal: retiring,
            issuing_account: Some(format!("arn:{partition}:iam::{}:root", self.issuing_account)),
            operations: Some(operations.filter_map(|name| GrantOperation::parse(name)).collect()),
            constraints: self.constraints.shape(),
            grantee_service_principal: grantee_service,
            retiring_service_principal: retiring_service,
        }
    }
}

/// A party as the two members of the model that it may stand in.
fn split(party: Option<&Party>) -> (Option<String>, Option<String>) {
    match party {
        Some(party) if party.service => (None, Some(party.name.clone())),
        Some(party) => (Some(party.name.clone()), None),
        None => (None, None),
    }
}

impl Party {
    /// How far this party's permissions are the caller's.
    pub(crate) fn speaks_for(&self, principal: &Principal) -> Option<Granted> {
        let names = names(principal);
        names.iter().filter(|name| name.is(self)).map(|name| name.granted).max()
    }
}

/// One name of a caller.
struct Name<'a> {
    name: Cow<'a, str>,
    unique_id: Option<&'a str>,
    granted: Granted,
}

impl<'a> Name<'a> {
    fn itself(name: &'a str, unique_id: Option<&'a str>) -> Name<'a> {
        Name { name: Cow::Borrowed(name), unique_id, granted: Granted::Principal }
    }

    fn is(&self, party: &Party) -> bool {
        let same_entity = match (&party.unique_id, self.unique_id) {
            (Some(bound), Some(own)) => bound == own,
            _ => true,
        };
        party.name == self.name && same_entity
    }
}

/// By what a grant may name a caller.
fn names(principal: &Principal) -> Vec<Name<'_>> {
    let mut names = match principal {
        Principal::User { arn, unique_id, .. } => vec![Name::itself(arn, Some(unique_id))],
        Principal::AssumedRole { session_arn, role_arn, role_unique_id, .. } => {
            vec![Name::itself(role_arn, Some(role_unique_id)), Name::itself(session_arn, None)]
        }
        Principal::FederatedUser { session_arn, user_arn, user_unique_id, .. } => {
            let user = user_arn.iter().map(|arn| Name::itself(arn, user_unique_id.as_deref()));
            user.chain([Name::itself(session_arn, None)]).collect()
        }
        Principal::Service { name } => vec![Name::itself(name, None)],
        Principal::Root { .. } | Principal::Federated { .. } | Principal::Anonymous => Vec::new(),
    };
    if let Some(account) = principal.account() {
        let partition = principal.name().split(':').nth(1).unwrap_or("aws");
        let name = Cow::Owned(format!("arn:{partition}:iam::{account}:root"));
        names.push(Name { name, unique_id: None, granted: Granted::Account });
    }
    names
}

/// How many parts the grants of a key are kept in: a change copies one.
const PARTS: usize = 64;

/// By whom they name.
type Part = HashMap<String, Vec<Arc<GrantRecord>>>;

/// The grants of one key, to be found by whom they name. Cheap to copy, and to copy with a change.
#[derive(Clone, Default)]
pub(crate) struct Grants(Arc<Vec<Arc<Part>>>);

/// In which part those are who are named so.
fn part_of(name: &str) -> usize {
    let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(name);
    usize::try_from(hash % (PARTS as u64)).unwrap_or(0)
}

impl Grants {
    pub(crate) fn new(rows: impl Iterator<Item = GrantRecord>) -> Grants {
        let mut parts = vec![Part::new(); PARTS];
        for row in rows {
            let Some(part) = parts.get_mut(part_of(&row.grantee.name)) else { continue };
            part.entry(row.grantee.name.clone()).or_default().push(Arc::new(row));
        }
        Grants(Arc::new(parts.into_iter().map(Arc::new).collect()))
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.iter().flat_map(|part| part.values()).map(Vec::len).sum()
    }

    /// The same but for some grants: as they are now, or gone.
    pub(crate) fn with(&self, changed: Vec<(String, Option<GrantRecord>)>) -> Grants {
        let mut next = self.clone();
        let parts = Arc::make_mut(&mut next.0);
        parts.resize_with(PARTS, Arc::default);
        for (id, grant) in changed {
            let is_it = |row: &Arc<GrantRecord>| row.id == id;
            let has_it = |part: &&mut Arc<Part>| part.values().flatten().any(is_it);
            for part in parts.iter_mut().filter(has_it) {
                Arc::make_mut(part).retain(|_, rows| {
                    rows.retain(|row| !is_it(row));
                    !rows.is_empty()
                });
            }
            let Some(grant) = grant else { continue };
            let Some(part) = parts.get_mut(part_of(&grant.grantee.name)) else { continue };
            let named = Arc::make_mut(part).entry(grant.grantee.name.clone()).or_default();
            named.push(Arc::new(grant));
        }
        next
    }

    /// Those that name a grantee so.
    fn naming(&self, name: &str) -> &[Arc<GrantRecord>] {
        let part = self.0.get(part_of(name));
        part.and_then(|part| part.get(name)).map(Vec::as_slice).unwrap_or_default()
    }

    /// What the grants of the key give a caller.
    pub(crate) fn give(&self, principal: &Principal, wanted: &Wanted<'_>) -> Option<Granted> {
        if self.0.iter().all(|part| part.is_empty()) {
            return None;
        }
        let mut strongest = None;
        for name in names(principal) {
            let grants = self.naming(&name.name).iter();
            for grant in grants.filter(|grant| name.is(&grant.grantee) && grant.gives(wanted)) {
                // A caller of another account trusts the key if its own account made the grant.
                let trusted = wanted.caller_account == wanted.key_account
                    || wanted.caller_account == grant.issuing_account;
                let given = if trusted { name.granted } else { Granted::Account };
                strongest = strongest.max(Some(given));
            }
        }
        strongest
    }
}

/// Operations that any grant may give.
const OF_ANY_KEY: [&str; 3] = ["CreateGrant", "RetireGrant", "DescribeKey"];

/// What a grant on a key of this kind may give besides.
fn of_kind(spec: &str, usage: &str) -> &'static [&'static str] {
    match (usage, spec) {
        ("ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT") => &[
            "Decrypt",
            "Encrypt",
            "GenerateDataKey",
            "GenerateDataKeyWithoutPlaintext",
            "GenerateDataKeyPair",
            "GenerateDataKeyPairWithoutPlaintext",
            "ReEncryptFrom",
            "ReEncryptTo",
        ],
        ("ENCRYPT_DECRYPT", _) => {
            &["Decrypt", "Encrypt", "ReEncryptFrom", "ReEncryptTo", "GetPublicKey"]
        }
        ("SIGN_VERIFY", _) => &["Sign", "Verify", "GetPublicKey"],
        ("GENERATE_VERIFY_MAC", _) => &["GenerateMac", "VerifyMac"],
        ("KEY_AGREEMENT", _) => &["DeriveSharedSecret", "GetPublicKey"],
        _ => &["Encapsulate", "Decapsulate", "GetPublicKey"],
    }
}

/// Refuses a grant that means nothing on a key of this kind.
pub(crate) fn check_fits(
    spec: &str,
    usage: &str,
    operations: &[String],
    constraints: &Constraints,
) -> Result<(), Error> {
    if operations.is_empty() {
        return Err(invalid("A grant must allow at least one operation."));
    }
    if operations.iter().all(|operation| operation == "CreateGrant") {
        return Err(invalid("Grants must not contain only the CreateGrant operation."));
    }
    let allowed = of_kind(spec, usage);
    for operation in operations {
        if !allowed.contains(&&**operation) && !OF_ANY_KEY.contains(&&**operation) {
            return Err(invalid(format!(
                "Grant operation {operation} is not supported by a key with key spec {spec} and \
                 key usage {usage}."
            )));
        }
    }
    if constraints.speak_of_context() && spec != "SYMMETRIC_DEFAULT" {
        return Err(invalid(
            "Encryption context grant constraints are supported on symmetric encryption keys only.",
        ));
    }
    Ok(())
}

/// Refuses what is no ARN of a principal: an account, a user, a role, or a session.
pub(crate) fn check_principal(arn: &str) -> Result<(), Error> {
    let mut parts = arn.splitn(6, ':');
    let mut part = || parts.next().unwrap_or_default();
    let (prefix, _partition, service, region) = (part(), part(), part(), part());
    let (account, resource) = (part(), part());
    let kind = resource.split_once('/').map(|(kind, name)| (kind, !name.is_empty()));
    let known = match (service, kind) {
        ("iam", None) => resource == "root",
        ("iam", Some(("user" | "role", named))) => named,
        ("sts", Some(("assumed-role", _))) => resource.split('/').count() == 3,
        ("sts", Some(("federated-user", named))) => named,
        _ => false,
    };
    if prefix == "arn" && region.is_empty() && known && AccountId::parse(account).is_some() {
        return Ok(());
    }
    Err(no_principal(arn))
}

/// What a name that is nobody's answers.
pub(crate) fn no_principal(arn: &str) -> Error {
    Error::InvalidArnException(format!("ARN does not refer to a valid principal: {arn}"))
}

/// Refuses what has not the form of a grant's id.
pub(crate) fn check_id(id: &str) -> Result<(), Error> {
    if id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(());
    }
    Err(Error::InvalidGrantIdException(format!("Invalid grant id '{id}'")))
}

/// What a grant that is not there answers.
pub(crate) fn not_found(id: &str) -> Error {
    Error::NotFoundException(format!("Grant ID {id} not found"))
}

/// A new id.
pub(crate) fn new_id(cx: &Cx) -> Result<String, haechi_wire::Fault> {
    let mut bytes = [0; 32];
    cx.env.random.fill(&mut bytes).map_err(haechi_wire::Fault::internal)?;
    Ok(crate::store::hex(&bytes))
}

#[cfg(test)]
mod tests;
