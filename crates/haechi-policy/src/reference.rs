//! Which actions there are, what resources they take, and which condition keys they have.
//!
//! The table is of the services that haechi has, generated from a published copy of AWS's Service
//! Authorization Reference (`cargo xtask codegen`). It decides nothing: it explains, checks that
//! haechi authorises no action that AWS does not know, and answers for simulations what a resource
//! of an action is.

mod service_principals;

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Serialize;

pub use service_principals::is_service_principal;

static TABLE: LazyLock<Table> = LazyLock::new(|| Table::read(include_str!("reference/table.tsv")));

/// One action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ActionReference {
    /// As AWS writes it, with its service: `kms:Decrypt`.
    pub name: String,
    /// `Read`, `Write`, `List`, `Tagging` or `Permissions management`.
    pub access_level: &'static str,
    /// The resources that it can be allowed on; none means that it takes `*` only.
    pub resource_types: Vec<ResourceType>,
    /// Its own condition keys, beside the global ones.
    pub condition_keys: Vec<&'static str>,
}

/// A type of resource of an action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ResourceType {
    /// `key`.
    pub name: &'static str,
    /// `arn:${Partition}:kms:${Region}:${Account}:key/${KeyId}`.
    pub arn: &'static str,
    /// Whether the action always has one.
    pub required: bool,
    /// Condition keys that resources of the type bring.
    pub condition_keys: Vec<&'static str>,
}

/// What a service has.
#[derive(Default)]
struct Service {
    condition_keys: Vec<&'static str>,
    resource_types: HashMap<&'static str, (&'static str, Vec<&'static str>)>,
    /// By their names in small letters.
    actions: HashMap<String, ActionReference>,
}

struct Table {
    services: HashMap<&'static str, Service>,
}

/// The action of this name, such as `kms:Decrypt`, whatever its case; `None` if its service has no
/// such action, or is none of haechi's ([`has_service`]).
#[must_use]
pub fn action(name: &str) -> Option<&'static ActionReference> {
    let (service, name) = name.split_once(':')?;
    TABLE.service(service)?.actions.get(&name.to_ascii_lowercase())
}

/// Whether the table has this service, named as actions do: `kms`.
#[must_use]
pub fn has_service(prefix: &str) -> bool {
    TABLE.service(prefix).is_some()
}

/// All condition keys of a service, as AWS writes them (`kms:EncryptionContext:${…}`).
#[must_use]
pub fn condition_keys(prefix: &str) -> &'static [&'static str] {
    TABLE.service(prefix).map_or(&[], |service| &service.condition_keys)
}

impl ActionReference {
    /// Whether it can be allowed on single resources; if not, its resource is `*`.
    #[must_use]
    pub fn takes_resources(&self) -> bool {
        !self.resource_types.is_empty()
    }

    /// The type of a resource of this action, by its ARN.
    #[must_use]
    pub fn resource_type(&self, arn: &str) -> Option<&ResourceType> {
        self.resource_types.iter().find(|one| like(one.arn, arn))
    }

    /// Whether a request for the action can have a condition key. Global keys can always be there,
    /// but for those of tags, which belong to actions and resources.
    #[must_use]
    pub fn has_condition_key(&self, key: &str) -> bool {
        let lower = key.to_ascii_lowercase();
        let of_tags = ["aws:requesttag/", "aws:resourcetag/"];
        let global = lower.starts_with("aws:")
            && lower != "aws:tagkeys"
            && !of_tags.iter().any(|prefix| lower.starts_with(prefix));
        let of_resources = self.resource_types.iter().flat_map(|one| &one.condition_keys);
        global || self.condition_keys.iter().chain(of_resources).any(|known| is(known, &lower))
    }
}

/// Whether a key in small letters is the known one, which may end in a name of the caller's.
fn is(known: &str, lower: &str) -> bool {
    match known.split_once("${") {
        Some((prefix, _)) => {
            lower.strip_prefix(&*prefix.to_ascii_lowercase()).is_some_and(|name| !name.is_empty())
        }
        None => known.eq_ignore_ascii_case(lower),
    }
}

/// Whether an ARN, which may have wildcards, is of the form of a type's.
fn like(form: &str, arn: &str) -> bool {
    if arn == "*" {
        return true;
    }
    let resource = |arn: &str| arn.splitn(6, ':').nth(5).map(str::to_owned);
    let (Some(form), Some(resource)) = (resource(form), resource(arn)) else { return false };
    let fixed = form.split("${").next().unwrap_or_default();
    let shared = fixed.len().min(resource.find(['*', '?']).unwrap_or(resource.len()));
    resource.get(..shared) == fixed.get(..shared)
        && (resource.len() > fixed.len() || shared < fixed.len() || resource == form)
}

impl Table {
    fn service(&self, prefix: &str) -> Option<&Service> {
        self.services
            .get(prefix)
            .or_else(|| self.services.get(prefix.to_ascii_lowercase().as_str()))
    }

    /// Reads the lines that `xtask/src/codegen/actions.rs` writes.
    fn read(text: &'static str) -> Table {
        let mut services = HashMap::new();
        let (mut name, mut service) = ("", Service::default());
        for line in text.lines() {
            let mut fields = line.split('\t');
            let letter = fields.next().unwrap_or_default();
            let mut field = || fields.next().unwrap_or_default();
            match letter {
                "S" => {
                    services.insert(name, std::mem::take(&mut service));
                    name = field();
                }
                "K" => service.condition_keys.push(field()),
                "R" => {
                    let (kind, arn) = (field(), field());
                    let keys = service.numbered(field());
                    service.resource_types.insert(kind, (arn, keys));
                }
                "A" => {
                    let (action, level, types) = (field(), field(), field());
                    service.add(name, action, level, types, field());
                }
                _ => {}
            }
        }
        services.insert(name, service);
        services.remove("");
        Table { services }
    }
}

impl Service {
    fn numbered(&self, numbers: &str) -> Vec<&'static str> {
        let at = |number: &str| self.condition_keys.get(number.parse::<usize>().ok()?).copied();
        numbers.split(' ').filter_map(at).collect()
    }

    fn add(
        &mut self,
        service: &str,
        action: &'static str,
        access_level: &'static str,
        types: &'static str,
        keys: &str,
    ) {
        let resource_type = |name: &'static str| {
            let required = name.ends_with('*');
            let name = name.trim_end_matches('*');
            let (arn, condition_keys) = self.resource_types.get(name)?.clone();
            Some(ResourceType { name, arn, required, condition_keys })
        };
        let reference = ActionReference {
            name: format!("{service}:{action}"),
            access_level,
            resource_types: types.split(' ').filter_map(resource_type).collect(),
            condition_keys: self.numbered(keys),
        };
        self.actions.insert(action.to_ascii_lowercase(), reference);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_found_in_any_case_with_its_resources_and_keys() {
        let decrypt = action("KMS:decrypt").unwrap();
        assert_eq!(decrypt.name, "kms:Decrypt");
        assert_eq!(decrypt.access_level, "Write");
        assert!(decrypt.takes_resources());
        let key = decrypt.resource_type("arn:aws:kms:eu-west-1:123456789012:key/1").unwrap();
        assert_eq!((key.name, key.required), ("key", true));
        assert!(decrypt.resource_type("arn:aws:kms:eu-west-1:123456789012:alias/a").is_none());
        assert!(decrypt.resource_type("arn:aws:kms:*:*:*").is_some());
        assert!(action("kms:Decipher").is_none());
        assert!(action("nonsense").is_none());
    }

    #[test]
    fn an_action_without_resources_takes_the_asterisk_only() {
        assert!(!action("kms:ListKeys").unwrap().takes_resources());
        assert!(!action("sts:GetCallerIdentity").unwrap().takes_resources());
        assert!(action("iam:CreateUser").unwrap().takes_resources());
    }

    #[test]
    fn condition_keys_are_those_of_the_action_of_its_resources_and_the_global_ones() {
        let decrypt = action("kms:Decrypt").unwrap();
        for key in [
            "kms:ViaService",
            "KMS:viaservice",
            "kms:EncryptionContext:Project",
            "aws:ResourceTag/team",
            "kms:KeySpec",
            "aws:SourceIp",
            "aws:PrincipalTag/team",
        ] {
            assert!(decrypt.has_condition_key(key), "{key}");
        }
        for key in ["kms:KeyPolicy", "aws:RequestTag/team", "aws:TagKeys", "s3:prefix"] {
            assert!(!decrypt.has_condition_key(key), "{key}");
        }
    }

    #[test]
    fn each_service_of_the_table_has_actions() {
        for service in ["cloudtrail", "iam", "kms", "organizations", "sts"] {
            assert!(has_service(service), "{service}");
            assert!(!TABLE.service(service).unwrap().actions.is_empty(), "{service}");
        }
        assert!(!has_service("s3") && !has_service(""));
        assert!(condition_keys("kms").contains(&"kms:ViaService"));
    }
}
