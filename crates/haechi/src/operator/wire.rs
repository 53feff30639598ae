//! What goes over the socket. Each way two lines of JSON: a head, then what the ask itself defines.
//!
//! ```text
//! ─► {"version":1,"ask":"account.key"}      ◄─ {"version":1,"outcome":"answered"}
//!    {"account":"123456789012"}                {"access_key_id":"AKIA…","secret_access_key":"…"}
//!                                           or {"version":1,"outcome":"refused"}
//!                                              "123456789012 is no account"
//! ```
//!
//! Both ways may carry secrets, so lines are kept in memory that is wiped. A line up to
//! [`SECRET_BYTES`] never moves, so that it leaves no copy behind either.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use zeroize::Zeroizing;

use crate::Failure;

/// The version of heads and asks. A client and a server of different versions tell each other.
pub const VERSION: u32 = 1;

/// What is asked, at most.
pub const ASK_BYTES_MAX: usize = 64 * 1024;

/// What is answered, at most: the use of a million keys.
pub const ANSWER_BYTES_MAX: usize = 1 << 30;

/// Lines up to this length are read and written without moving.
const SECRET_BYTES: usize = 64 * 1024;

/// Bytes that wipe themselves.
pub type Line = Zeroizing<Vec<u8>>;

/// The first line of what is asked.
#[derive(Debug, Serialize, Deserialize)]
pub struct AskHead {
    /// [`VERSION`] of the client.
    pub version: u32,
    /// Name of the ask.
    pub ask: String,
}

/// The first line of what is answered.
#[derive(Debug, Serialize, Deserialize)]
pub struct AnswerHead {
    /// [`VERSION`] of the server.
    pub version: u32,
    /// Whether it was done.
    pub outcome: Outcome,
}

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Done; the next line is the answer.
    Answered,
    /// Not done; the next line is a JSON string that says why.
    Refused,
}

/// A value as one line.
///
/// # Errors
/// If it cannot be JSON.
pub fn line(value: &impl Serialize) -> Result<Line, Failure> {
    let mut line = Zeroizing::new(Vec::with_capacity(SECRET_BYTES));
    serde_json::to_writer(&mut *line, value)?;
    Ok(line)
}

/// The value of a line.
///
/// # Errors
/// If it is another one's.
pub fn value<T: DeserializeOwned>(line: &[u8]) -> Result<T, Failure> {
    Ok(serde_json::from_slice(line)?)
}

/// Writes both lines.
///
/// # Errors
/// If the other side is gone.
pub async fn write(
    stream: &mut (impl AsyncWrite + Unpin),
    head: &impl Serialize,
    body: &Line,
) -> Result<(), Failure> {
    stream.write_all(&line(head)?).await?;
    stream.write_all(b"\n").await?;
    stream.write_all(body).await?;
    stream.write_all(b"\n").await?;
    Ok(stream.flush().await?)
}

/// Reads both lines, of `bytes_max` together at most.
///
/// # Errors
/// If the other side goes away before their end, or says too much.
pub async fn read(
    stream: &mut (impl AsyncRead + Unpin),
    bytes_max: usize,
) -> Result<(Line, Line), Failure> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(SECRET_BYTES));
    let mut stream = stream.take(u64::try_from(bytes_max).unwrap_or(u64::MAX));
    loop {
        let mut newlines = memchr::memchr_iter(b'\n', &bytes);
        if let (Some(head), Some(body)) = (newlines.next(), newlines.next()) {
            let part = |from: usize, to: usize| {
                Zeroizing::new(bytes.get(from..to).unwrap_or_default().to_vec())
            };
            return Ok((part(0, head), part(head + 1, body)));
        }
        if stream.read_buf(&mut *bytes).await? == 0 {
            return Err("the other side of operator.sock went away, or said too much".into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn two_lines_come_through_in_whatever_pieces() {
        let (mut here, mut there) = tokio::io::duplex(3);
        let head = AskHead { version: VERSION, ask: "a.b".to_owned() };
        let body = line(&"two\nlines").unwrap();
        let writing = tokio::spawn(async move { write(&mut here, &head, &body).await.unwrap() });
        let (head, body) = read(&mut there, ASK_BYTES_MAX).await.unwrap();
        writing.await.unwrap();
        assert_eq!(value::<AskHead>(&head).unwrap().ask, "a.b");
        assert_eq!(value::<String>(&body).unwrap(), "two\nlines");
    }

    #[tokio::test]
    async fn too_much_and_too_little_are_refused() {
        assert!(read(&mut &b"{}\n{}"[..], ASK_BYTES_MAX).await.is_err());
        assert!(read(&mut &b"{}\n{}\n"[..], 5).await.is_err());
        assert!(read(&mut &b"{}\n{}\n"[..], 6).await.is_ok());
    }
}
