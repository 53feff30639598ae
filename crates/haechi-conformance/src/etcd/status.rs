//! What a member says of itself, asked by hand: a program started for each question would cost more
//! than what is measured, and a thousand rounds of faults ask ten thousand times.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long a member may take; one that stands still never answers.
const PATIENCE: Duration = Duration::from_secs(1);

/// A member's id and its leader's, by its own word; none if it does not answer, or knows no leader.
pub(super) fn status(host: &str, port: u16) -> Option<(u64, u64)> {
    let address = SocketAddr::new(host.parse().ok()?, port);
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.set_write_timeout(Some(PATIENCE)).ok()?;
    let request = format!(
        "POST /v3/maintenance/status HTTP/1.0\r\nHost: {host}\r\nContent-Length: 2\r\n\r\n{{}}"
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (_, body) = answer.split_once("\r\n\r\n")?;
    let status: serde_json::Value = serde_json::from_str(body.trim()).ok()?;
    let number = |value: &serde_json::Value| value.as_str()?.parse::<u64>().ok();
    let leader = number(&status["leader"]).filter(|leader| *leader != 0)?;
    Some((number(&status["header"]["member_id"])?, leader))
}
