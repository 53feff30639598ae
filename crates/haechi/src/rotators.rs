//! Rotators that need no function: real servers, by `haechi-rotate`, for Secrets Manager.

use std::sync::Arc;

use async_trait::async_trait;
use haechi_rotate::{
    Failure, Login, MySql, Postgres, Redis, Server, Tls, alternate, set_alternating, set_single,
};
use haechi_secretsmanager::{Credentials, RotationError, Rotator, SecretsManager, Target};
use haechi_wire::SecretString;
use zeroize::Zeroizing;

/// Gives Secrets Manager all of them.
pub fn with_rotators(secrets: SecretsManager) -> SecretsManager {
    secrets
        .with_rotator("postgresql-single-user", Arc::new(Single(Postgres)))
        .with_rotator("postgresql-alternating-users", Arc::new(Alternating(Postgres)))
        .with_rotator("mysql-single-user", Arc::new(Single(MySql)))
        .with_rotator("mysql-alternating-users", Arc::new(Alternating(MySql)))
        .with_rotator("mariadb-single-user", Arc::new(Single(MySql)))
        .with_rotator("mariadb-alternating-users", Arc::new(Alternating(MySql)))
        .with_rotator("redis-single-user", Arc::new(Single(Redis)))
}

/// One user, whose password changes.
struct Single<S>(S);

/// Two users in turns; the secret names the superuser's in `masterarn`.
struct Alternating<S>(S);

fn failed(failure: Failure) -> RotationError {
    RotationError(failure.to_string())
}

/// The login that a secret describes, with the names of AWS's templates.
pub fn login(credentials: &Credentials, server: &dyn Server) -> Result<Login, RotationError> {
    let port = credentials.number("port").unwrap_or_else(|| u64::from(server.port()));
    let port = u16::try_from(port)
        .map_err(|_| RotationError(format!("The port {port} of the secret is no port.")))?;
    let tls = match (credentials.flag("ssl"), credentials.text("ssl_ca")) {
        (Some(false), _) | (None, None) => Tls::Off,
        (_, Some(pem)) => Tls::Authorities(pem.to_owned()),
        (Some(true), None) => Tls::System,
    };
    Ok(Login {
        host: credentials.required("host")?.to_owned(),
        port,
        username: credentials.required("username")?.to_owned(),
        password: Zeroizing::new(credentials.required("password")?.to_owned()),
        database: credentials.text("dbname").map(str::to_owned),
        tls,
    })
}

#[async_trait]
impl<S: Server> Rotator for Single<S> {
    fn propose(
        &self,
        current: &Credentials,
        password: SecretString,
    ) -> Result<Credentials, RotationError> {
        login(current, &self.0)?;
        Ok(current.clone().with("password", &password.0))
    }

    async fn set(&self, target: &Target) -> Result<(), RotationError> {
        let current = login(&target.current, &self.0)?;
        let pending = login(&target.pending, &self.0)?;
        // A version before that says something else is no help, and no reason to fail.
        let previous = target.previous.as_ref().and_then(|previous| login(previous, &self.0).ok());
        set_single(&self.0, &current, previous.as_ref(), &pending).await.map_err(failed)
    }

    async fn test(&self, pending: &Credentials) -> Result<(), RotationError> {
        self.0.test(&login(pending, &self.0)?).await.map_err(failed)
    }
}

#[async_trait]
impl<S: Server> Rotator for Alternating<S> {
    fn propose(
        &self,
        current: &Credentials,
        password: SecretString,
    ) -> Result<Credentials, RotationError> {
        current.required("masterarn")?;
        let username = alternate(&login(current, &self.0)?.username);
        Ok(current.clone().with("username", &username).with("password", &password.0))
    }

    async fn set(&self, target: &Target) -> Result<(), RotationError> {
        let current = login(&target.current, &self.0)?;
        let pending = login(&target.pending, &self.0)?;
        let master = target.master.as_ref();
        let master = master.ok_or_else(|| RotationError("The secret has no masterarn.".into()))?;
        let mut master = login(master, &self.0)?;
        master.database.clone_from(&current.database);
        set_alternating(&self.0, &current, &pending, &master).await.map_err(failed)
    }

    async fn test(&self, pending: &Credentials) -> Result<(), RotationError> {
        self.0.test(&login(pending, &self.0)?).await.map_err(failed)
    }
}
