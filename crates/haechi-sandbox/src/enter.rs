//! Step 1 and step 2: this program, executed anew, on its way to becoming the function's.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitCode, Stdio};

use nix::sched::CloneFlags;
use rustix::event::{PollFd, PollFlags};
use rustix::process::{Pid, PidfdFlags, Signal};
use serde::{Deserialize, Serialize};

use crate::control::{Order, Told, receive, send, send_listeners};
use crate::isolation::Isolation;
use crate::spec::Spec;
use crate::{mounts, network, privileges, seccomp};

/// The name of the hidden command: the word before the step's.
pub const COMMAND: &str = "sandbox-step";

/// How a step ends that could not do its part.
pub const SETUP_FAILED: u8 = 125;

const ENTER: &str = "enter";
const BECOME: &str = "become";

/// Takes a step, if the arguments name one: then this does not come back before the function ends.
pub fn run_step(mut arguments: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    if arguments.next()? != COMMAND {
        return None;
    }
    let step = arguments.next()?;
    let done = if step == ENTER { enter() } else { become_function() };
    Some(match done {
        Ok(code) => code,
        Err(error) => {
            // On the function's own log: nobody else listens any more.
            eprintln!("haechi: the function could not be shut in: {error}");
            ExitCode::from(SETUP_FAILED)
        }
    })
}

/// What step 2 gets.
#[derive(Serialize, Deserialize)]
struct Handed {
    isolation: Isolation,
    spec: Spec,
}

/// Step 1.
fn enter() -> std::io::Result<ExitCode> {
    close_inherited()?;
    // Parent and step 1 have a socket in place of the input.
    let control = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    let order: Order = receive(&control)?;
    match prepare(&control, order) {
        Ok(handed) => watch(control, &handed),
        Err(error) => {
            send(&control, &Told::Failed(error.to_string()))?;
            Ok(ExitCode::from(SETUP_FAILED))
        }
    }
}

/// Closes what the parent has open without wanting to pass it on: libraries that it loads may.
fn close_inherited() -> std::io::Result<()> {
    let open: Vec<i32> = fs::read_dir("/proc/self/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    for fd in open.into_iter().filter(|fd| *fd > 2) {
        // The folder that was read is among them, and closed already.
        let _ = nix::unistd::close(fd);
    }
    Ok(())
}

fn prepare(control: &UnixStream, order: Order) -> std::io::Result<Handed> {
    let Order { isolation, mut spec, runtime_api } = order;
    let parts = [
        (isolation.mounts, CloneFlags::CLONE_NEWNS),
        (isolation.mounts, CloneFlags::CLONE_NEWUTS),
        (isolation.processes, CloneFlags::CLONE_NEWPID),
        (isolation.processes, CloneFlags::CLONE_NEWIPC),
        (isolation.network, CloneFlags::CLONE_NEWNET),
    ];
    let wanted = parts.iter().filter(|(wanted, _)| *wanted);
    let flags = wanted.fold(CloneFlags::empty(), |flags, (_, flag)| flags | *flag);
    if isolation.user_namespace {
        privileges::enter_user_namespace(flags, 0)?;
    } else {
        nix::sched::unshare(flags)?;
    }
    let address = match runtime_api {
        Some(address) => address,
        None => {
            network::bring_up(&spec.listen)?;
            let listeners = network::listen(&spec.listen)?;
            let first = listeners.first().ok_or_else(|| std::io::Error::other("no listener"))?;
            let address = first.local_addr()?.to_string();
            let fds: Vec<_> = listeners.iter().map(AsFd::as_fd).collect();
            send_listeners(control, &fds)?;
            address
        }
    };
    spec.environment.insert("AWS_LAMBDA_RUNTIME_API".to_owned(), address);
    Ok(Handed { isolation, spec })
}

/// Begins step 2, ends it when the parent is gone, and tells how it ended.
fn watch(control: UnixStream, handed: &Handed) -> std::io::Result<ExitCode> {
    let mut child = Command::new("/proc/self/exe")
        .args([COMMAND, BECOME])
        .env_clear()
        .stdin(Stdio::piped())
        .process_group(0)
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // One that ended already says why on its log.
        let _ = input.write_all(&serde_json::to_vec(handed)?);
    }
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| std::io::Error::other("a process without an id"))?;
    // No thread: after a change of namespaces there can be none.
    let ended = rustix::process::pidfd_open(pid, PidfdFlags::empty())?;
    loop {
        let mut waiting = [
            PollFd::new(&ended, PollFlags::IN),
            // The parent says nothing more: an end is its end.
            PollFd::new(&control, PollFlags::IN),
        ];
        match rustix::event::poll(&mut waiting, None) {
            Ok(_) => break,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    // The group's end is that of the first process too; without a process namespace, it is the end
    // of what that one left behind.
    let _ = rustix::process::kill_process_group(pid, Signal::KILL);
    let status = child.wait()?;
    let told = match (status.code(), status.signal()) {
        (Some(code), _) => Told::Exited(code),
        (None, signal) => Told::Signalled(signal.unwrap_or(0)),
    };
    send(&control, &told)?;
    Ok(ExitCode::SUCCESS)
}

/// Step 2: executes the function's program.
fn become_function() -> std::io::Result<ExitCode> {
    let mut text = Vec::new();
    std::io::stdin().read_to_end(&mut text)?;
    let Handed { isolation, spec } = serde_json::from_slice(&text)?;
    privileges::end_with_parent()?;
    let tells_names = !isolation.network;
    let environment: BTreeMap<String, String> = if isolation.mounts {
        mounts::enter(&spec, tells_names)?;
        rustix::system::sethostname(b"function")?;
        spec.environment.clone()
    } else {
        std::env::set_current_dir(&spec.code)?;
        without_mounts(&spec)
    };
    privileges::limit(&spec.limits, &isolation)?;
    privileges::become_nobody(&isolation, spec.uid)?;
    // A change of user forgets it.
    privileges::end_with_parent()?;
    privileges::no_new_privileges()?;
    let Some((program, arguments)) = spec.command.split_first() else {
        return Err(std::io::Error::other("there is nothing to run"));
    };
    let null = File::open("/dev/null")?;
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(environment).stdin(null);
    if isolation.seccomp {
        seccomp::apply().map_err(std::io::Error::other)?;
    }
    Err(command.exec())
}

/// Where the machine's files are seen, the code lies where it lies.
fn without_mounts(spec: &Spec) -> BTreeMap<String, String> {
    let (code, scratch) = (spec.code.to_string_lossy(), spec.scratch.to_string_lossy());
    let moved = spec.environment.iter().map(|(name, value)| {
        let value = if name == "LAMBDA_TASK_ROOT" { code.to_string() } else { value.clone() };
        (name.clone(), value)
    });
    moved.chain([("TMPDIR".to_owned(), scratch.to_string())]).collect()
}
