//! The side of the socket that asks.

use std::io::ErrorKind;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use super::wire::{self, ANSWER_BYTES_MAX, AnswerHead, AskHead, Outcome, VERSION};
use crate::Failure;
use crate::data::DataDirectory;

/// A connection to a server, for one ask.
pub struct Client(UnixStream);

impl Client {
    /// The server of a data directory; `None` where none runs.
    ///
    /// # Errors
    /// If there is one that lets nobody in.
    pub async fn connect(data: &DataDirectory) -> Result<Option<Client>, Failure> {
        let path = data.operator_socket();
        match UnixStream::connect(&path).await {
            Ok(stream) => Ok(Some(Client(stream))),
            // The file of a server that was killed, or none; or a path too long for a socket.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::NotFound | ErrorKind::ConnectionRefused | ErrorKind::InvalidInput
                ) =>
            {
                Ok(None)
            }
            Err(error) => {
                Err(format!("cannot ask the server at {}: {error}", path.display()).into())
            }
        }
    }

    /// Asks.
    ///
    /// # Errors
    /// The server's own words, or why it cannot be understood.
    pub async fn ask<T: DeserializeOwned>(
        &mut self,
        name: &str,
        ask: &impl Serialize,
    ) -> Result<T, Failure> {
        let head = AskHead { version: VERSION, ask: name.to_owned() };
        wire::write(&mut self.0, &head, &wire::line(ask)?).await?;
        let (head, body) = wire::read(&mut self.0, ANSWER_BYTES_MAX).await.map_err(|error| {
            format!("the server ended before it answered ({error}): see what it wrote to its log")
        })?;
        match wire::value::<AnswerHead>(&head)?.outcome {
            Outcome::Answered => wire::value(&body),
            Outcome::Refused => Err(wire::value::<String>(&body)?.into()),
        }
    }
}
