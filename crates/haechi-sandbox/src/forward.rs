//! Connections that may leave: accepted in the function's network, made anew in the machine's.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// Connections of an instance to one destination, at a time.
const CONNECTIONS_MAX: usize = 64;

/// How long a destination may take to accept.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// Something that a function may reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// Where the function finds it.
    pub inside: SocketAddr,
    /// Where it is: `host:port`. The name is looked up as each connection is made.
    pub outside: String,
}

/// Forwards connections, until the future is dropped.
pub async fn forward(listener: TcpListener, outside: String) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((inside, _)) = listener.accept().await else { return };
        let outside = outside.clone();
        tokio::spawn(async move {
            let _place = place;
            if let Err(error) = carry(inside, &outside).await {
                tracing::debug!(%error, outside, "a function's connection has failed");
            }
        });
    }
}

async fn carry(mut inside: TcpStream, outside: &str) -> std::io::Result<()> {
    let made = tokio::time::timeout(CONNECT_MAX, TcpStream::connect(outside)).await;
    let mut made = made.map_err(|_| std::io::Error::from(std::io::ErrorKind::TimedOut))??;
    inside.set_nodelay(true)?;
    made.set_nodelay(true)?;
    tokio::io::copy_bidirectional(&mut inside, &mut made).await?;
    Ok(())
}
