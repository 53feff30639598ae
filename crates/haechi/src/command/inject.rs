//! `haechi exec --secrets` and `haechi render`: parameters and secrets into a process or a file, and
//! nowhere else.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use async_trait::async_trait;
use haechi_resolve::{Source, resolve};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::Failure;
use crate::api::Api;
use crate::cli::{ExecOptions, RenderOptions};
use crate::data::DataDirectory;

type Variables = BTreeMap<String, Zeroizing<String>>;

/// Variables that make a loader, a shell or a language run other code than the program's own. Who may
/// write a parameter is not thereby meant to.
const CODE: &[&str] = &[
    "BASHOPTS",
    "BASH_ENV",
    "CLASSPATH",
    "ENV",
    "GCONV_PATH",
    "GLIBC_TUNABLES",
    "HOME",
    "IFS",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "NODE_OPTIONS",
    "NODE_PATH",
    "PATH",
    "PERL5DB",
    "PERL5LIB",
    "PERL5OPT",
    "PHPRC",
    "PROMPT_COMMAND",
    "PS4",
    "RUBYLIB",
    "RUBYOPT",
    "SHELLOPTS",
    "ZDOTDIR",
    "_JAVA_OPTIONS",
];

/// Beginnings of such variables: of the dynamic loaders, and of Python.
const CODE_PREFIXES: &[&str] = &["DYLD_", "LD_", "PYTHON"];

/// Runs a program in place of this process, with parameters and secrets in its environment. It gets
/// no credentials: what it needs, it has.
///
/// # Errors
/// If something cannot be read, or the program cannot be started.
pub fn exec(options: ExecOptions) -> Result<ExitCode, Failure> {
    let api = Api::of(&DataDirectory::existing(options.data.data)?, options.region)?;
    let mut variables = Variables::new();
    for named in &options.secrets {
        let found = if named.starts_with('/') { under(&api, named)? } else { secret(&api, named)? };
        for (name, value) in found {
            if runs_code(&name) && !options.allow.contains(&name) {
                return Err(format!(
                    "{named} has {name}, which can make the program run other code: rename it there, \
                     or say --allow {name}"
                )
                .into());
            }
            if variables.insert(name.clone(), value).is_some() {
                return Err(format!("{name} would be set twice: {named} has it again").into());
            }
        }
    }
    let mut words = options.command.into_iter();
    let program = words.next().ok_or("which program?")?;
    let mut command = Command::new(&program);
    command.args(words).envs(variables.iter().map(|(name, value)| (name, value.as_str())));
    // Only comes back if it failed.
    let error = command.exec();
    Err(format!("cannot run {}: {error}", program.to_string_lossy()).into())
}

/// Writes a template with the values of its references.
///
/// # Errors
/// If it cannot be read or written, or a value cannot be had.
pub fn render(options: RenderOptions) -> Result<ExitCode, Failure> {
    let api = Api::of(&DataDirectory::existing(options.data.data)?, options.region)?;
    let mut template = String::new();
    if options.template.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut template)?;
    } else {
        let named = |error| format!("{}: {error}", options.template.display());
        template = std::fs::read_to_string(&options.template).map_err(named)?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let rendered = runtime.block_on(resolve(&template, &Server(&api)))?;
    match &options.output {
        None => std::io::stdout().write_all(rendered.as_bytes())?,
        Some(path) => write_private(path, rendered.as_bytes())
            .map_err(|error| format!("{}: {error}", path.display()))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes a file that only its owner reads, at no moment half.
fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = path.with_file_name(name);
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.and_then(|()| std::fs::rename(&new, path)).inspect_err(|_| {
        // What is left of it must not stay.
        let _ = std::fs::remove_file(&new);
    })
}

/// The name of the variable of a parameter or of a member: `db/host` is `DB_HOST`.
fn variable(name: &str) -> String {
    let plain = |letter: char| match letter {
        letter if letter.is_ascii_alphanumeric() => letter.to_ascii_uppercase(),
        _ => '_',
    };
    let name: String = name.chars().map(plain).collect();
    if name.starts_with(|first: char| first.is_ascii_digit()) { format!("_{name}") } else { name }
}

/// Whether a variable decides which code a program runs.
fn runs_code(variable: &str) -> bool {
    CODE.contains(&variable) || CODE_PREFIXES.iter().any(|prefix| variable.starts_with(prefix))
}

fn text(value: &Value, name: &str) -> Result<Zeroizing<String>, Failure> {
    let text = value.get(name).and_then(Value::as_str);
    Ok(Zeroizing::new(text.ok_or_else(|| format!("the answer has no {name}"))?.to_owned()))
}

fn set(input: &mut Value, name: &str, value: Value) {
    if let Some(members) = input.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

/// The parameters under a path.
fn under(api: &Api, path: &str) -> Result<Variables, Failure> {
    let mut found = Variables::new();
    let mut input = json!({"Path": path, "Recursive": true, "WithDecryption": true});
    loop {
        let page = api.call("ssm", "AmazonSSM.GetParametersByPath", &input)?;
        for parameter in page.get("Parameters").and_then(Value::as_array).into_iter().flatten() {
            let name = text(parameter, "Name")?;
            let relative = name.trim_start_matches('/');
            let below = relative.strip_prefix(path.trim_matches('/')).unwrap_or(relative);
            let variable = variable(below.trim_start_matches('/'));
            if found.insert(variable.clone(), text(parameter, "Value")?).is_some() {
                return Err(format!("two parameters under {path} would be {variable}").into());
            }
        }
        match page.get("NextToken") {
            Some(token) => set(&mut input, "NextToken", token.clone()),
            None if found.is_empty() => {
                return Err(format!("there are no parameters under {path}").into());
            }
            None => return Ok(found),
        }
    }
}

/// The members of a secret that is a JSON object; else the secret under its own name.
fn secret(api: &Api, named: &str) -> Result<Variables, Failure> {
    let input = json!({ "SecretId": named });
    let answer = api.call("secretsmanager", "secretsmanager.GetSecretValue", &input)?;
    let value = text(&answer, "SecretString")?;
    let mut found = Variables::new();
    match serde_json::from_str::<serde_json::Map<String, Value>>(&value) {
        Ok(members) => {
            for (key, member) in members {
                let member = match member {
                    Value::String(text) => text,
                    other => other.to_string(),
                };
                found.insert(variable(&key), Zeroizing::new(member));
            }
        }
        Err(_) => {
            found.insert(variable(&text(&answer, "Name")?), value);
        }
    }
    Ok(found)
}

/// The running server, as templates ask it.
struct Server<'a>(&'a Api);

type Asked = Result<Zeroizing<String>, Box<dyn Error + Send + Sync>>;

#[async_trait]
impl Source for Server<'_> {
    async fn parameter(&self, name: &str, version: Option<u64>, secure: bool) -> Asked {
        let selected = version.map_or_else(|| name.to_owned(), |number| format!("{name}:{number}"));
        let input = json!({"Name": selected, "WithDecryption": secure});
        let answer = self.0.call("ssm", "AmazonSSM.GetParameter", &input)?;
        let parameter = answer.get("Parameter").unwrap_or(&Value::Null);
        let is_secure = parameter.get("Type").and_then(Value::as_str) == Some("SecureString");
        if is_secure != secure {
            let service = if is_secure { "ssm-secure" } else { "ssm" };
            return Err(format!("it must be resolved with {service}").into());
        }
        Ok(text(parameter, "Value")?)
    }

    async fn secret(&self, secret_id: &str, stage: Option<&str>, version: Option<&str>) -> Asked {
        let mut input = json!({ "SecretId": secret_id });
        for (name, value) in [("VersionStage", stage), ("VersionId", version)] {
            if let Some(value) = value {
                set(&mut input, name, value.into());
            }
        }
        let answer = self.0.call("secretsmanager", "secretsmanager.GetSecretValue", &input)?;
        Ok(text(&answer, "SecretString")?)
    }
}

#[cfg(test)]
mod tests {
    use super::{runs_code, variable};

    #[test]
    fn variables_are_named_as_shells_name_them() {
        assert_eq!(variable("db/host-name.1"), "DB_HOST_NAME_1");
        assert_eq!(variable("2nd"), "_2ND");
    }

    #[test]
    fn variables_that_make_programs_run_other_code_are_known() {
        for name in ["ld/preload", "LD_LIBRARY_PATH", "path", "PythonStartup", "node-options"] {
            assert!(runs_code(&variable(name)), "{name}");
        }
        for name in ["db/path", "ldap/host", "environment", "path-prefix"] {
            assert!(!runs_code(&variable(name)), "{name}");
        }
    }
}
