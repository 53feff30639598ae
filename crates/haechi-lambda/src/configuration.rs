//! What can be set on a function, defaults, checks, how it is shown.

use std::collections::BTreeMap;

use haechi_core::Cx;
use haechi_core::database::Unknown;
use haechi_lambda_model::Error;
use haechi_lambda_model::shapes::{
    ApplicationLogLevel, Architecture, CreateFunctionRequest, DeadLetterConfig, Environment,
    EnvironmentResponse, EphemeralStorage, FunctionConfiguration, LastUpdateStatus, LogFormat,
    LoggingConfig, PackageType, RuntimeVersionConfig, SnapStartApplyOn,
    SnapStartOptimizationStatus, SnapStartResponse, State, StateReasonCode, SystemLogLevel,
    TracingConfigResponse, TracingMode, UpdateFunctionConfigurationRequest,
};
use haechi_wire::{Fault, SecretString, Timestamp};
use zeroize::Zeroizing;

use crate::Lambda;
use crate::reference::Reference;
use crate::runtimes::version_arn;
use crate::store::{Code, FunctionRecord, LogLevels, Version};
use crate::words::invalid;

/// Bytes of all variables, at most (quota).
const ENVIRONMENT_MAX: usize = 4096;

/// Variables that are Lambda's own.
const RESERVED: &[&str] = &[
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
];

/// Variables as they are kept, if they may be set.
fn environment(
    given: Option<Environment>,
) -> Result<Option<BTreeMap<String, Zeroizing<String>>>, Error> {
    let Some(given) = given else { return Ok(None) };
    let given = given.variables.unwrap_or_default();
    let reserved: Vec<&str> =
        given.keys().map(String::as_str).filter(|name| RESERVED.contains(name)).collect();
    if !reserved.is_empty() {
        return Err(invalid(format!(
            "Lambda was unable to configure your environment variables because the environment \
             variables you have provided contains reserved keys that are currently not supported \
             for modification. Reserved keys used in this request: {}",
            reserved.join(", ")
        )));
    }
    let plain: BTreeMap<&str, &str> =
        given.iter().map(|(name, value)| (name.as_str(), value.0.as_str())).collect();
    let measured = Zeroizing::new(serde_json::to_string(&plain).map_err(Fault::internal)?);
    if measured.len() > ENVIRONMENT_MAX {
        return Err(invalid(format!(
            "Lambda was unable to configure your environment variables because the environment \
             variables you have provided exceeded the 4KB limit. String measured: {}",
            *measured
        )));
    }
    let kept = given.iter().map(|(name, value)| (name.clone(), Zeroizing::new(value.0.clone())));
    Ok(Some(kept.collect()))
}

/// Seconds that a function may take, at most (quota).
const TIMEOUT_MAX: i32 = 900;

fn timeout(given: Option<i32>) -> Result<Option<i32>, Error> {
    match given {
        Some(seconds) if seconds > TIMEOUT_MAX => Err(Fault::Validation(format!(
            "1 validation error detected: Value '{seconds}' at 'timeout' failed to satisfy \
             constraint: Member must have value less than or equal to {TIMEOUT_MAX}"
        ))
        .into()),
        given => Ok(given),
    }
}

/// Mebibytes of memory, and of `/tmp`, at most (quota). The model has more, for functions with an
/// accelerator.
const MEBIBYTES_MAX: i32 = 10_240;

fn mebibytes(name: &str, given: Option<i32>) -> Result<Option<i32>, Error> {
    match given {
        Some(size) if size > MEBIBYTES_MAX => Err(Fault::Validation(format!(
            "'{name}' value failed to satisfy constraint: Member must have value less than or \
             equal to {MEBIBYTES_MAX}"
        ))
        .into()),
        given => Ok(given),
    }
}

fn storage(given: Option<&EphemeralStorage>) -> Result<Option<i32>, Error> {
    mebibytes("EphemeralStorage", given.map(|storage| storage.size))
}

/// How a request wants it logged, where it was so before.
fn log_levels(
    given: Option<&LoggingConfig>,
    before: Option<LogLevels>,
) -> Result<Option<LogLevels>, Error> {
    let Some(given) = given else { return Ok(before) };
    let (application, system) = (given.application_log_level, given.system_log_level);
    let is_json = given.log_format.map_or(before.is_some(), |format| format == LogFormat::Json);
    if !is_json {
        if application.is_some() || system.is_some() {
            return Err(invalid(
                "Log-level filtering is not supported for text-formatted logs. Please use JSON \
                 log format.",
            ));
        }
        return Ok(None);
    }
    let info = || LogLevels { application: "INFO".to_owned(), system: "INFO".to_owned() };
    let before = before.unwrap_or_else(info);
    Ok(Some(LogLevels {
        application: application.map_or(before.application, |level| level.as_str().to_owned()),
        system: system.map_or(before.system, |level| level.as_str().to_owned()),
    }))
}

/// Refuses what haechi does not do.
fn supported(cx: &Cx, input: &CreateFunctionRequest) -> Result<(), Error> {
    let vpc = input.vpc_config.as_ref().is_some_and(|vpc| {
        let some = |list: &Option<Vec<String>>| list.as_ref().is_some_and(|list| !list.is_empty());
        some(&vpc.subnet_ids) || some(&vpc.security_group_ids)
    });
    let snap = input.snap_start.as_ref().and_then(|snap| snap.apply_on);
    let layers = input.layers.as_ref().is_some_and(|layers| !layers.is_empty());
    let file_systems = input.file_system_configs.as_ref().is_some_and(|list| !list.is_empty());
    cx.refuse_parameters(&[
        ("PackageType=Image", input.package_type == Some(PackageType::Image)),
        ("VpcConfig", vpc),
        ("Layers", layers),
        ("FileSystemConfigs", file_systems),
        ("CodeSigningConfigArn", input.code_signing_config_arn.is_some()),
        ("ImageConfig", input.image_config.is_some()),
        ("SnapStart", snap == Some(SnapStartApplyOn::PublishedVersions)),
        ("TenancyConfig", input.tenancy_config.is_some()),
        ("CapacityProviderConfig", input.capacity_provider_config.is_some()),
        ("DurableConfig", input.durable_config.is_some()),
        ("RuntimeConfig", input.runtime_config.is_some()),
        ("AcceleratorConfig", input.accelerator_config.is_some()),
        ("KMSKeyArn", input.kms_key_arn.as_ref().is_some_and(|key| !key.is_empty())),
        ("PublishTo", input.publish_to.is_some()),
    ])?;
    Ok(())
}

impl Lambda {
    /// `$LATEST` as a request wants it.
    pub(crate) fn first_version(
        &self,
        cx: &Cx,
        input: &mut CreateFunctionRequest,
        code: Code,
    ) -> Result<Version, Error> {
        supported(cx, input)?;
        let runtime = input.runtime.take().ok_or_else(|| {
            invalid("Runtime is mandatory for functions created with deployment packages.")
        })?;
        let is_provided = runtime.starts_with("provided");
        if input.handler.is_none() && !is_provided {
            return Err(invalid(
                "Handler is mandatory for functions created with deployment packages.",
            ));
        }
        let architecture = input.architectures.as_ref().and_then(|list| list.first().copied());
        let here = here();
        if architecture.is_some_and(|wanted| wanted != here) && is_provided {
            return Err(cx
                .unsupported_parameter("Architectures of another kind than this machine")
                .into());
        }
        let tracing = input.tracing_config.as_ref().and_then(|tracing| tracing.mode);
        Ok(Version {
            version: crate::reference::LATEST.to_owned(),
            code,
            runtime,
            handler: input.handler.take(),
            role: input.role.clone(),
            description: input.description.take().unwrap_or_default(),
            timeout: timeout(input.timeout)?.unwrap_or(3),
            memory: mebibytes("MemorySize", input.memory_size)?.unwrap_or(128),
            storage: storage(input.ephemeral_storage.as_ref())?.unwrap_or(512),
            environment: environment(input.environment.take())?,
            dead_letter_arn: dead_letter(cx, input.dead_letter_config.take())?.flatten(),
            architecture: architecture.unwrap_or(here).as_str().to_owned(),
            tracing: tracing.unwrap_or(TracingMode::PassThrough).as_str().to_owned(),
            log_json: log_levels(input.logging_config.as_ref(), None)?,
            log_group: input.logging_config.take().and_then(|logging| logging.log_group),
            modified_ms: cx.now().millis(),
            revision: revision(cx)?,
            unknown: Unknown::new(),
        })
    }

    /// Changes `$LATEST` as a request wants it.
    pub(crate) fn change(
        &self,
        cx: &Cx,
        version: &mut Version,
        input: UpdateFunctionConfigurationRequest,
    ) -> Result<(), Error> {
        let create = CreateFunctionRequest {
            vpc_config: input.vpc_config,
            layers: input.layers,
            file_system_configs: input.file_system_configs,
            image_config: input.image_config,
            snap_start: input.snap_start,
            capacity_provider_config: input.capacity_provider_config,
            durable_config: input.durable_config,
            runtime_config: input.runtime_config,
            accelerator_config: input.accelerator_config,
            kms_key_arn: input.kms_key_arn,
            ..CreateFunctionRequest::default()
        };
        supported(cx, &create)?;
        if let Some(runtime) = input.runtime {
            self.takes_runtime(&runtime)?;
            version.runtime = runtime;
        }
        version.handler = input.handler.or(version.handler.take());
        version.role = input.role.unwrap_or_else(|| std::mem::take(&mut version.role));
        if let Some(description) = input.description {
            version.description = description;
        }
        version.timeout = timeout(input.timeout)?.unwrap_or(version.timeout);
        version.memory = mebibytes("MemorySize", input.memory_size)?.unwrap_or(version.memory);
        let storage = storage(input.ephemeral_storage.as_ref())?;
        version.storage = storage.unwrap_or(version.storage);
        if input.environment.is_some() {
            version.environment = environment(input.environment)?;
        }
        if let Some(changed) = dead_letter(cx, input.dead_letter_config)? {
            version.dead_letter_arn = changed;
        }
        if let Some(mode) = input.tracing_config.and_then(|tracing| tracing.mode) {
            mode.as_str().clone_into(&mut version.tracing);
        }
        version.log_json = log_levels(input.logging_config.as_ref(), version.log_json.take())?;
        if let Some(group) = input.logging_config.and_then(|logging| logging.log_group) {
            version.log_group = Some(group);
        }
        Ok(())
    }
}

/// The dead-letter queue that is wished for: none, nothing said, or taken away. An object without a
/// target says nothing (recorded).
fn dead_letter(cx: &Cx, given: Option<DeadLetterConfig>) -> Result<Option<Option<String>>, Error> {
    let Some(given) = given else { return Ok(None) };
    match given.target_arn {
        None => Ok(None),
        Some(arn) if arn.is_empty() => Ok(Some(None)),
        Some(arn) if matches!(arn.split(':').nth(2), Some("sqs" | "sns")) => Ok(Some(Some(arn))),
        Some(_) => Err(cx.unsupported_parameter("DeadLetterConfig other than SQS and SNS").into()),
    }
}

fn here() -> Architecture {
    if std::env::consts::ARCH == "aarch64" { Architecture::Arm64 } else { Architecture::X8664 }
}

/// A new revision id.
pub(crate) fn revision(cx: &Cx) -> Result<String, Fault> {
    Ok(cx.env.uuid().map_err(Fault::internal)?.to_string())
}

/// How far a change is told to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// It is in force.
    Ready,
    /// In the answer to the call that makes it: AWS works on it then.
    Creating,
    /// As `Creating`, of a function that was there before.
    Updating,
    /// In lists, which tell no states.
    Listed,
}

/// A version as AWS shows it.
pub(crate) fn show(
    function: &FunctionRecord,
    version: &Version,
    arn: String,
    shown: Shown,
) -> FunctionConfiguration {
    let (group, levels) = (version.log_group.clone(), version.log_json.as_ref());
    let partition = arn.split(':').nth(1).unwrap_or("aws");
    let runtime_arn = version_arn(partition, &function.region, &version.runtime);
    let runtime_version_config = RuntimeVersionConfig {
        runtime_version_arn: Some(runtime_arn),
        ..RuntimeVersionConfig::default()
    };
    let plain = FunctionConfiguration {
        function_name: Some(function.name.clone()),
        function_arn: Some(arn),
        runtime: Some(version.runtime.clone()),
        // Lists do not tell it, as recorded.
        runtime_version_config: (shown != Shown::Listed).then_some(runtime_version_config),
        role: Some(version.role.clone()),
        handler: version.handler.clone(),
        code_size: Some(version.code.size),
        description: Some(version.description.clone()),
        timeout: Some(version.timeout),
        memory_size: Some(version.memory),
        last_modified: Some(modified(version.modified_ms)),
        code_sha256: Some(version.code.sha256.clone()),
        version: Some(version.version.clone()),
        dead_letter_config: version
            .dead_letter_arn
            .clone()
            .map(|arn| DeadLetterConfig { target_arn: Some(arn) }),
        environment: version.environment.as_ref().map(show_environment),
        tracing_config: Some(TracingConfigResponse { mode: TracingMode::parse(&version.tracing) }),
        revision_id: Some(version.revision.clone()),
        package_type: Some(PackageType::Zip),
        architectures: Architecture::parse(&version.architecture).map(|one| vec![one]),
        ephemeral_storage: Some(EphemeralStorage { size: version.storage }),
        snap_start: Some(SnapStartResponse {
            apply_on: Some(SnapStartApplyOn::None),
            optimization_status: Some(SnapStartOptimizationStatus::Off),
        }),
        logging_config: Some(LoggingConfig {
            log_format: Some(if levels.is_some() { LogFormat::Json } else { LogFormat::Text }),
            application_log_level: levels
                .and_then(|levels| ApplicationLogLevel::parse(&levels.application)),
            system_log_level: levels.and_then(|levels| SystemLogLevel::parse(&levels.system)),
            log_group: Some(group.unwrap_or_else(|| format!("/aws/lambda/{}", function.name))),
        }),
        ..FunctionConfiguration::default()
    };
    with_state(plain, shown)
}

fn with_state(plain: FunctionConfiguration, shown: Shown) -> FunctionConfiguration {
    let creating = Some("The function is being created.".to_owned());
    match shown {
        Shown::Listed => plain,
        Shown::Ready => FunctionConfiguration {
            state: Some(State::Active),
            last_update_status: Some(LastUpdateStatus::Successful),
            ..plain
        },
        Shown::Creating => FunctionConfiguration {
            state: Some(State::Pending),
            state_reason: creating,
            state_reason_code: Some(StateReasonCode::Creating),
            ..plain
        },
        Shown::Updating => FunctionConfiguration {
            state: Some(State::Active),
            last_update_status: Some(LastUpdateStatus::InProgress),
            last_update_status_reason: creating,
            last_update_status_reason_code: Some("Creating".to_owned()),
            ..plain
        },
    }
}

fn show_environment(kept: &BTreeMap<String, Zeroizing<String>>) -> EnvironmentResponse {
    let shown = kept.iter().map(|(name, value)| (name.clone(), SecretString(value.to_string())));
    EnvironmentResponse { variables: Some(shown.collect()), error: None }
}

fn modified(ms: i64) -> String {
    let time = Timestamp::from_millis(ms);
    format!("{}.{:03}+0000", time.format("%Y-%m-%dT%H:%M:%S"), ms.rem_euclid(1000))
}

impl Reference {
    /// The ARN that shows a version of this function, as it was asked for.
    pub(crate) fn shown_arn(&self, version: &Version) -> String {
        match &self.qualifier {
            None if version.version == crate::reference::LATEST => self.function_arn(),
            None => self.version_arn(&version.version),
            Some(_) => self.arn(),
        }
    }
}
