//! The parent's side of the process.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};

use crate::cgroup::Group;
use crate::control::{Order, Told, frame, receive, receive_some};
use crate::enter::COMMAND;

/// How long the setting up may take.
pub(crate) const SETUP_MAX: Duration = Duration::from_secs(10);

/// How long an end may take that was asked for, until it is forced.
const END_MAX: Duration = Duration::from_secs(2);

/// How a function's process has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// By itself.
    Code(i32),
    /// By a signal.
    Signal(i32),
}

/// A process, shut in.
pub struct Process {
    child: Child,
    control: UnixStream,
    received: Vec<u8>,
    exit: Option<Exit>,
    group: Option<Group>,
}

/// What a process says, until it has closed it.
pub struct Log(Option<pipe::Receiver>);

impl Log {
    /// Reads some, as soon as there is something; never, if it has been closed.
    pub async fn read(&mut self, buffer: &mut [u8]) -> usize {
        loop {
            let Some(log) = &self.0 else { return std::future::pending().await };
            if log.readable().await.is_err() {
                return std::future::pending().await;
            }
            match log.try_read(buffer) {
                Ok(count) if count > 0 => return count,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                _ => self.0 = None,
            }
        }
    }

    /// What lies there now, up to the size of the buffer; 0 if there is nothing. Asks the kernel,
    /// where readiness may not have been told yet.
    pub fn read_now(&mut self, buffer: &mut [u8]) -> usize {
        let Some(log) = &self.0 else { return 0 };
        rustix::io::read(log, buffer).unwrap_or(0)
    }
}

impl Process {
    /// Starts it; answers its log, and the listeners in its network.
    ///
    /// # Errors
    /// If it cannot be set up, with the reason; `TimedOut` if that takes longer than `limit`.
    pub async fn start(
        program: &Path,
        order: &Order,
        group: Option<Group>,
        limit: Duration,
    ) -> std::io::Result<(Process, Log, Vec<TcpListener>)> {
        let (ours, theirs) = StdUnixStream::pair()?;
        let (log, writer) = std::io::pipe()?;
        let mut command = Command::new(program);
        command
            .args([COMMAND, "enter"])
            .env_clear()
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::from(writer.try_clone()?))
            .stderr(Stdio::from(writer))
            .process_group(0)
            .kill_on_drop(true);
        let child = command.spawn()?;
        // Its ends of socket and pipe are closed here.
        drop(command);
        if let (Some(group), Some(pid)) = (&group, child.id()) {
            group.add(pid)?;
        }
        ours.set_nonblocking(true)?;
        let control = UnixStream::from_std(ours)?;
        let log = Log(Some(pipe::Receiver::from_owned_fd(OwnedFd::from(log))?));
        let mut process = Process { child, control, received: Vec::new(), exit: None, group };
        let set_up = tokio::time::timeout(limit, process.set_up(order)).await;
        let listeners = set_up.map_err(|_| std::io::Error::from(ErrorKind::TimedOut))??;
        Ok((process, log, listeners))
    }

    async fn set_up(&mut self, order: &Order) -> std::io::Result<Vec<TcpListener>> {
        use tokio::io::AsyncWriteExt;
        self.control.write_all(&frame(order)?).await?;
        if order.runtime_api.is_some() {
            return Ok(Vec::new());
        }
        let mut listeners = Vec::new();
        loop {
            listeners.extend(self.receive().await?.into_iter().map(TcpListener::from));
            match self.message() {
                None => {}
                Some(Told::Listening) => return Ok(listeners),
                Some(Told::Failed(why)) => return Err(std::io::Error::other(why)),
                Some(Told::Exited(_) | Told::Signalled(_)) => {
                    return Err(std::io::Error::other("it ended"));
                }
            }
        }
    }

    /// Receives some bytes into the buffer, and what came with them.
    async fn receive(&mut self) -> std::io::Result<Vec<OwnedFd>> {
        let mut buffer = [0; 4096];
        loop {
            self.control.readable().await?;
            let control = &self.control;
            match control.try_io(Interest::READABLE, || receive_some(control, &mut buffer)) {
                Ok((0, _)) => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                Ok((count, fds)) => {
                    self.received.extend(buffer.iter().take(count));
                    return Ok(fds);
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// A message that is complete.
    fn message(&mut self) -> Option<Told> {
        let mut rest = self.received.as_slice();
        let told = receive(&mut rest).ok()?;
        let left = rest.len();
        self.received.drain(..self.received.len() - left);
        Some(told)
    }

    /// Waits until it has ended. Can be dropped and asked again.
    pub async fn exited(&mut self) -> Exit {
        loop {
            if let Some(exit) = self.exit {
                return exit;
            }
            self.exit = match self.message() {
                Some(Told::Exited(code)) => Some(Exit::Code(code)),
                Some(Told::Signalled(signal)) => Some(Exit::Signal(signal)),
                Some(Told::Failed(_)) => Some(Exit::Code(i32::from(crate::SETUP_FAILED))),
                Some(Told::Listening) => None,
                None => match self.receive().await {
                    Ok(_) => None,
                    // Step 1 itself was killed, by the lack of memory for one.
                    Err(_) => Some(Exit::Signal(9)),
                },
            };
        }
    }

    /// Whether it has ended, as far as is known.
    pub fn has_exited(&self) -> bool {
        self.exit.is_some()
    }

    /// The most memory that it has used, in mebibytes, where that is counted.
    pub fn peak_mib(&self) -> Option<u64> {
        self.group.as_ref()?.peak_mib()
    }

    /// Ends it, and all that it has begun; comes back when it is gone.
    pub async fn end(mut self) {
        use tokio::io::AsyncWriteExt;
        // Step 1 takes the end of the socket for the parent's.
        let _ = self.control.shutdown().await;
        let ended = tokio::time::timeout(END_MAX, self.child.wait()).await;
        if ended.is_err() {
            let _ = self.child.kill().await;
        }
    }
}
