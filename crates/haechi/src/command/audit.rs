//! `haechi audit tail` and `haechi audit verify`.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use haechi_core::audit::parts;
use haechi_crypto::SystemRandom;
use haechi_log::{Backward, Finding, Reader, Record, verify};

use crate::Failure;
use crate::audit::ReaderCipher;
use crate::cli::{AuditCommand, AuditTailOptions, AuditVerifyOptions, DataOptions, SealOptions};
use crate::data::DataDirectory;
use crate::unseal::unseal;

/// How often `--follow` looks for more.
const POLL: Duration = Duration::from_millis(200);

/// Reads or checks the log.
///
/// # Errors
/// If it cannot be read.
pub fn run(command: AuditCommand) -> Result<ExitCode, Failure> {
    match command {
        AuditCommand::Tail(options) => tail(options),
        AuditCommand::Verify(options) => check(options),
    }
}

/// Opens a data directory for reading its audit log.
///
/// # Errors
/// If there is none, or the root key cannot be had.
pub(super) fn open(
    data: DataOptions,
    secrets: &SealOptions,
) -> Result<(DataDirectory, Arc<ReaderCipher>), Failure> {
    let data = DataDirectory::existing(data.data)?;
    let (_, root) = unseal(&data, secrets, false, &SystemRandom::new())?;
    let cipher = ReaderCipher::new(data.clone(), root)?;
    Ok((data, Arc::new(cipher)))
}

fn tail(options: AuditTailOptions) -> Result<ExitCode, Failure> {
    let (data, cipher) = open(options.data, &options.secrets)?;
    let directory = data.audit();
    let mut backward = Backward::new(&directory, Arc::clone(&cipher) as _, None, 0, u64::MAX)?;
    let mut newest: Vec<Record> = Vec::new();
    // One at least: `--follow` goes on behind it.
    while newest.len() < options.lines.max(1) {
        let Some(record) = backward.next()? else { break };
        newest.push(record);
    }
    let mut out = std::io::stdout().lock();
    for record in newest.iter().take(options.lines).rev() {
        show(&mut out, &record.bytes, options.json)?;
    }
    if !options.follow {
        return Ok(ExitCode::SUCCESS);
    }
    let mut reader = match newest.first() {
        Some(last) => Reader::from_position(&directory, cipher, last.position)?,
        None => Reader::from_start(&directory, cipher),
    };
    if !newest.is_empty() {
        reader.next()?;
    }
    loop {
        match reader.next()? {
            Some(record) => show(&mut out, &record.bytes, options.json)?,
            None => std::thread::sleep(POLL),
        }
    }
}

fn show(out: &mut impl Write, record: &[u8], json: bool) -> Result<(), Failure> {
    let (record, _) = parts(record);
    if json {
        out.write_all(record)?;
        return Ok(writeln!(out)?);
    }
    let record: serde_json::Value = serde_json::from_slice(record)?;
    let text = |pointer: &str| record.pointer(pointer).and_then(serde_json::Value::as_str);
    let source = text("/eventSource").unwrap_or_default();
    let service = source.split('.').next().unwrap_or_default();
    let who =
        text("/userIdentity/arn").or_else(|| text("/userIdentity/accessKeyId")).unwrap_or("-");
    writeln!(
        out,
        "{}  {:<14} {:<32} {:<28} {}",
        text("/eventTime").unwrap_or("-"),
        text("/awsRegion").unwrap_or("-"),
        format!("{service}:{}", text("/eventName").unwrap_or("-")),
        text("/errorCode").unwrap_or("OK"),
        who
    )?;
    Ok(())
}

fn check(options: AuditVerifyOptions) -> Result<ExitCode, Failure> {
    let (data, cipher) = open(options.data, &options.secrets)?;
    let report = verify(&data.audit(), &*cipher)?;
    let trails = haechi_cloudtrail::verify(&data.trails(), &cipher.trust()?)?;
    let findings: Vec<String> = report.findings.iter().map(told).collect();
    if options.json {
        let json = serde_json::json!({
            "segments": report.segments,
            "frames": report.frames,
            "records": report.records,
            "findings": findings,
            "trails": {
                "digests": trails.digests,
                "log_files": trails.log_files,
                "log_files_without_digest": trails.unnamed,
                "findings": trails.findings,
            },
        });
        println!("{}", serde_json::to_string_pretty(&json)?);
    } else {
        let (records, segments) = (report.records, report.segments);
        println!("{records} records in {segments} segments");
        tell(&findings, "the log");
        if data.trails().exists() {
            println!("trails: {} digests, {} log files", trails.digests, trails.log_files);
            if trails.unnamed > 0 {
                println!("  {} more were delivered without log file validation", trails.unnamed);
            }
            tell(&trails.findings, "what trails delivered");
        }
    }
    let sound = findings.is_empty() && trails.findings.is_empty();
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn tell(findings: &[String], what: &str) {
    for finding in findings {
        println!("  {finding}");
    }
    if findings.is_empty() {
        println!("nothing was changed");
    } else {
        println!("{what} was changed");
    }
}

/// A finding as a sentence.
fn told(finding: &Finding) -> String {
    match finding {
        Finding::Damaged { segment, frame, offset, damage } => {
            format!("{segment}: frame {frame} at byte {offset} is not what was written: {damage}")
        }
        Finding::Missing { segment, expected, found } => {
            format!(
                "{segment}: frames {expected} to {} before it are missing",
                found.saturating_sub(1)
            )
        }
        Finding::TornTail { segment, offset, bytes } => format!(
            "{segment}: {bytes} bytes at {offset} are an unfinished frame (a crash, or a writer at work)"
        ),
        Finding::UnexpectedFile { name } => format!("{name}: does not belong here"),
        other => format!("{other:?}"),
    }
}
