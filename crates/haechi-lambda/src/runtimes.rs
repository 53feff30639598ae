//! Runtimes: which AWS takes for a new function, and which run here.
//!
//! A function of a runtime without an interpreter here is kept as with AWS, and not run: invoking it
//! tells why. The operator may name the interpreter afterwards.
//!
//! Source: recordings; Developer Guide, "Lambda runtimes".

use haechi_lambda_model::Error;
use haechi_wire::Fault;

use crate::Lambda;
use crate::words::invalid;

/// What AWS's refusal lists, as recorded.
const TOLD: &str = "[nodejs20.x, python3.14, provided.al2023, python3.12, python3.13, nodejs24.x, \
                    nodejs22.x, java25, python3.10, python3.11, java21, ruby3.3, ruby3.4, ruby3.2, \
                    python3.8, python3.9, java17, nodejs16.x, dotnet10, dotnet8, java11, dotnet6, \
                    nodejs18.x, provided.al2, java8.al2]";

/// The same where layers are asked for.
const TOLD_OF_LAYERS: &str = "[ruby3.5, ruby2.6, dotnetcore1.0, python3.7, nodejs8.10, nasa, \
                              ruby2.7, python2.7-greengrass, dotnetcore2.0, python3.8, java21, \
                              dotnet6, dotnetcore2.1, python3.9, java11, nodejs6.10, provided, \
                              dotnetcore3.1, dotnet8, java25, java17, nodejs, nodejs4.3, \
                              java8.al2, go1.x, dotnet10, nodejs20.x, go1.9, byol, nodejs10.x, \
                              provided.al2023, nodejs22.x, python3.10, java8, nodejs12.x, \
                              python3.11, nodejs24.x, nodejs8.x, python3.12, nodejs14.x, \
                              nodejs8.9, nodejs26.x, python3.13, python3.14, nodejs16.x, \
                              python3.15, provided.al2, nodejs4.3-edge, nodejs18.x, ruby3.2, \
                              python3.4, ruby3.3, ruby3.4, ruby2.5, python3.6, python2.7]";

fn is_listed(told: &str, name: &str) -> bool {
    told.trim_matches(['[', ']']).split(", ").any(|one| one == name)
}

/// Runtimes that came after that list.
const NEWER: &[&str] =
    &["java8.al2023", "java11.al2023", "java17.al2023", "nodejs26.x", "python3.15", "ruby4.0"];

/// Runtimes for which AWS makes no functions any more.
const ENDED: &[&str] = &[
    "dotnetcore1.0",
    "dotnetcore2.0",
    "dotnetcore2.1",
    "dotnetcore3.1",
    "go1.x",
    "java8",
    "nodejs",
    "nodejs4.3",
    "nodejs4.3-edge",
    "nodejs6.10",
    "nodejs8.10",
    "nodejs10.x",
    "nodejs12.x",
    "nodejs14.x",
    "provided",
    "python2.7",
    "python3.6",
    "python3.7",
    "ruby2.5",
    "ruby2.7",
];

impl Lambda {
    /// Whether a function may be given this runtime.
    pub(crate) fn takes_runtime(&self, name: &str) -> Result<(), Error> {
        let has_interpreter = self.runner.options().command(name).is_some();
        if has_interpreter || is_listed(TOLD, name) || NEWER.contains(&name) {
            return Ok(());
        }
        if ENDED.contains(&name) {
            return Err(invalid(format!(
                "The runtime parameter of {name} is no longer supported for creating or updating \
                 AWS Lambda functions. We recommend you use a supported runtime while creating or \
                 updating functions."
            )));
        }
        Err(invalid(format!(
            "Value {name} at 'runtime' failed to satisfy constraint: Member must satisfy enum \
             value set: {TOLD} or be a valid ARN"
        )))
    }
}

/// Whether layers for this runtime can be asked for.
pub(crate) fn check_of_layers(given: Option<&str>) -> Result<(), Error> {
    match given.filter(|name| !is_listed(TOLD_OF_LAYERS, name) && !NEWER.contains(name)) {
        Some(name) => Err(Fault::Validation(format!(
            "1 validation error detected: Value '{name}' at 'compatibleRuntime' failed to satisfy \
             constraint: Member must satisfy enum value set: {TOLD_OF_LAYERS}"
        ))
        .into()),
        None => Ok(()),
    }
}

/// That nothing here runs a runtime.
pub(crate) fn no_interpreter(name: &str) -> Error {
    Error::InvalidRuntimeException(
        format!(
            "There is no interpreter here for the runtime {name}. The operator names it in \
             haechi's configuration, under [lambda.runtimes.\"{name}\"]."
        ),
        "User".to_owned(),
    )
}

/// Names the version of a runtime, as ARNs of runtime versions do: 64 hexadecimal digits. Here a
/// runtime has one version, which is its interpreter.
pub(crate) fn version_arn(partition: &str, region: &str, runtime: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, runtime.as_bytes());
    let id: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("arn:{partition}:lambda:{region}::runtime:{id}")
}
