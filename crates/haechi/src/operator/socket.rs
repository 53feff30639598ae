//! The side of the socket that answers.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::order::{Order, SealOrder};
use super::wire::Line;
use super::wire::{self, ASK_BYTES_MAX, AnswerHead, AskHead, Outcome, VERSION};
use super::{Door, order, table, told};
use crate::Failure;
use crate::data::DataDirectory;

/// Operators that are served at a time; others wait.
const CONNECTIONS_MAX: usize = 16;

/// How long saying what is asked may take.
const ASK_TIMEOUT: Duration = Duration::from_secs(30);

async fn answer(door: &Door, head: &[u8], input: &[u8]) -> Result<Line, Failure> {
    let AskHead { version, ask } = wire::value(head)?;
    if version != VERSION {
        let text = format!(
            "this server speaks version {VERSION} of operator.sock and the command version \
             {version}: use the haechi that serves"
        );
        return Err(text.into());
    }
    tracing::info!(ask, "the operator asks");
    if ask == SealOrder::NAME
        && let Ok(installation) = door.installation()
    {
        told::ordered(&ask, &installation).await?;
    }
    match order::answer(&ask, input, door) {
        Some(answer) => answer,
        None => table::answer(&ask, input, &*door.installation()?).await,
    }
}

/// The socket, which goes with the server that made it.
pub struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Drop for Socket {
    fn drop(&mut self) {
        // One that stays behind is harmless: the next server removes it.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Makes `operator.sock`. Whatever lies there is of a server that is gone.
///
/// # Errors
/// If it cannot be made: the path is too long for a socket, most likely.
pub fn bind(data: &DataDirectory) -> Result<Socket, Failure> {
    let path = data.operator_socket();
    let named = |error: std::io::Error| format!("cannot listen at {}: {error}", path.display());
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(named(error).into());
        }
        _ => {}
    }
    let listener = UnixListener::bind(&path).map_err(named)?;
    // Until here the directory's 0700 has kept others out.
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(named)?;
    Ok(Socket { listener, path })
}

/// Answers operators for ever.
pub async fn serve(socket: Socket, door: Arc<Door>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, _)) = socket.listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let door = Arc::clone(&door);
        tokio::spawn(async move {
            if let Err(error) = converse(stream, &door).await {
                tracing::debug!(%error, "an operator's connection ended early");
            }
            drop(place);
        });
    }
}

async fn converse(mut stream: UnixStream, door: &Door) -> Result<(), Failure> {
    let (uid, own) = (stream.peer_cred()?.uid(), rustix::process::geteuid().as_raw());
    let answered = if uid == own || uid == 0 {
        let (head, input) = timeout(ASK_TIMEOUT, wire::read(&mut stream, ASK_BYTES_MAX)).await??;
        answer(door, &head, &input).await
    } else {
        tracing::warn!(uid, "another user asked at operator.sock and was refused");
        Err(format!("user {uid} is not the one that the server runs as").into())
    };
    let (outcome, body) = match answered {
        Ok(body) => (Outcome::Answered, body),
        Err(failure) => (Outcome::Refused, wire::line(&crate::chain(&*failure))?),
    };
    wire::write(&mut stream, &AnswerHead { version: VERSION, outcome }, &body).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::client::Client;

    fn data() -> (tempfile::TempDir, DataDirectory) {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDirectory::open_or_create(&folder.path().join("data")).unwrap();
        (folder, data)
    }

    #[tokio::test]
    async fn a_server_that_is_gone_is_no_server() {
        let (_folder, data) = data();
        assert!(Client::connect(&data).await.unwrap().is_none());
        drop(bind(&data).unwrap());
        assert!(!data.operator_socket().exists(), "it goes with its server");
        // One that was killed leaves it behind.
        drop(std::os::unix::net::UnixListener::bind(data.operator_socket()).unwrap());
        assert!(data.operator_socket().exists());
        assert!(Client::connect(&data).await.unwrap().is_none());
        let _socket = bind(&data).unwrap();
        assert!(Client::connect(&data).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn the_socket_is_its_owners_and_says_why_it_refuses() {
        let (_folder, data) = data();
        let socket = bind(&data).unwrap();
        let mode = std::fs::metadata(data.operator_socket()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        tokio::spawn(serve(socket, Arc::new(Door::new(&data))));
        let mut client = Client::connect(&data).await.unwrap().unwrap();
        let refused = client.ask::<()>("account.list", &serde_json::json!({})).await.unwrap_err();
        assert!(refused.to_string().contains("starting or stopping"), "{refused}");
    }
}
