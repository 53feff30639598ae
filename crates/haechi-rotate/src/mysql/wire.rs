//! The protocol of MySQL, as far as it takes to log in and to run a statement.
//!
//! ```text
//! packet    = length (3 bytes, little endian) ‖ sequence (1) ‖ payload
//! greeting  = 10 ‖ version NUL ‖ id (4) ‖ challenge (8) ‖ 0 ‖ … ‖ challenge (13) ‖ plugin NUL
//! response  = capabilities (4) ‖ … ‖ user NUL ‖ length ‖ answer ‖ plugin NUL
//! ```
//! Source: MySQL internals, "Client/Server Protocol".

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use zeroize::Zeroizing;

use super::authentication::{caching, for_public_key, native};
use crate::tls::Stream;
use crate::{Failure, Login};

/// A payload longer than this is not read.
const PAYLOAD_MAX: usize = 1 << 20;

/// Rows of an answer that are read.
const ROWS_MAX: usize = 10_000;

/// `CLIENT_LONG_PASSWORD`, `_PROTOCOL_41`, `_TRANSACTIONS`, `_SECURE_CONNECTION`, `_PLUGIN_AUTH`.
const CAPABILITIES: u32 = 0x1 | 0x200 | 0x2000 | 0x8000 | 0x8_0000;

/// `CLIENT_SSL`.
const TLS: u32 = 0x800;

/// utf8mb4_general_ci.
const CHARSET: u8 = 45;

/// Access denied; and for a host, and without a password.
const DENIED: [u16; 3] = [1044, 1045, 1698];

/// A session.
pub(super) struct Connection {
    stream: Box<dyn Stream>,
    sequence: u8,
    version: String,
    login: Login,
}

/// Reads a payload from its beginning.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn text(&mut self) -> Option<String> {
        let end = self.0.iter().position(|byte| *byte == 0)?;
        let text = String::from_utf8_lossy(self.take(end)?).into_owned();
        self.take(1)?;
        Some(text)
    }

    /// A text with its length before it.
    fn counted(&mut self) -> Option<String> {
        let length = match self.byte()? {
            short @ 0..=250 => usize::from(short),
            0xfc => self.number(2)?,
            0xfd => self.number(3)?,
            _ => return None,
        };
        Some(String::from_utf8_lossy(self.take(length)?).into_owned())
    }

    fn number(&mut self, bytes: usize) -> Option<usize> {
        let bytes = self.take(bytes)?.iter().rev();
        Some(bytes.fold(0, |number, byte| (number << 8) | usize::from(*byte)))
    }
}

/// What a server says first.
struct Greeting {
    version: String,
    challenge: Vec<u8>,
    plugin: String,
}

fn greeting(payload: &[u8]) -> Option<Greeting> {
    let mut cursor = Cursor(payload);
    if cursor.byte()? != 10 {
        return None;
    }
    let version = cursor.text()?;
    cursor.take(4)?;
    let mut challenge = cursor.take(8)?.to_vec();
    // Filler, capabilities, character set, status, capabilities, length, reserved.
    cursor.take(1 + 2 + 1 + 2 + 2)?;
    let length = usize::from(cursor.byte()?);
    cursor.take(10)?;
    let second = cursor.take(length.saturating_sub(8).max(13))?;
    challenge.extend(second.iter().take(12));
    let plugin = cursor.text().unwrap_or_else(|| "mysql_native_password".to_owned());
    Some(Greeting { version, challenge, plugin })
}

impl Connection {
    /// Connects and logs in.
    pub(super) async fn open(login: &Login) -> Result<Connection, Failure> {
        let stream = TcpStream::connect((login.host.as_str(), login.port)).await;
        let stream = Box::new(stream.map_err(|error| login.unreachable(error))?);
        let (login, version) = (login.clone(), String::new());
        let mut connection = Connection { stream, sequence: 0, version, login };
        let first = connection.receive().await?;
        if first.first() == Some(&0xff) {
            return Err(connection.refusal(&first));
        }
        let greeting = greeting(&first).ok_or_else(|| connection.strange())?;
        connection.version.clone_from(&greeting.version);
        let connection = connection.secured().await?;
        connection.log_in(greeting).await
    }

    /// The same over TLS, if the login asks for it.
    async fn secured(mut self) -> Result<Connection, Failure> {
        let connector = self.login.tls.connector();
        let connector = connector.map_err(|error| self.login.unreachable(error))?;
        let Some(connector) = connector else { return Ok(self) };
        self.send(&self.preamble()).await?;
        let Connection { stream, sequence, version, login } = self;
        let stream = connector.secure(&login.host, stream).await;
        let stream = Box::new(stream.map_err(|error| login.unreachable(error))?);
        Ok(Connection { stream, sequence, version, login })
    }

    /// What a response begins with; by itself it asks for TLS.
    fn preamble(&self) -> Vec<u8> {
        let tls = if self.login.tls == crate::Tls::Off { 0 } else { TLS };
        let mut out = (CAPABILITIES | tls).to_le_bytes().to_vec();
        out.extend(u32::try_from(PAYLOAD_MAX).unwrap_or_default().to_le_bytes());
        out.push(CHARSET);
        out.extend([0; 23]);
        out
    }

    /// Whether it is MariaDB, which says so.
    pub(super) fn is_mariadb(&self) -> bool {
        self.version.contains("MariaDB")
    }

    async fn log_in(mut self, greeting: Greeting) -> Result<Connection, Failure> {
        let Greeting { mut challenge, mut plugin, .. } = greeting;
        let answer = self.answer(&plugin, &challenge).unwrap_or_default();
        let mut response = Zeroizing::new(self.preamble());
        response.extend(self.login.username.bytes().chain([0]));
        response.push(u8::try_from(answer.len()).unwrap_or_default());
        response.extend(answer.iter());
        response.extend(plugin.bytes().chain([0]));
        self.send(&response).await?;
        loop {
            let payload = self.receive().await?;
            let mut cursor = Cursor(&payload);
            match cursor.byte() {
                Some(0x00) => return Ok(self),
                Some(0xff) => return Err(self.refusal(&payload)),
                // Another way to log in.
                Some(0xfe) => {
                    plugin = cursor.text().ok_or_else(|| self.strange())?;
                    challenge = cursor.0.strip_suffix(&[0]).unwrap_or(cursor.0).to_vec();
                    let Some(answer) = self.answer(&plugin, &challenge) else {
                        let text = format!("it wants {plugin}, which is not known here");
                        return Err(self.login.unreachable(text));
                    };
                    self.send(&answer).await?;
                }
                // caching_sha2_password: the answer was right.
                Some(0x01) if cursor.0 == [3] => {}
                // It was not in the cache: the server wants the password, under its public key.
                Some(0x01) if cursor.0 == [4] => self.send(&[2]).await?,
                Some(0x01) => {
                    let pem = String::from_utf8_lossy(cursor.0);
                    let sealed = for_public_key(&self.login.password, &challenge, &pem);
                    let sealed = sealed.ok_or_else(|| self.strange())?;
                    self.send(&sealed).await?;
                }
                _ => return Err(self.strange()),
            }
        }
    }

    fn answer(&self, plugin: &str, challenge: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        match plugin {
            "mysql_native_password" => Some(native(&self.login.password, challenge)),
            "caching_sha2_password" => Some(caching(&self.login.password, challenge)),
            _ => None,
        }
    }

    /// Runs a statement; answers the first column of its rows.
    pub(super) async fn run(&mut self, statement: &str) -> Result<Vec<String>, Failure> {
        self.sequence = 0;
        let payload = Zeroizing::new([&[3], statement.as_bytes()].concat());
        self.send(&payload).await?;
        let first = self.receive().await?;
        match first.first() {
            Some(0x00) => return Ok(Vec::new()),
            Some(0xff) => return Err(self.refusal(&first)),
            _ => {}
        }
        // Columns up to an end, rows up to another.
        self.until_end(|_| Some(())).await?;
        self.until_end(|row| Cursor(row).counted()).await
    }

    async fn until_end<T>(&mut self, read: impl Fn(&[u8]) -> Option<T>) -> Result<Vec<T>, Failure> {
        let mut rows = Vec::new();
        loop {
            let payload = self.receive().await?;
            match payload.first() {
                Some(0xfe) if payload.len() < 9 => return Ok(rows),
                Some(0xff) => return Err(self.refusal(&payload)),
                _ if rows.len() < ROWS_MAX => {
                    rows.push(read(&payload).ok_or_else(|| self.strange())?);
                }
                _ => return Err(self.strange()),
            }
        }
    }

    async fn send(&mut self, payload: &[u8]) -> Result<(), Failure> {
        let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes();
        let mut packet = Zeroizing::new(Vec::with_capacity(payload.len() + 4));
        packet.extend(length.iter().take(3));
        packet.push(self.sequence);
        packet.extend(payload);
        self.sequence = self.sequence.wrapping_add(1);
        let sent = self.stream.write_all(&packet).await;
        sent.map_err(|error| self.login.unreachable(error))
    }

    async fn receive(&mut self) -> Result<Vec<u8>, Failure> {
        let mut header = [0; 4];
        let read = self.stream.read_exact(&mut header).await;
        read.map_err(|error| self.login.unreachable(error))?;
        let [a, b, c, sequence] = header;
        self.sequence = sequence.wrapping_add(1);
        let length = usize::from(a) | usize::from(b) << 8 | usize::from(c) << 16;
        if length > PAYLOAD_MAX {
            return Err(self.strange());
        }
        let mut payload = vec![0; length];
        let read = self.stream.read_exact(&mut payload).await;
        read.map_err(|error| self.login.unreachable(error))?;
        Ok(payload)
    }

    fn strange(&self) -> Failure {
        self.login.unreachable("it does not speak the protocol of MySQL")
    }

    /// An error packet: code, `#` and state, sentence.
    fn refusal(&self, payload: &[u8]) -> Failure {
        let mut cursor = Cursor(payload.get(1..).unwrap_or_default());
        let code = cursor.number(2).and_then(|code| u16::try_from(code).ok()).unwrap_or_default();
        if DENIED.contains(&code) {
            return self.login.not_let_in();
        }
        // The sentence may quote the statement, which may hold a password.
        Failure::Refused(format!("MySQL error {code}"))
    }
}
