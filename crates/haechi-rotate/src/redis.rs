//! Redis and Valkey users (ACL, from version 6 on).
//!
//! A user there may have two passwords: so the new one is added, and the old one stays until the
//! rotation after. What the secret says works at every moment, with one user.

use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use zeroize::Zeroizing;

use crate::tls::Stream;
use crate::{Failure, Login, Server};

/// How long a server may take for an answer.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// Redis and Valkey.
#[derive(Debug, Default, Clone, Copy)]
pub struct Redis;

struct Connection<'a> {
    login: &'a Login,
    stream: BufReader<Box<dyn Stream>>,
}

impl Connection<'_> {
    /// Sends a command of bulk strings; answers the first line of the reply, which is all that the
    /// commands here have.
    async fn command(&mut self, words: &[&str]) -> Result<Result<String, String>, Failure> {
        let mut out = Zeroizing::new(format!("*{}\r\n", words.len()));
        for word in words {
            out.push_str(&format!("${}\r\n", word.len()));
            out.push_str(word);
            out.push_str("\r\n");
        }
        let answer = async {
            self.stream.get_mut().write_all(out.as_bytes()).await?;
            let mut line = String::new();
            self.stream.read_line(&mut line).await?;
            std::io::Result::Ok(line)
        };
        let line = match tokio::time::timeout(ANSWER_MAX, answer).await {
            Ok(line) => line.map_err(|error| self.login.unreachable(error))?,
            Err(_) => return Err(self.login.unreachable("no answer")),
        };
        let line = line.trim_end();
        match line.split_at_checked(1) {
            Some(("+", text)) => Ok(Ok(text.to_owned())),
            Some(("-", text)) => Ok(Err(text.to_owned())),
            _ => Err(self.login.unreachable("it does not speak the protocol of Redis")),
        }
    }
}

async fn connect(login: &Login) -> Result<Connection<'_>, Failure> {
    let connector = login.tls.connector().map_err(|error| login.unreachable(error))?;
    let stream = TcpStream::connect((login.host.as_str(), login.port));
    let stream = match tokio::time::timeout(ANSWER_MAX, stream).await {
        Ok(stream) => stream.map_err(|error| login.unreachable(error))?,
        Err(_) => return Err(login.unreachable("no answer")),
    };
    let stream: Box<dyn Stream> = match connector {
        None => Box::new(stream),
        Some(connector) => {
            let secured = connector.secure(&login.host, stream).await;
            Box::new(secured.map_err(|error| login.unreachable(error))?)
        }
    };
    let mut connection = Connection { login, stream: BufReader::new(stream) };
    match connection.command(&["AUTH", &login.username, &login.password]).await? {
        Ok(_) => Ok(connection),
        Err(text) if text.starts_with("WRONGPASS") => Err(login.not_let_in()),
        Err(text) => Err(login.unreachable(text)),
    }
}

fn hash(password: &str) -> String {
    let hash = digest(&SHA256, password.as_bytes());
    hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[async_trait]
impl Server for Redis {
    fn port(&self) -> u16 {
        6379
    }

    async fn test(&self, login: &Login) -> Result<(), Failure> {
        match connect(login).await?.command(&["PING"]).await? {
            // Not every user may ping; this one was let in.
            Ok(_) => Ok(()),
            Err(text) if text.starts_with("NOPERM") => Ok(()),
            Err(text) => Err(Failure::Refused(text)),
        }
    }

    async fn change(&self, login: &Login, password: &str) -> Result<(), Failure> {
        self.provide(login, &login.username, &login.username, password).await
    }

    /// Needs a user who may `ACL SETUSER`. Of the passwords that the user has, the one that `admin`
    /// knows stays if it is the user's own.
    async fn provide(
        &self,
        admin: &Login,
        like: &str,
        user: &str,
        password: &str,
    ) -> Result<(), Failure> {
        let mut connection = connect(admin).await?;
        let new = format!("#{}", hash(password));
        let mut words = vec!["ACL", "SETUSER", user, "resetpass"];
        let kept = format!("#{}", hash(&admin.password));
        if admin.username == user {
            words.push(&kept);
        } else if like != user {
            return Err(Failure::Invalid("Redis users are not made by rotation".to_owned()));
        }
        words.push(&new);
        match connection.command(&words).await? {
            Ok(_) => Ok(()),
            Err(text) => Err(Failure::Refused(text)),
        }
    }
}
