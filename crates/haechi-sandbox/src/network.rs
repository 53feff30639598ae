//! A new network: its loopback is brought up, addresses are added to it, and listened on.
//!
//! Messages of rtnetlink(7), written by hand: two kinds are all that is needed.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};

use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType};

/// The index of `lo` in every network.
const LOOPBACK: u32 = 1;

const RTM_NEWLINK: u16 = 16;
const RTM_NEWADDR: u16 = 20;
const NLM_F_REQUEST: u16 = 1;
const NLM_F_ACK: u16 = 4;
const NLMSG_ERROR: u16 = 2;
const IFF_UP: u32 = 1;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;

/// Brings the loopback up, with the addresses that are to be listened on.
pub fn bring_up(listen: &[SocketAddr]) -> std::io::Result<()> {
    let mut link = vec![0, 0, 0, 0];
    link.extend(LOOPBACK.to_ne_bytes());
    link.extend(IFF_UP.to_ne_bytes());
    link.extend(IFF_UP.to_ne_bytes());
    request(RTM_NEWLINK, &link)?;
    let mut added: Vec<IpAddr> = Vec::new();
    for address in listen.iter().map(SocketAddr::ip) {
        if address.is_loopback() || address.is_unspecified() || added.contains(&address) {
            continue;
        }
        let bytes = match address {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        let (family, prefix): (u8, u8) = if address.is_ipv4() { (2, 32) } else { (10, 128) };
        let mut message = vec![family, prefix, 0, 0];
        message.extend(LOOPBACK.to_ne_bytes());
        for kind in [IFA_LOCAL, IFA_ADDRESS] {
            let length = u16::try_from(bytes.len() + 4).map_err(std::io::Error::other)?;
            message.extend(length.to_ne_bytes());
            message.extend(kind.to_ne_bytes());
            message.extend(&bytes);
        }
        request(RTM_NEWADDR, &message)?;
        added.push(address);
    }
    Ok(())
}

/// Listens: for the Runtime API on a port that is free, and on what is asked for.
pub fn listen(wanted: &[SocketAddr]) -> std::io::Result<Vec<TcpListener>> {
    // Those that are asked for first: the free port is none of them.
    let mut listeners = Vec::with_capacity(wanted.len() + 1);
    for address in wanted {
        listeners.push(TcpListener::bind(address).map_err(|error| {
            std::io::Error::new(error.kind(), format!("listening on {address}: {error}"))
        })?);
    }
    listeners.insert(0, TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?);
    Ok(listeners)
}

/// Asks the kernel, and waits until it has done it.
fn request(kind: u16, body: &[u8]) -> std::io::Result<()> {
    let socket = rustix::net::socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        None,
    )?;
    let length = u32::try_from(16 + body.len()).map_err(std::io::Error::other)?;
    let mut message = length.to_ne_bytes().to_vec();
    message.extend(kind.to_ne_bytes());
    message.extend((NLM_F_REQUEST | NLM_F_ACK).to_ne_bytes());
    message.extend([1, 0, 0, 0, 0, 0, 0, 0]);
    message.extend(body);
    rustix::net::send(&socket, &message, SendFlags::empty())?;
    let mut answer = [0_u8; 1024];
    let (received, _) =
        rustix::net::recv(&socket, answer.as_mut_slice(), rustix::net::RecvFlags::empty())?;
    let kind = answer.get(4..6).filter(|_| received >= 20);
    let error = answer.get(16..20).and_then(|bytes| bytes.try_into().ok());
    match (kind, error.map(i32::from_ne_bytes)) {
        (Some(kind), Some(0)) if kind == NLMSG_ERROR.to_ne_bytes() => Ok(()),
        (Some(kind), Some(error)) if kind == NLMSG_ERROR.to_ne_bytes() => {
            Err(std::io::Error::from_raw_os_error(-error))
        }
        _ => Err(std::io::Error::other("rtnetlink answered something else")),
    }
}
