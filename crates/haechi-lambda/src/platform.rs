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
pub(crate) struct Took {
    pub(crate) time: Duration,
    pub(crate) init: Option<Duration>,
    pub(crate) peak_mib: Option<u64>,
    pub(crate) failed: bool,
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
pub(crate) fn finished(log: &mut Log, id: &str, version: &Version, took: &Took) {
    let ms = |duration: Duration| duration.as_secs_f64() * 1000.0;
    let took_ms = ms(took.time).min(f64::from(version.timeout) * 1000.0);
    let Some(levels) = &version.log_json else {
        return report(log, id, version, (took_ms, took));
    };
    let rounded = |ms: f64| (ms * 1000.0).round() / 1000.0;
    let status = if took.failed { "error" } else { "success" };
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

fn report(log: &mut Log, id: &str, version: &Version, (took_ms, took): (f64, &Took)) {
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
    log.line(&format!("END RequestId: {id}"));
    log.line(&report);
}
