//! From the start of the program to its first answer, and what memory it then holds.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clap::Args;

use crate::connection::Connector;
use crate::request::Requests;
use crate::target::{Target, read};
use crate::{Failure, cpu};

/// How long a server may take, before something is wrong.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a server that has just answered is left alone before its memory is looked at.
const REST: Duration = Duration::from_secs(1);

/// Options of `first`.
#[derive(Args)]
pub struct Options {
    /// The target file.
    #[arg(long)]
    target: PathBuf,
    /// The server and its arguments, to which `--listen ADDRESS` is added.
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

/// Starts a server, asks it, stops it.
pub async fn run(options: &Options) -> Result<(), Failure> {
    let mut target: Target = read(&options.target)?;
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    target.ready.endpoint = format!("https://{address}");
    let key_id = target.key_ids.first().ok_or("the target has no key")?;
    let body = format!("{{\"KeyId\":\"{key_id}\",\"KeySpec\":\"AES_256\"}}");
    let request = Requests::new(&target.ready, "kms").json("GenerateDataKey", &body)?;
    let connector = Connector::new(&target.ready, true)?;
    let (program, arguments) = options.command.split_first().ok_or("no server to start")?;
    seed_random()?;
    let began = Instant::now();
    let mut server = Command::new(program)
        .args(arguments)
        .args(["--listen", &address.to_string()])
        .stdout(Stdio::null())
        .spawn()?;
    let outcome = answered(&connector, &request, began).await;
    let memory = match &outcome {
        Ok(()) => {
            let took = began.elapsed();
            let cpu_ns: u64 = cpu::by_thread(server.id())?.values().sum();
            tokio::time::sleep(REST).await;
            Ok((took, cpu_ns / 1000, resident_kib(server.id())?))
        }
        Err(_) => Err("the server did not answer in time"),
    };
    stop(&mut server)?;
    let (took, cpu_us, resident_kib) = memory?;
    let measured = serde_json::json!({
        "first_answer_ms": took.as_secs_f64() * 1000.0,
        "cpu_us": cpu_us,
        "resident_kib": resident_kib,
    });
    println!("{measured}");
    Ok(())
}

/// Draws once. AWS-LC seeds itself at the first draw of a process, in some 30 ms of CPU time; the
/// client's own are not the server's to answer for.
fn seed_random() -> Result<(), Failure> {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    provider.secure_random.fill(&mut [0; 16]).map_err(|_| "no random bytes")?;
    Ok(())
}

async fn answered(connector: &Connector, request: &[u8], began: Instant) -> Result<(), Failure> {
    loop {
        // Until it listens, connecting fails.
        if let Ok(mut connection) = connector.connect().await {
            let answer = connection.call(request).await?;
            if answer.is_ok() {
                return Ok(());
            }
            return Err(format!("a call was refused: {}", answer.text()).into());
        }
        if began.elapsed() > PATIENCE {
            return Err("nobody listens".into());
        }
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
}

fn resident_kib(pid: u32) -> Result<u64, Failure> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.ok_or("the kernel does not tell VmRSS")?.parse()?)
}

/// As an operator does: SIGTERM, and time to finish.
fn stop(server: &mut Child) -> Result<(), Failure> {
    let told = Command::new("kill").arg(server.id().to_string()).status()?;
    if !told.success() {
        server.kill()?;
    }
    server.wait()?;
    Ok(())
}
