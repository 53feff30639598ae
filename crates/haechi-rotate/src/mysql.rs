//! MySQL and MariaDB.

mod authentication;
mod wire;

use std::time::Duration;

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::{Failure, Login, Server};
use wire::Connection;

/// How long a server may take for a step of ours.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// MySQL and MariaDB.
#[derive(Debug, Default, Clone, Copy)]
pub struct MySql;

/// A text or a name in a statement.
fn quoted(text: &str) -> Zeroizing<String> {
    Zeroizing::new(format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''")))
}

/// The user's name with the hosts that it comes from: all, as with AWS's templates.
fn account(user: &str) -> String {
    format!("{}@'%'", *quoted(user))
}

/// How the server is told a password: MariaDB takes its hash.
fn identified(connection: &Connection, password: &str) -> Zeroizing<String> {
    if connection.is_mariadb() {
        let hash = authentication::native_hash(password);
        Zeroizing::new(format!("IDENTIFIED BY PASSWORD '{hash}'"))
    } else {
        Zeroizing::new(format!("IDENTIFIED BY {}", *quoted(password)))
    }
}

async fn timed<T>(
    login: &Login,
    work: impl Future<Output = Result<T, Failure>> + Send,
) -> Result<T, Failure> {
    let done = tokio::time::timeout(ANSWER_MAX, work).await;
    done.unwrap_or_else(|_| Err(login.unreachable("no answer")))
}

#[async_trait]
impl Server for MySql {
    fn port(&self) -> u16 {
        3306
    }

    async fn test(&self, login: &Login) -> Result<(), Failure> {
        timed(login, async {
            let mut connection = Connection::open(login).await?;
            connection.run("SELECT NOW()").await.map(|_| ())
        })
        .await
    }

    async fn change(&self, login: &Login, password: &str) -> Result<(), Failure> {
        timed(login, async {
            let mut connection = Connection::open(login).await?;
            let statement = if connection.is_mariadb() {
                format!("SET PASSWORD = '{}'", authentication::native_hash(password))
            } else {
                format!("ALTER USER USER() {}", *identified(&connection, password))
            };
            connection.run(&Zeroizing::new(statement)).await.map(|_| ())
        })
        .await
    }

    async fn provide(
        &self,
        admin: &Login,
        like: &str,
        user: &str,
        password: &str,
    ) -> Result<(), Failure> {
        timed(admin, async {
            let mut connection = Connection::open(admin).await?;
            let (account, like) = (account(user), account(like));
            let identified = identified(&connection, password);
            // Its rights first, while it has a password that nobody knows or the old one.
            let make = format!("CREATE USER IF NOT EXISTS {account} {}", *identified);
            connection.run(&Zeroizing::new(make)).await?;
            for grant in connection.run(&format!("SHOW GRANTS FOR {like}")).await? {
                if let Some((rights, _)) = grant.rsplit_once(" TO ") {
                    connection.run(&format!("{rights} TO {account}")).await?;
                }
            }
            let change = if connection.is_mariadb() {
                let hash = authentication::native_hash(password);
                format!("SET PASSWORD FOR {account} = '{hash}'")
            } else {
                format!("ALTER USER {account} {}", *identified)
            };
            connection.run(&Zeroizing::new(change)).await.map(|_| ())
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_does_not_end_a_text() {
        assert_eq!(*quoted(r"a'b\"), r"'a''b\\'");
        assert_eq!(account("x'@'y"), "'x''@''y'@'%'");
    }
}
