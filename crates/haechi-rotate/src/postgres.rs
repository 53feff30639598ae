//! PostgreSQL.

use std::time::Duration;

use async_trait::async_trait;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, NoTls};

use crate::{Failure, Login, Server};

/// How long a server may take to answer a connection.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// PostgreSQL, from version 10 on (SCRAM).
#[derive(Debug, Default, Clone, Copy)]
pub struct Postgres;

async fn connect(login: &Login) -> Result<Client, Failure> {
    let mut config = Config::new();
    config
        .host(&login.host)
        .port(login.port)
        .user(&login.username)
        .password(login.password.as_bytes())
        .dbname(login.database.as_deref().unwrap_or("postgres"))
        .application_name("haechi-rotate")
        .connect_timeout(CONNECT_MAX);
    let connector = login.tls.connector().map_err(|error| login.unreachable(error))?;
    let Some(connector) = connector else {
        config.ssl_mode(SslMode::Disable);
        let connected = config.connect(NoTls).await;
        let (client, connection) = connected.map_err(|error| refused(login, &error))?;
        // Ends when the client is dropped.
        tokio::spawn(connection);
        return Ok(client);
    };
    config.ssl_mode(SslMode::Require);
    let connected = config.connect(connector).await;
    let (client, connection) = connected.map_err(|error| refused(login, &error))?;
    tokio::spawn(connection);
    Ok(client)
}

fn refused(login: &Login, error: &tokio_postgres::Error) -> Failure {
    let wrong = [SqlState::INVALID_PASSWORD, SqlState::INVALID_AUTHORIZATION_SPECIFICATION];
    match error.code() {
        Some(code) if wrong.contains(code) => login.not_let_in(),
        // The server speaks, and is not ready.
        Some(_) => login.unreachable(message(error)),
        None => login.unreachable(reason(error)),
    }
}

/// The whole story: an error of TLS is beneath one of the client.
fn reason(error: &tokio_postgres::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// The server's sentence; its details may quote the statement.
fn message(error: &tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), |error| error.message().to_owned())
}

async fn run(client: &Client, statement: &str) -> Result<(), Failure> {
    let done = client.batch_execute(statement).await;
    done.map_err(|error| Failure::Refused(message(&error)))
}

/// A name in a statement.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The clause that gives a role its password, as a verifier: base64 and `$`, `:`, which need no
/// quoting.
fn password_clause(password: &str) -> String {
    let verifier = postgres_protocol::password::scram_sha_256(password.as_bytes());
    format!("PASSWORD '{verifier}'")
}

#[async_trait]
impl Server for Postgres {
    fn port(&self) -> u16 {
        5432
    }

    async fn test(&self, login: &Login) -> Result<(), Failure> {
        run(&connect(login).await?, "SELECT NOW()").await
    }

    async fn change(&self, login: &Login, password: &str) -> Result<(), Failure> {
        let client = connect(login).await?;
        let (user, password) = (quoted(&login.username), password_clause(password));
        run(&client, &format!("ALTER ROLE {user} {password}")).await
    }

    async fn provide(
        &self,
        admin: &Login,
        like: &str,
        user: &str,
        password: &str,
    ) -> Result<(), Failure> {
        let client = connect(admin).await?;
        let found = client.query_opt("SELECT 1 FROM pg_roles WHERE rolname = $1", &[&user]).await;
        let exists = found.map_err(|error| Failure::Refused(message(&error)))?.is_some();
        let (like, user, password) = (quoted(like), quoted(user), password_clause(password));
        if exists {
            return run(&client, &format!("ALTER ROLE {user} LOGIN {password}")).await;
        }
        let make =
            format!("BEGIN; CREATE ROLE {user} LOGIN {password}; GRANT {like} TO {user}; COMMIT");
        run(&client, &make).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_and_passwords_are_not_in_the_statement() {
        assert_eq!(quoted(r#"a"; DROP"#), r#""a""; DROP""#);
        let clause = password_clause("hunter2'");
        assert!(clause.starts_with("PASSWORD 'SCRAM-SHA-256$4096:"), "{clause}");
        assert!(!clause.contains("hunter2"));
        assert_eq!(clause.matches('\'').count(), 2);
    }
}
