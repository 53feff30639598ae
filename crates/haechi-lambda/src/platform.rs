//! What Lambda itself writes into the log of an invocation: text, or JSON where the function wants
//! that.
//!
//! Source: Developer Guide, "Configuring JSON and plain text log formats", "Log-level filtering".

use std::time::Duration;

use haechi_core::{Clock, SystemClock};
use serde_json::{Value, json};

use crate::log::Log;
use crate::store::Version;

/// What an invocation took.
pub(crate) struct Took<'a> {
    pub(crate) time: Duration,
    pub(crate) init: Option<Duration>,
    pub(crate) peak_mib: Option<u64>,
    pub(crate) failure: Option<&'a Failure>,
}

/// How an invocation has failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The function told an error, or too much; nothing is broken.
    Told,
    /// It took too long.
    TimedOut,
    /// The program did not start, or has ended: the type of the error.
    Broken(String),
}

impl Failure {
    /// Of a program that told, in JSON, why it cannot start. Types of its own are not told on, as
    /// with AWS.
    pub(crate) fn of_start(told: &[u8]) -> Failure {
        let told: Value = serde_json::from_slice(told).unwrap_or_default();
        let kind = told.get("errorType").and_then(Value::as_str).unwrap_or_default();
        let is_known = kind.strip_prefix("Runtime.").is_some_and(|name| {
            name.starts_with(|first: char| first.is_ascii_uppercase())
                && name.bytes().all(|byte| byte.is_ascii_alphabetic())
        });
        Failure::Broken(if is_known { kind } else { "Runtime.Unknown" }.to_owned())
    }
}

/// The time now, as Lambda writes it.
pub(crate) fn stamp() -> String {
    let now = SystemClock.now();
    format!("{}.{:03}Z", now.format("%Y-%m-%dT%H:%M:%S"), now.millis().rem_euclid(1000))
}

fn event(log: &mut Log, kind: &str, record: &Value) {
    let told = json!({ "time": stamp(), "type": format!("platform.{kind}"), "record": record });
    log.line(&told.to_string());
}

/// That an event is handed over.
pub(crate) fn started(log: &mut Log, id: &str, version: &Version) {
    match &version.log_json {
        None => log.line(&format!("START RequestId: {id} Version: {}", version.version)),
        Some(levels) if levels.system == "WARN" => {}
        Some(_) => event(log, "start", &json!({"requestId": id, "version": version.version})),
    }
}

/// What it took.
pub(crate) fn finished(log: &mut Log, id: &str, version: &Version, took: &Took<'_>) {
    let ms = |duration: Duration| duration.as_secs_f64() * 1000.0;
    let took_ms = ms(took.time).min(f64::from(version.timeout) * 1000.0);
    let Some(levels) = &version.log_json else {
        return report(log, id, version, (took_ms, took));
    };
    let rounded = |ms: f64| (ms * 1000.0).round() / 1000.0;
    let status = if took.failure.is_some() { "error" } else { "success" };
    if levels.system == "DEBUG" {
        event(
            log,
            "runtimeDone",
            &json!({
                "requestId": id,
                "status": status,
                "metrics": { "durationMs": rounded(took_ms) },
            }),
        );
    }
    if levels.system == "WARN" {
        return;
    }
    let limit_ms = u64::try_from(version.timeout).unwrap_or(0).saturating_mul(1000);
    let billed_ms = u64::try_from(took.time.as_micros().div_ceil(1000)).unwrap_or(limit_ms);
    let billed_ms = billed_ms.min(limit_ms);
    let mut metrics = json!({
        "durationMs": rounded(took_ms),
        "billedDurationMs": billed_ms,
        "memorySizeMB": version.memory,
    });
    if let Some(map) = metrics.as_object_mut() {
        if let Some(peak) = took.peak_mib {
            map.insert("maxMemoryUsedMB".to_owned(), peak.into());
        }
        if let Some(init) = took.init {
            map.insert("initDurationMs".to_owned(), rounded(ms(init)).into());
        }
    }
    event(log, "report", &json!({"requestId": id, "status": status, "metrics": metrics}));
}

fn report(log: &mut Log, id: &str, version: &Version, (took_ms, took): (f64, &Took<'_>)) {
    let mut report = format!(
        "REPORT RequestId: {id}\tDuration: {took_ms:.2} ms\tBilled Duration: {:.0} ms\tMemory \
         Size: {} MB\t",
        took_ms.ceil(),
        version.memory
    );
    if let Some(peak) = took.peak_mib {
        report.push_str(&format!("Max Memory Used: {peak} MB\t"));
    }
    if let Some(init) = took.init {
        report.push_str(&format!("Init Duration: {:.2} ms\t", init.as_secs_f64() * 1000.0));
    }
    match took.failure {
        None | Some(Failure::Told) => {}
        Some(Failure::TimedOut) => report.push_str("Status: timeout"),
        Some(Failure::Broken(kind)) => {
            report.push_str(&format!("Status: error\tError Type: {kind}"));
        }
    }
    log.line(&format!("END RequestId: {id}"));
    log.line(&report);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::Reference;
    use crate::start::tests::version;

    /// The end of the report, behind the memory.
    fn reported(failure: Option<&Failure>) -> String {
        let folder = tempfile::TempDir::new().unwrap();
        let reference = Reference::parse("arn:aws:lambda:us-east-1:111122223333:function:f");
        let mut log = Log::open(folder.path(), &reference.unwrap());
        let (time, init) = (Duration::from_millis(7), Some(Duration::from_millis(2)));
        let took = Took { time, init, peak_mib: Some(10), failure };
        finished(&mut log, "id", &version("python3.12", &[]), &took);
        let told = String::from_utf8(log.tail()).unwrap();
        told.split_once("Used: ").unwrap().1.to_owned()
    }

    #[test]
    fn a_report_tells_of_what_broke_and_not_of_what_a_function_told() {
        for fine in [None, Some(&Failure::Told)] {
            assert_eq!(reported(fine), "10 MB\tInit Duration: 2.00 ms\t\n");
        }
        let late = reported(Some(&Failure::TimedOut));
        assert_eq!(late, "10 MB\tInit Duration: 2.00 ms\tStatus: timeout\n");
        for (told, kind) in [
            (r#"{"errorType": "Runtime.ImportModuleError"}"#, "Runtime.ImportModuleError"),
            (r#"{"errorType": "ValueError"}"#, "Runtime.Unknown"),
            (r#"{"errorType": "Runtime.X\tY"}"#, "Runtime.Unknown"),
            ("no JSON", "Runtime.Unknown"),
        ] {
            let failure = Failure::of_start(told.as_bytes());
            let end = format!("Init Duration: 2.00 ms\tStatus: error\tError Type: {kind}\n");
            assert!(reported(Some(&failure)).ends_with(&end), "{told}");
        }
    }
}
