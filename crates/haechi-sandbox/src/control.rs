//! What parent and step 1 tell each other, over a pair of sockets.
//!
//! ```text
//! parent ─► step 1   length (u32), Order as JSON
//! step 1 ─► parent   length (u32), Told as JSON; with `Listening` come the listeners themselves
//! ```

use std::io::{IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags,
};
use serde::{Deserialize, Serialize};

use crate::isolation::Isolation;
use crate::spec::Spec;

/// Listeners that one message carries, at most.
pub const LISTENERS_MAX: usize = 64;

/// Bytes of a message, at most.
const MESSAGE_MAX: usize = 1 << 20;

/// What step 1 is to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Order {
    pub isolation: Isolation,
    pub spec: Spec,
    /// Where the Runtime API is, if it is not to be listened on in a network of its own.
    pub runtime_api: Option<String>,
}

/// What step 1 tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Told {
    /// The listeners: the Runtime API's, then those that were asked for.
    Listening,
    /// It could not be set up.
    Failed(String),
    /// It has ended, by itself.
    Exited(i32),
    /// It has ended, by a signal.
    Signalled(i32),
}

/// Sends a message.
pub fn send<T: Serialize>(mut socket: &UnixStream, message: &T) -> std::io::Result<()> {
    socket.write_all(&frame(message)?)
}

/// A message as it is sent.
pub fn frame<T: Serialize>(message: &T) -> std::io::Result<Vec<u8>> {
    let text = serde_json::to_vec(message)?;
    let length = u32::try_from(text.len()).map_err(std::io::Error::other)?;
    Ok([&length.to_be_bytes(), text.as_slice()].concat())
}

/// Receives a message.
pub fn receive<T: for<'a> Deserialize<'a>>(mut from: impl Read) -> std::io::Result<T> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = usize::try_from(u32::from_be_bytes(length)).map_err(std::io::Error::other)?;
    if length > MESSAGE_MAX {
        return Err(std::io::Error::other("a message is too long"));
    }
    let mut text = vec![0; length];
    from.read_exact(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

/// Sends a message with listeners.
pub fn send_listeners(socket: &UnixStream, listeners: &[BorrowedFd<'_>]) -> std::io::Result<()> {
    let message = frame(&Told::Listening)?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(LISTENERS_MAX))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !ancillary.push(SendAncillaryMessage::ScmRights(listeners)) {
        return Err(std::io::Error::other("too many listeners"));
    }
    let sent = rustix::net::sendmsg(
        socket,
        &[IoSlice::new(&message)],
        &mut ancillary,
        SendFlags::empty(),
    )?;
    if sent == message.len() { Ok(()) } else { Err(std::io::Error::other("a message was cut off")) }
}

/// Bytes as they come, and listeners that came with them.
pub fn receive_some(
    socket: impl std::os::fd::AsFd,
    buffer: &mut [u8],
) -> std::io::Result<(usize, Vec<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(LISTENERS_MAX))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let received = rustix::net::recvmsg(
        socket,
        &mut [IoSliceMut::new(buffer)],
        &mut ancillary,
        RecvFlags::CMSG_CLOEXEC,
    )?;
    let mut listeners = Vec::new();
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(fds) = message {
            listeners.extend(fds);
        }
    }
    Ok((received.bytes, listeners))
}
