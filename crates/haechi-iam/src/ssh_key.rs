//! RSA public keys in the two forms that IAM takes: OpenSSH's line (RFC 4253, 6.6), and PEM of
//! SubjectPublicKeyInfo (RFC 5280, 4.1).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use haechi_iam_model::Error;
use md5::{Digest, Md5};
use x509_parser::pem::parse_x509_pem;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

const ALGORITHM: &[u8] = b"ssh-rsa";

/// Bits of a key, at least.
const BITS_MIN: usize = 2048;

/// `rsaEncryption` with its parameters, in DER.
const RSA_ENCRYPTION: &[u8] =
    &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// An RSA public key; both numbers in the bytes that they need.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SshKey {
    exponent: Vec<u8>,
    modulus: Vec<u8>,
}

fn invalid(message: &str) -> Error {
    Error::InvalidPublicKeyException(message.to_owned())
}

impl SshKey {
    /// Reads a key in either form.
    ///
    /// # Errors
    /// In AWS's codes: another encoding, or no RSA key of enough bits.
    pub(crate) fn parse(text: &str) -> Result<SshKey, Error> {
        let text = text.trim();
        let malformed = || invalid("Invalid public key uploaded.");
        let key = if let Some(rest) = text.strip_prefix("ssh-rsa ") {
            let encoded = rest.split_whitespace().next().unwrap_or_default();
            let blob = STANDARD.decode(encoded).map_err(|_| malformed())?;
            SshKey::from_wire(&blob)
        } else if text.starts_with("-----BEGIN PUBLIC KEY-----") {
            SshKey::from_pem(text)
        } else {
            let message = "The public key must be encoded in ssh-rsa format or PEM format.";
            return Err(Error::UnrecognizedPublicKeyEncodingException(message.to_owned()));
        };
        let key = key.ok_or_else(malformed)?;
        let top = key.modulus.first().map_or(0, |byte| byte.leading_zeros() as usize);
        if key.modulus.len() * 8 - top < BITS_MIN || key.exponent.is_empty() {
            return Err(invalid("Invalid body for public key"));
        }
        Ok(key)
    }

    fn from_wire(blob: &[u8]) -> Option<SshKey> {
        let (algorithm, rest) = field(blob)?;
        let (exponent, rest) = field(rest)?;
        let (modulus, rest) = field(rest)?;
        let whole = algorithm == ALGORITHM && rest.is_empty();
        whole.then(|| SshKey { exponent: number(exponent), modulus: number(modulus) })
    }

    fn from_pem(text: &str) -> Option<SshKey> {
        let (_, pem) = parse_x509_pem(text.as_bytes()).ok()?;
        let (rest, info) = SubjectPublicKeyInfo::from_der(&pem.contents).ok()?;
        let PublicKey::RSA(key) = info.parsed().ok()? else { return None };
        let read = SshKey { exponent: number(key.exponent), modulus: number(key.modulus) };
        rest.is_empty().then_some(read)
    }

    /// As SSH's messages carry it.
    fn wire(&self) -> Vec<u8> {
        let mut blob = Vec::new();
        for part in [ALGORITHM, &signed(&self.exponent), &signed(&self.modulus)] {
            blob.extend(u32::try_from(part.len()).unwrap_or_default().to_be_bytes());
            blob.extend_from_slice(part);
        }
        blob
    }

    /// MD5 of the key, as AWS shows it: pairs of digits with colons between.
    pub(crate) fn fingerprint(&self) -> String {
        let digest = Md5::digest(self.wire());
        let pairs: Vec<String> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        pairs.join(":")
    }

    /// OpenSSH's line, without a comment.
    pub(crate) fn ssh(&self) -> String {
        format!("ssh-rsa {}", STANDARD.encode(self.wire()))
    }

    /// PEM, in lines of 64 characters.
    pub(crate) fn pem(&self) -> String {
        let numbers = [der(0x02, &signed(&self.modulus)), der(0x02, &signed(&self.exponent))];
        let mut bits = vec![0];
        bits.extend(der(0x30, &numbers.concat()));
        let info = der(0x30, &[RSA_ENCRYPTION, &der(0x03, &bits)].concat());
        let encoded = STANDARD.encode(info);
        let mut text = String::from("-----BEGIN PUBLIC KEY-----\n");
        for (at, character) in encoded.chars().enumerate() {
            if at > 0 && at % 64 == 0 {
                text.push('\n');
            }
            text.push(character);
        }
        text.push_str("\n-----END PUBLIC KEY-----\n");
        text
    }
}

/// A length of four bytes, and as many bytes.
fn field(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

/// Without zeros before it.
fn number(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().skip_while(|byte| *byte == 0).collect()
}

/// With a zero before it where the sign would be.
fn signed(bytes: &[u8]) -> Vec<u8> {
    let is_negative = bytes.first().is_some_and(|byte| *byte >= 0x80);
    let mut signed = if is_negative { vec![0] } else { Vec::new() };
    signed.extend_from_slice(bytes);
    signed
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match u8::try_from(content.len()) {
        Ok(length) if length < 0x80 => out.push(length),
        _ => {
            let length = number(&content.len().to_be_bytes());
            out.push(0x80 | u8::try_from(length.len()).unwrap_or_default());
            out.extend(length);
        }
    }
    out.extend_from_slice(content);
    out
}

#[cfg(test)]
mod tests {
    use haechi_wire::{Problem, Protocol};

    use super::*;

    // Made by ssh-keygen, as are the fingerprint and the PEM.
    const SSH: &str = concat!(
        "ssh-rsa ",
        "AAAAB3NzaC1yc2EAAAADAQABAAABAQDQY7GMndItdGAzJ+JGQOAsHZwWOwQzAj0OXrRQc/3BYDax",
        "esaJAOGsUiD9bdtoYfORk3Iw0siOdwkCiqlUiJ/WgEcCoBkhIr4mljvXG3dHzaEpt9Itom+kdsw8",
        "IDQWRJrWzVnBHyCzv+OEnQ1HdfF9O7nENUt5wm2sCpTaFzIO0pGJTRP7g78A6T7KEe0wo3nANFlP",
        "0Vi8ukZpGs4l0SyZsS9P3BUcO/3KQQlewKzu+CnwC8Mc1ub7vtj8NGJEzschpF09UsGuujQnlzP/",
        "U5pstZIsAOkA/lBQ2GSCJ1+xaTzRUeW77mEL4C2lL6riaABpbYRrK9ToLn7OuRe3WpRZ",
    );
    const PEM: &str = "\
-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA0GOxjJ3SLXRgMyfiRkDg
LB2cFjsEMwI9Dl60UHP9wWA2sXrGiQDhrFIg/W3baGHzkZNyMNLIjncJAoqpVIif
1oBHAqAZISK+JpY71xt3R82hKbfSLaJvpHbMPCA0FkSa1s1ZwR8gs7/jhJ0NR3Xx
fTu5xDVLecJtrAqU2hcyDtKRiU0T+4O/AOk+yhHtMKN5wDRZT9FYvLpGaRrOJdEs
mbEvT9wVHDv9ykEJXsCs7vgp8AvDHNbm+77Y/DRiRM7HIaRdPVLBrro0J5cz/1Oa
bLWSLADpAP5QUNhkgidfsWk80VHlu+5hC+AtpS+q4mgAaW2EayvU6C5+zrkXt1qU
WQIDAQAB
-----END PUBLIC KEY-----
";
    const FINGERPRINT: &str = "f2:a1:e8:b8:7c:83:87:a6:53:71:f8:01:0a:e5:28:84";

    #[test]
    fn a_key_reads_in_both_forms_and_shows_in_both() {
        let key = SshKey::parse(&format!("{SSH} alice@host")).ok().unwrap();
        assert_eq!(key.fingerprint(), FINGERPRINT);
        assert_eq!((key.ssh().as_str(), key.pem().as_str()), (SSH, PEM));
        assert_eq!(SshKey::parse(PEM).ok().unwrap(), key);
    }

    #[test]
    fn what_is_no_rsa_key_of_enough_bits_is_refused() {
        let code = |text: &str| {
            let error = SshKey::parse(text).err()?;
            Some(Problem::from(error).code(Protocol::Query))
        };
        let unknown = Some("UnrecognizedPublicKeyEncoding");
        assert_eq!(code("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA"), unknown);
        assert_eq!(code(""), unknown);
        let invalid = Some("InvalidPublicKey");
        for text in ["ssh-rsa", "ssh-rsa ", "ssh-rsa !", "ssh-rsa AAAA", &SSH[..200]] {
            assert!([invalid, unknown].contains(&code(text)), "{text}");
        }
        assert_eq!(code("-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----"), invalid);
    }
}
