//! Connections that cost and bring nothing: idle by the thousand, slow by the byte.

use std::io::{Read, Write};
use std::net::TcpStream;

use haechi_conformance::{Launch, exchange, request, send};

const IDLE: usize = 10_000;

/// Files that the other tests of this process may need at the same time.
const OTHERS: usize = 1_000;

/// Makes room for the connections on our side of them; how many there is room for.
fn allow_many_files() -> usize {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).unwrap();
    limit.maximum.map_or(usize::MAX, |files| usize::try_from(files).unwrap()) - OTHERS
}

#[test]
fn ten_thousand_idle_connections_keep_nobody_out() {
    let count = IDLE.min(allow_many_files());
    let server = Launch::dev().start();
    let idle: Vec<TcpStream> = (0..count).map(|_| exchange(&server)).collect();
    let answer = send(&server, &request("GenerateRandom", &[], br#"{"NumberOfBytes":8}"#));
    assert_eq!(answer.status, Some(200), "{answer:?}");
    assert_eq!(idle.len(), count);
}

#[test]
fn a_client_that_never_finishes_its_headers_is_let_go() {
    let server = Launch::dev().start();
    let mut stream = exchange(&server);
    stream.write_all(b"POST / HTTP/1.1\r\nHost: localhost\r\nX-Slow").unwrap();
    let mut received = Vec::new();
    // Ends when the server closes; the patience of `exchange` is what a hang runs into.
    let ended = stream.read_to_end(&mut received);
    assert!(!matches!(&ended, Err(error) if is_time_out(error)), "never let go: {ended:?}");
    assert!(!String::from_utf8_lossy(&received).starts_with("HTTP/1.1 2"));
}

#[test]
fn a_client_that_never_finishes_its_body_is_let_go() {
    let server = Launch::dev().start();
    let whole = request("GenerateRandom", &[], br#"{"NumberOfBytes":8}"#);
    let mut stream = exchange(&server);
    stream.write_all(&whole[..whole.len() - 5]).unwrap();
    let mut received = Vec::new();
    let ended = stream.read_to_end(&mut received);
    assert!(!matches!(&ended, Err(error) if is_time_out(error)), "never let go: {ended:?}");
    assert!(!String::from_utf8_lossy(&received).starts_with("HTTP/1.1 2"));
}

fn is_time_out(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
}
