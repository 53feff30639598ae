//! AWS's model of a service, as far as the generator needs it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

/// A line of an `.ops` file.
pub struct WantedOperation {
    /// Its name.
    pub name: String,
    /// Whether CloudTrail calls it read-only.
    pub read_only: bool,
}

/// How a service speaks query.
pub struct Query {
    /// XML namespace of its answers.
    pub namespace: String,
    /// The member that the path stands for.
    pub address: String,
    /// Operations that are called at no such path.
    pub elsewhere: Vec<String>,
}

/// What `models/<service>.ops` asks for.
pub struct Wanted {
    /// The model's folder in botocore, e.g. `kms/2014-11-01`.
    pub folder: String,
    /// The operations.
    pub operations: Vec<WantedOperation>,
    /// `error NAME CODE STATUS`: an error, in the model or not, and its code and status of the time
    /// when the service spoke query, which models no longer tell; without a status, 400.
    pub errors: BTreeMap<String, (String, Option<u64>)>,
    /// `query NAMESPACE MEMBER OPERATION…`: the service speaks query too, which its model no longer
    /// tells; a request's path stands for that member where it lacks it, but of these operations.
    pub query: Option<Query>,
    /// `flat SHAPE NAME KEY VALUE`: how items of a list, or entries of a map, are called in query,
    /// where they stand beside each other without an element around them.
    pub flat: BTreeMap<String, Vec<String>>,
    /// `optional SHAPE MEMBER`: what a model requires and the service leaves out.
    pub optional: BTreeSet<(String, String)>,
    /// `open SHAPE`: an enumeration that the service takes more texts for than its model lists.
    pub open: BTreeSet<String>,
}

impl Wanted {
    /// Reads the file.
    pub fn read(path: &Path) -> Result<Wanted, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{path:?}: {error}"))?;
        let mut wanted = Wanted {
            folder: String::new(),
            operations: Vec::new(),
            errors: BTreeMap::new(),
            query: None,
            flat: BTreeMap::new(),
            optional: BTreeSet::new(),
            open: BTreeSet::new(),
        };
        for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
            let mut words = line.split_whitespace();
            match (words.next(), words.next()) {
                (Some("model"), Some(folder)) => wanted.folder = folder.to_owned(),
                (Some("open"), Some(name)) => {
                    wanted.open.insert(name.to_owned());
                }
                (Some("error"), Some(name)) => {
                    let code = words.next().unwrap_or(name).to_owned();
                    let status = words.next().and_then(|status| status.parse().ok());
                    wanted.errors.insert(name.to_owned(), (code, status));
                }
                (Some("query"), Some(namespace)) => {
                    wanted.query = Some(Query {
                        namespace: namespace.to_owned(),
                        address: words.next().unwrap_or_default().to_owned(),
                        elsewhere: words.by_ref().map(str::to_owned).collect(),
                    });
                }
                (Some("flat"), Some(name)) => {
                    let names = words.by_ref().map(str::to_owned).collect();
                    wanted.flat.insert(name.to_owned(), names);
                }
                (Some("optional"), Some(name)) => {
                    let member = words.next().unwrap_or_default().to_owned();
                    wanted.optional.insert((name.to_owned(), member));
                }
                (Some(name), mark) => {
                    let by_name = ["Get", "List", "Describe", "Lookup", "Simulate"];
                    let read_only = mark == Some("read")
                        || by_name.iter().any(|prefix| name.starts_with(prefix));
                    wanted.operations.push(WantedOperation { name: name.to_owned(), read_only });
                }
                (None, _) => {}
            }
        }
        wanted.operations.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(wanted)
    }
}

/// The model.
pub struct Model {
    json: Value,
}

impl Model {
    /// Reads it from the unpacked release.
    pub fn read(models: &Path, folder: &str) -> Result<Model, String> {
        let path = models.join(folder).join("service-2.json");
        let text = std::fs::read_to_string(&path)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let json = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        Ok(Model { json })
    }

    /// A text of the metadata, empty where it is missing.
    pub fn metadata(&self, key: &str) -> &str {
        self.json["metadata"][key].as_str().unwrap_or_default()
    }

    /// The protocols it lists, first choice first.
    pub fn protocols(&self) -> Vec<&str> {
        let listed = self.json["metadata"]["protocols"].as_array();
        let listed: Vec<&str> = listed.into_iter().flatten().filter_map(Value::as_str).collect();
        if listed.is_empty() { vec![self.metadata("protocol")] } else { listed }
    }

    /// Names of all operations.
    pub fn operations(&self) -> Vec<&str> {
        let all = self.json["operations"].as_object();
        let mut names: Vec<&str> =
            all.into_iter().flat_map(|map| map.keys().map(String::as_str)).collect();
        names.sort_unstable();
        names
    }

    /// Whether clients speak nothing but JSON to it.
    fn is_json(&self) -> bool {
        self.protocols() == ["json"]
    }

    /// Whether it once spoke query, and its errors still tell the codes of that time.
    pub fn is_query_compatible(&self) -> bool {
        self.json["metadata"]["awsQueryCompatible"].is_object()
    }

    /// Names of the operations that are called without a signature, done here or not.
    pub fn unsigned_operations(&self) -> Vec<&str> {
        let is_unsigned = |name: &str| self.json["operations"][name]["authtype"] == "none";
        self.operations().into_iter().filter(|name| is_unsigned(name)).collect()
    }

    /// Makes texts of enumerations that take more than the model lists.
    pub fn open(&mut self, names: &BTreeSet<String>) -> Result<(), String> {
        for name in names {
            let shape = &mut self.json["shapes"][name];
            let values = shape.as_object_mut().and_then(|shape| shape.remove("enum"));
            values.ok_or_else(|| format!("the model has no enumeration {name}"))?;
        }
        Ok(())
    }

    /// An operation.
    pub fn operation(&self, name: &str) -> Result<&Value, String> {
        let operation = &self.json["operations"][name];
        if operation.is_null() {
            Err(format!("the model has no operation {name}"))
        } else {
            Ok(operation)
        }
    }

    /// A shape.
    pub fn shape(&self, name: &str) -> &Value {
        &self.json["shapes"][name]
    }

    /// Names of all modelled errors, sorted.
    pub fn errors(&self) -> Vec<&str> {
        let shapes = self.json["shapes"].as_object();
        let mut names: Vec<&str> = shapes
            .into_iter()
            .flatten()
            .filter(|(_, shape)| shape["exception"] == true)
            .map(|(name, _)| name.as_str())
            .collect();
        names.sort_unstable();
        names
    }

    /// Names of all shapes that these operations' inputs and outputs reach, sorted.
    pub fn reached(&self, wanted: &Wanted) -> Result<BTreeSet<String>, String> {
        let mut reached = BTreeSet::new();
        let mut open = Vec::new();
        for operation in &wanted.operations {
            let operation = self.operation(&operation.name)?;
            for side in ["input", "output"] {
                open.extend(operation[side]["shape"].as_str().map(str::to_owned));
            }
        }
        while let Some(name) = open.pop() {
            if !reached.insert(name.clone()) {
                continue;
            }
            let shape = self.shape(&name);
            // Nothing to document protocols: their lists are all alike.
            if shape["flattened"] == true && !self.is_json() {
                return Err(format!("{name} is flattened: teach the generator"));
            }
            let members = shape["members"].as_object().into_iter().flat_map(|map| map.values());
            let parts = [&shape["member"], &shape["key"], &shape["value"]];
            open.extend(
                members.chain(parts).filter_map(|part| part["shape"].as_str().map(str::to_owned)),
            );
        }
        Ok(reached)
    }

    /// Whether `name` can contain itself (it must then be boxed).
    pub fn recursive(&self, name: &str) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = vec![name.to_owned()];
        while let Some(current) = open.pop() {
            let shape = self.shape(&current);
            let members = shape["members"].as_object().into_iter().flat_map(|map| map.values());
            for target in members.filter_map(|part| part["shape"].as_str()) {
                if target == name {
                    return true;
                }
                if seen.insert(target.to_owned()) {
                    open.push(target.to_owned());
                }
            }
        }
        false
    }
}
