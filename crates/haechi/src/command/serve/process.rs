//! The process that serves: its log, its limits, its signals.

use std::io::IsTerminal;

use haechi_crypto::{Random as _, SystemRandom};
use tokio::sync::watch;

use crate::Failure;
use crate::cli::LogFormat;
use crate::config::Config;

pub fn log(config: &Config) -> Result<(), Failure> {
    let filter = tracing_subscriber::EnvFilter::try_new(&config.log)
        .map_err(|error| format!("--log {}: {error}", config.log))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    }
}

/// Draws once, beside the start. AWS-LC seeds itself from the CPU's jitter at a process's first draw,
/// which takes some 30 ms: the first caller would wait for it.
pub fn seed_random() -> Result<(), Failure> {
    let draw = || SystemRandom::new().fill(&mut [0; 16]);
    std::thread::Builder::new().name("seed-random".to_owned()).spawn(draw)?;
    Ok(())
}

/// Turns true on SIGTERM and Ctrl-C.
pub fn stop_signal() -> Result<watch::Receiver<bool>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (tell, stop) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        tracing::info!("stopping");
        tell.send_replace(true);
        // A second signal means now.
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        std::process::exit(130);
    });
    Ok(stop)
}

/// Each connection is a file: lets there be as many as the machine allows.
pub fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "the limit of open files could not be raised");
    }
}
