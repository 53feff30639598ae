//! CIDR blocks of IPv4 and IPv6.

use std::net::IpAddr;

use crate::PatternError;

/// A block of addresses.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    /// Reads `10.0.0.0/24`, `2001:db8::/32`.
    ///
    /// # Errors
    /// If it is not an address, one slash and a number of bits that the address has.
    pub fn parse(text: &str) -> Result<Network, PatternError> {
        let Some((address, bits)) = text.split_once('/').filter(|(_, bits)| !bits.contains('/'))
        else {
            return Err(PatternError::new("Malformed CIDR, one '/' required"));
        };
        let bits: u32 = bits
            .parse()
            .map_err(|_| PatternError::new("Malformed CIDR, mask bits must be an integer"))?;
        let address: IpAddr = address
            .parse()
            .map_err(|_| PatternError::new(format!("Nonstandard IP address: {address}")))?;
        if bits > width(address) {
            let reason = format!("IPv{} mask bits must be <= {}", version(address), width(address));
            return Err(PatternError::new(reason));
        }
        Ok(Network { address, bits })
    }

    /// Whether `text` is an address in the block.
    pub fn contains(&self, text: &str) -> bool {
        let Ok(address) = text.parse::<IpAddr>() else { return false };
        width(address) == width(self.address)
            && prefix(address, self.bits) == prefix(self.address, self.bits)
    }
}

fn version(address: IpAddr) -> u8 {
    if address.is_ipv4() { 4 } else { 6 }
}

/// Bits of an address.
fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The first `bits` bits.
fn prefix(address: IpAddr, bits: u32) -> u128 {
    let number = match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    };
    number.checked_shr(width(address) - bits).unwrap_or(0)
}
