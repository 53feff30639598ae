//! What a deployment hands to the operators of others. Nothing in it is secret; that it is genuine
//! they make sure of by comparing its fingerprint, over the telephone for instance.

use std::collections::BTreeSet;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use haechi_crypto::TransportPublicKey;
use serde::{Deserialize, Serialize};

/// The longest card, in bytes.
pub const CARD_BYTES_MAX: usize = 16 * 1024;
/// Regions on a card, at most.
pub const REGIONS_MAX: usize = 64;
const TEXT_BYTES_MAX: usize = 256;
const FORMAT: u32 = 1;

/// A text that is no card, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is no card of a deployment: {0}")]
pub struct CardError(String);

/// A deployment, as others know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// The format; 1.
    format: u32,
    /// What people call it.
    pub name: String,
    /// Its id: 32 hexadecimal digits, which it never changes.
    pub id: String,
    /// The Regions that it serves.
    pub regions: BTreeSet<String>,
    /// Where it listens for peers: host and port.
    pub endpoint: String,
    /// Where it serves the APIs: callers who ask elsewhere are told so.
    pub api: String,
    /// Its certificate, DER in base64.
    certificate: String,
    /// Its transport key, in base64.
    transport_key: String,
}

/// What a card is made of.
pub struct Parts<'a> {
    /// What people call it.
    pub name: &'a str,
    /// Its id.
    pub id: &'a str,
    /// The Regions that it serves.
    pub regions: &'a BTreeSet<String>,
    /// Where it listens for peers.
    pub endpoint: &'a str,
    /// Where it serves the APIs.
    pub api: &'a str,
}

impl Card {
    /// A deployment's own.
    ///
    /// # Errors
    /// If a part is nothing that others would take.
    pub fn new(
        parts: Parts<'_>,
        certificate: &[u8],
        transport_key: &TransportPublicKey,
    ) -> Result<Card, CardError> {
        let card = Card {
            format: FORMAT,
            name: parts.name.to_owned(),
            id: parts.id.to_owned(),
            regions: parts.regions.clone(),
            endpoint: parts.endpoint.to_owned(),
            api: parts.api.to_owned(),
            certificate: STANDARD.encode(certificate),
            transport_key: STANDARD.encode(transport_key.as_bytes()),
        };
        card.checked()
    }

    /// Reads a card.
    ///
    /// # Errors
    /// If it is none.
    pub fn parse(text: &str) -> Result<Card, CardError> {
        if text.len() > CARD_BYTES_MAX {
            return Err(CardError(format!("it is longer than {CARD_BYTES_MAX} bytes")));
        }
        let card: Card =
            serde_json::from_str(text).map_err(|error| CardError(error.to_string()))?;
        card.checked()
    }

    /// As it is handed over: a line of JSON.
    ///
    /// # Errors
    /// Never for a card that was checked.
    pub fn text(&self) -> Result<String, CardError> {
        serde_json::to_string(self).map_err(|error| CardError(error.to_string()))
    }

    /// Whether another card is of the same deployment: with the same id and the same keys.
    pub fn is_of_same_deployment(&self, other: &Card) -> bool {
        (&self.id, &self.certificate, &self.transport_key)
            == (&other.id, &other.certificate, &other.transport_key)
    }

    /// What people compare: SHA-256 of all that the card says, in groups of four digits. Whoever
    /// changes a Region or an address on the way is noticed as one who changes a key.
    pub fn fingerprint(&self) -> String {
        let Card { format, name, id, regions, endpoint, api, certificate, transport_key } = self;
        let mut all = format!("haechi card {format}\n");
        let regions = regions.iter().map(String::as_str).collect::<Vec<_>>().join(",");
        for part in [name, id, &regions, endpoint, api, certificate, transport_key] {
            all.push_str(&format!("{}:{part}\n", part.len()));
        }
        let digest = digest::digest(&digest::SHA256, all.as_bytes());
        let digits: Vec<String> =
            digest.as_ref().chunks(2).map(|pair| pair.iter().map(hex).collect()).collect();
        digits.join("-")
    }

    /// The certificate.
    ///
    /// # Errors
    /// Never for a card that was checked.
    pub fn certificate(&self) -> Result<Vec<u8>, CardError> {
        let wrong = |_| CardError("its certificate is not base64".to_owned());
        STANDARD.decode(&self.certificate).map_err(wrong)
    }

    /// The transport key.
    ///
    /// # Errors
    /// Never for a card that was checked.
    pub fn transport_key(&self) -> Result<TransportPublicKey, CardError> {
        let bytes = STANDARD.decode(&self.transport_key).ok();
        bytes
            .and_then(|bytes| TransportPublicKey::from_bytes(&bytes))
            .ok_or_else(|| CardError("its transport key is none".to_owned()))
    }

    fn checked(self) -> Result<Card, CardError> {
        let wrong = |why: &str| Err(CardError(why.to_owned()));
        let plain = |text: &str| {
            !text.is_empty()
                && text.len() <= TEXT_BYTES_MAX
                && text.bytes().all(|byte| byte.is_ascii_graphic())
        };
        if self.format != FORMAT {
            return wrong("its format is of another version of haechi");
        }
        if !plain(&self.name) || self.name.contains('/') {
            return wrong("a name has letters, digits and signs, and no space or slash");
        }
        if self.id.len() != 32 || !self.id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return wrong("an id has 32 hexadecimal digits");
        }
        if self.regions.is_empty() || self.regions.len() > REGIONS_MAX {
            return wrong("it serves no Region, or too many: say which in [regions] local");
        }
        if !self.regions.iter().all(|region| is_region(region)) {
            return wrong("one of its Regions is none");
        }
        let port = self.endpoint.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        if !plain(&self.endpoint) || port.is_none() {
            return wrong("its endpoint is no host:port");
        }
        if !plain(&self.api) {
            return wrong("its API endpoint is no URL");
        }
        self.certificate()?;
        self.transport_key()?;
        Ok(self)
    }
}

/// `eu-west-1` and its like, as far as it matters here.
pub(crate) fn is_region(text: &str) -> bool {
    (4..=32).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn hex(byte: &u8) -> String {
    format!("{byte:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(regions: &[&str], endpoint: &str) -> Result<Card, CardError> {
        let key = haechi_crypto::TransportKey::generate().unwrap();
        let regions = regions.iter().map(|region| (*region).to_owned()).collect();
        let id = "0123456789abcdef0123456789abcdef";
        let parts = Parts { name: "a", id, regions: &regions, endpoint, api: "https://a:1" };
        Card::new(parts, b"certificate", key.public())
    }

    #[test]
    fn a_card_is_read_as_it_was_written() {
        let card = card(&["eu-west-1"], "a.example:4568").unwrap();
        let again = Card::parse(&card.text().unwrap()).unwrap();
        assert_eq!(again, card);
        assert_eq!(again.fingerprint(), card.fingerprint());
        assert_eq!(card.fingerprint().len(), 16 * 4 + 15);
    }

    #[test]
    fn whatever_is_changed_on_a_card_changes_its_fingerprint() {
        let card = card(&["eu-west-1"], "a.example:4568").unwrap();
        let text = card.text().unwrap();
        for (was, becomes) in [
            ("[\"eu-west-1\"]", "[\"eu-west-1\",\"us-east-1\"]"),
            ("a.example:4568", "b.example:4568"),
            ("\"name\":\"a\"", "\"name\":\"b\""),
        ] {
            let changed = text.replace(was, becomes);
            assert_ne!(changed, text, "{was} is on the card");
            let changed = Card::parse(&changed).unwrap();
            assert_ne!(changed.fingerprint(), card.fingerprint(), "{becomes}");
            assert!(changed.is_of_same_deployment(&card));
        }
    }

    #[test]
    fn what_is_no_card_is_refused() {
        assert!(card(&[], "a:1").is_err());
        assert!(card(&["EU"], "a:1").is_err());
        assert!(card(&["eu-west-1"], "a").is_err());
        assert!(card(&["eu-west-1"], "a:65536").is_err());
        assert!(Card::parse("{}").is_err());
        let text = card(&["eu-west-1"], "a:1").unwrap().text().unwrap();
        assert!(Card::parse(&text.replace("\"format\":1", "\"format\":2")).is_err());
        assert!(Card::parse(&text.replace("\"name\":\"a\"", "\"name\":\"a\",\"x\":1")).is_err());
        assert!(Card::parse(&format!("{text}{}", " ".repeat(CARD_BYTES_MAX))).is_err());
    }
}
