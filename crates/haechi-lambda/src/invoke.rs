//! An invocation from beginning to end.
//!
//! ```text
//! leave ─► a warm instance, or a cold one: role's credentials, code, start, init ─► event ─► answer
//! ```

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use haechi_core::{Clock, SystemClock};
use haechi_lambda_model::Error;
use haechi_sandbox::{Exit, InitFailure, Invocation, Outcome};
use haechi_wire::Fault;
use serde_json::json;

use crate::Lambda;
use crate::function::Function;
use crate::log::Log;
use crate::platform::{Failure, Took, finished, stamp, started};
use crate::runner::{Full, Warm};
use crate::runtimes::no_interpreter;
use crate::start::{no_entry, start};
use crate::store::Version;
use crate::words::{invalid, throttled};

/// How long a program may take until it waits for its first event, at least.
const INIT_MIN: Duration = Duration::from_secs(10);

/// An event, and what it comes with.
pub(crate) struct Given {
    pub(crate) request_id: String,
    pub(crate) payload: Bytes,
    pub(crate) client_context: Option<String>,
}

/// What came of it.
pub(crate) struct Done {
    pub(crate) payload: Vec<u8>,
    /// Whether the function failed.
    pub(crate) failed: bool,
    pub(crate) version: String,
    /// The end of the log.
    pub(crate) log: Vec<u8>,
}

impl Done {
    /// The log as the answer has it.
    pub(crate) fn log_result(&self) -> String {
        STANDARD.encode(&self.log)
    }
}

/// An answer, and whether the instance can go on.
struct Answer {
    payload: Vec<u8>,
    failure: Option<Failure>,
    reusable: bool,
}

impl Lambda {
    /// Runs a version of a function.
    pub(crate) async fn run(
        &self,
        function: &Function,
        version: &Version,
        given: Given,
    ) -> Result<Done, Error> {
        if !self.runner.runs().await? {
            return Err(Fault::Unavailable {
                message: "Functions do not run here: a part of the isolation does not work. The \
                          log says which; the configuration can allow it.",
                source: "no isolation".into(),
            }
            .into());
        }
        let reserved = function.record.reserved;
        let place = self
            .runner
            .enter(&function.record.id, reserved)
            .map_err(|full| throttled(full == Full::Reserved))?;
        let mut log = Log::open(&self.runner.options().folder, &function.reference);
        let key = format!("{} {} {}", function.record.id, version.version, version.revision);
        let (mut warm, init) = match self.runner.warm(&key).await {
            Some(warm) => (warm, None),
            None => {
                let cold = self.begin(function, version, key, &mut log).await?;
                match cold {
                    Begun::Ready(warm, took) => (warm, Some(took)),
                    Begun::Failed(warm, failure) => {
                        let answer = not_begun(&given.request_id, version, failure, &mut log);
                        if let Some(warm) = warm {
                            warm.instance.end().await;
                        }
                        drop(place);
                        return Ok(done(answer, version, log));
                    }
                }
            }
        };
        let id = given.request_id.clone();
        started(&mut log, &id, version);
        let (answer, time) = hand(&mut warm, function, version, given, &mut log).await;
        let peak_mib = warm.instance.peak_mib();
        let failure = answer.failure.as_ref();
        finished(&mut log, &id, version, &Took { time, init, peak_mib, failure });
        if answer.reusable {
            self.runner.keep(warm);
        } else {
            warm.instance.end().await;
        }
        drop(place);
        Ok(done(answer, version, log))
    }

    /// Starts an instance.
    async fn begin(
        &self,
        function: &Function,
        version: &Version,
        key: String,
        log: &mut Log,
    ) -> Result<Begun, Error> {
        let reference = &function.reference;
        let credentials = self.credentials(reference, &version.role).await?;
        let credentials = credentials.ok_or_else(|| {
            invalid("The role defined for the function cannot be assumed by Lambda.")
        })?;
        let options = &self.runner.options();
        let runtime =
            options.command(&version.runtime).ok_or_else(|| no_interpreter(&version.runtime))?;
        let code = self.unpacked(&version.code).await?;
        if let Some(why) = no_entry(&runtime, &code) {
            return Ok(Begun::Failed(None, NotBegun::NoEntry(why)));
        }
        let now = self.env.now();
        let unique = self.env.uuid().map_err(Fault::internal)?.simple().to_string();
        let stream = format!("{}[{}]{unique}", now.format("%Y/%m/%d/"), version.version);
        let endpoint = self.runner.endpoint();
        let start = start(options, endpoint, reference, version, &credentials, &stream, &runtime);
        let mut warm = self.runner.cold(key, code, start).await?;
        let limit = INIT_MIN.max(timeout(version));
        let ready = warm.instance.ready(limit, &mut |bytes| log.said(bytes)).await;
        Ok(match ready {
            Ok(took) => Begun::Ready(warm, took),
            Err(failure) => Begun::Failed(Some(warm), NotBegun::Failed(failure)),
        })
    }
}

enum Begun {
    Ready(Warm, Duration),
    Failed(Option<Warm>, NotBegun),
}

/// Why there is nothing to hand the event to.
enum NotBegun {
    NoEntry(String),
    Failed(InitFailure),
}

fn timeout(version: &Version) -> Duration {
    Duration::from_secs(u64::try_from(version.timeout).unwrap_or(3))
}

/// Hands the event to an instance.
async fn hand(
    warm: &mut Warm,
    function: &Function,
    version: &Version,
    given: Given,
    log: &mut Log,
) -> (Answer, Duration) {
    let limit = timeout(version);
    let id = given.request_id.clone();
    // The function reads the machine's clock, whatever time haechi is told that it is.
    let deadline = SystemClock.now().plus_seconds(i64::from(version.timeout));
    let invocation = Invocation {
        request_id: given.request_id,
        deadline_ms: deadline.millis(),
        function_arn: function.reference.arn(),
        trace_id: None,
        client_context: given.client_context,
        payload: given.payload,
    };
    let (outcome, took) =
        warm.instance.invoke(invocation, limit, &mut |bytes| log.said(bytes)).await;
    let answer = match outcome {
        Outcome::Response(body) => Answer { payload: body.to_vec(), failure: None, reusable: true },
        Outcome::Error(body) => {
            Answer { payload: body.to_vec(), failure: Some(Failure::Told), reusable: true }
        }
        Outcome::TooLarge => broken(
            "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
            Some("Function.ResponseSizeTooLarge"),
            Failure::Told,
        ),
        Outcome::Exited(exit) => exited(&id, exit, log),
        Outcome::TimedOut => timed_out(&id, version, log),
    };
    (answer, took)
}

fn broken(message: &str, kind: Option<&str>, failure: Failure) -> Answer {
    let mut told = json!({ "errorMessage": message });
    if let (Some(kind), Some(map)) = (kind, told.as_object_mut()) {
        map.insert("errorType".to_owned(), kind.into());
    }
    Answer { payload: told.to_string().into_bytes(), failure: Some(failure), reusable: false }
}

/// There is no program any more, or none to begin with.
fn gone(id: &str, reason: &str, kind: &str, log: &mut Log) -> Answer {
    let said = format!("RequestId: {id} Error: {reason}");
    log.line(&format!("{said}\n{kind}"));
    broken(&said, Some(kind), Failure::Broken(kind.to_owned()))
}

fn exited(id: &str, exit: Exit, log: &mut Log) -> Answer {
    let reason = match exit {
        Exit::Code(0) => "Runtime exited without providing a reason".to_owned(),
        Exit::Code(code) => format!("Runtime exited with error: exit status {code}"),
        Exit::Signal(9) => "Runtime exited with error: signal: killed".to_owned(),
        Exit::Signal(signal) => format!("Runtime exited with error: signal: {signal}"),
    };
    gone(id, &reason, "Runtime.ExitError", log)
}

fn timed_out(id: &str, version: &Version, log: &mut Log) -> Answer {
    let said = format!("{} {id} Task timed out after {}.00 seconds", stamp(), version.timeout);
    log.line(&format!("{said}\n"));
    broken(&said, None, Failure::TimedOut)
}

/// What is told of a program that did not come to wait for an event.
fn not_begun(id: &str, version: &Version, why: NotBegun, log: &mut Log) -> Answer {
    started(log, id, version);
    let answer = match why {
        NotBegun::NoEntry(why) => gone(id, &why, "Runtime.InvalidEntrypoint", log),
        NotBegun::Failed(InitFailure::Error(body)) => {
            let failure = Some(Failure::of_start(&body));
            Answer { payload: body.to_vec(), failure, reusable: false }
        }
        NotBegun::Failed(InitFailure::Exited(exit)) => exited(id, exit, log),
        NotBegun::Failed(InitFailure::TimedOut) => timed_out(id, version, log),
    };
    let failure = answer.failure.as_ref();
    finished(log, id, version, &Took { time: Duration::ZERO, init: None, peak_mib: None, failure });
    answer
}

fn done(answer: Answer, version: &Version, log: Log) -> Done {
    Done {
        payload: answer.payload,
        failed: answer.failure.is_some(),
        version: version.version.clone(),
        log: log.tail(),
    }
}
