//! Addresses and CIDR blocks of the IP address operators.

use std::net::IpAddr;

/// A block of addresses; a single address is the block of its full length.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Network {
    v6: bool,
    address: u128,
    mask: u128,
}

impl Network {
    /// Reads an address or a CIDR block, whose host bits do not count.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let (v6, number) = number(address);
        let width = if v6 { 128 } else { 32 };
        let length = match prefix {
            Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok()?,
            Some(_) => return None,
            None => width,
        };
        if length > width {
            return None;
        }
        // A shift by the whole width clears every bit.
        let mask = u128::MAX.checked_shl(width - length).unwrap_or(0);
        Some(Self { v6, address: number & mask, mask })
    }

    /// Whether the block has an address of its own family.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        let (v6, number) = number(address);
        v6 == self.v6 && number & self.mask == self.address
    }
}

fn number(address: IpAddr) -> (bool, u128) {
    match address {
        IpAddr::V4(address) => (false, u128::from(address.to_bits())),
        IpAddr::V6(address) => (true, address.to_bits()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(network: &str, address: &str) -> bool {
        Network::parse(network).unwrap().contains(address.parse().unwrap())
    }

    #[test]
    fn a_block_has_the_addresses_under_its_prefix_and_of_its_family() {
        assert!(contains("203.0.113.0/24", "203.0.113.255"));
        assert!(!contains("203.0.113.0/24", "203.0.114.0"));
        assert!(contains("203.0.113.7/24", "203.0.113.1"));
        assert!(contains("10.0.0.1", "10.0.0.1"));
        assert!(!contains("10.0.0.1", "10.0.0.2"));
        assert!(contains("0.0.0.0/0", "255.255.255.255"));
        assert!(!contains("0.0.0.0/0", "::1"));
        assert!(contains("2001:DB8:1234:5678::/64", "2001:db8:1234:5678::1"));
        assert!(!contains("2001:DB8:1234:5678::/64", "2001:db8:1234:5679::1"));
        assert!(contains("::/0", "ffff::"));
    }

    #[test]
    fn what_is_no_block_is_refused() {
        for text in ["", "10.0.0", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/+8", "a/8"] {
            assert!(Network::parse(text).is_none(), "{text}");
        }
    }
}
