//! A stretch of network between two servers, that a test can cut, and that keeps what went over it.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A relay on loopback. What connects to it while it is cut, or leads nowhere yet, hears nothing.
pub struct Relay {
    address: SocketAddr,
    line: Arc<Line>,
}

#[derive(Default)]
struct Line {
    to: Mutex<Option<SocketAddr>>,
    is_cut: AtomicBool,
    /// What comes back is held up; what goes there is held up.
    held: [AtomicBool; 2],
    open: Mutex<Vec<TcpStream>>,
    carried: Mutex<Vec<u8>>,
}

impl Relay {
    /// A relay that leads nowhere yet.
    pub fn new() -> Relay {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let line = Arc::new(Line::default());
        let carrier = Arc::clone(&line);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                carrier.carry(stream);
            }
        });
        Relay { address, line }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Leads to a port of loopback from now on.
    pub fn lead_to(&self, port: u16) {
        *self.line.to.lock().unwrap() = Some(SocketAddr::from(([127, 0, 0, 1], port)));
    }

    /// Cuts what goes over it, or mends it.
    pub fn cut(&self, cut: bool) {
        self.line.is_cut.store(cut, Ordering::SeqCst);
        if cut {
            for stream in self.line.open.lock().unwrap().drain(..) {
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
    }

    /// Holds up what the far end answers, or with `there` what is sent to it, as a network does that
    /// loses packets in one direction; connections stay. Or lets it go on.
    pub fn hold(&self, there: bool, hold: bool) {
        self.line.held[usize::from(there)].store(hold, Ordering::SeqCst);
    }

    /// Everything that went over it, both ways.
    pub fn carried(&self) -> Vec<u8> {
        self.line.carried.lock().unwrap().clone()
    }
}

impl Default for Relay {
    fn default() -> Self {
        Relay::new()
    }
}

impl Line {
    fn carry(self: &Arc<Self>, near: TcpStream) {
        let Some(to) = *self.to.lock().unwrap() else { return };
        if self.is_cut.load(Ordering::SeqCst) {
            return;
        }
        let Ok(far) = TcpStream::connect_timeout(&to, Duration::from_secs(1)) else { return };
        let mut open = self.open.lock().unwrap();
        for (from, to, there) in [(&near, &far, true), (&far, &near, false)] {
            let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
            open.push(from.try_clone().unwrap());
            let line = Arc::clone(self);
            std::thread::spawn(move || line.copy(from, to, there));
        }
    }

    fn copy(&self, mut from: TcpStream, mut to: TcpStream, there: bool) {
        let mut buffer = [0; 16 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            while self.held[usize::from(there)].load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(10));
            }
            if self.is_cut.load(Ordering::SeqCst) {
                break;
            }
            self.carried.lock().unwrap().extend_from_slice(&buffer[..length]);
            if to.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }
}
