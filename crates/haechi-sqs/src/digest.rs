//! MD5 digests that SDKs compare: a check against damage on the way, of no use against forgery.
//!
//! Source: SQS Developer Guide, "Calculating the MD5 message digest for message attributes".

use std::collections::BTreeMap;
use std::fmt::Write as _;

use md5::{Digest as _, Md5};

use crate::store::Attribute;

fn hex(digest: Md5) -> String {
    digest.finalize().iter().fold(String::with_capacity(32), |mut out, byte| {
        // Writing to a string does not fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// The digest of a body.
pub(crate) fn of_body(body: &str) -> String {
    hex(Md5::new_with_prefix(body))
}

/// The digest of attributes, by name; `None` where there are none.
pub(crate) fn of_attributes<'a>(
    attributes: impl Iterator<Item = (&'a String, &'a Attribute)>,
) -> Option<String> {
    let attributes: BTreeMap<_, _> = attributes.collect();
    if attributes.is_empty() {
        return None;
    }
    let mut digest = Md5::new();
    for (name, attribute) in attributes {
        sized(&mut digest, name.as_bytes());
        sized(&mut digest, attribute.data_type.as_bytes());
        match (&attribute.text, &attribute.binary) {
            (Some(text), _) => {
                digest.update([1]);
                sized(&mut digest, text.as_bytes());
            }
            (None, binary) => {
                digest.update([2]);
                sized(&mut digest, binary.as_deref().unwrap_or_default());
            }
        }
    }
    Some(hex(digest))
}

/// Length in four bytes, then the bytes.
fn sized(digest: &mut Md5, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    digest.update(length.to_be_bytes());
    digest.update(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(data_type: &str, text: Option<&str>, binary: Option<&[u8]>) -> Attribute {
        let (text, binary) = (text.map(str::to_owned), binary.map(<[u8]>::to_vec));
        Attribute { data_type: data_type.to_owned(), text, binary }
    }

    #[track_caller]
    fn digest(attributes: &[(&str, Attribute)]) -> String {
        let attributes: BTreeMap<String, Attribute> =
            attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        of_attributes(attributes.iter()).unwrap()
    }

    #[test]
    fn digests_are_those_that_aws_answers() {
        assert_eq!(of_body("message-1"), "3d6b824fd8c1520e9a047d21fee6fb1f");
        let foobar = attribute("String", Some("foobar"), None);
        assert_eq!(digest(&[("MyAttribute", foobar)]), "adb59cd4678ea5a855436b949cd07ab6");
        let text = |text| attribute("String", Some(text), None);
        let three =
            [("General", text("Kenobi")), ("Help.Me", text("Me")), ("Hello", text("There"))];
        assert_eq!(digest(&three), "4c360f3fdafd970e05fae2f149d997f5");
        let trace = b"traceparent\x1e00-774062d6c37081a5a0b9b5b88e30627c-2d2482211f6489da-01";
        let binary = attribute("Binary", None, Some(trace));
        assert_eq!(digest(&[("attr1", binary)]), "8cbe4db156db8a94db8b801b7addb984");
    }
}
