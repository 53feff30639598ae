//! Storage keys.
//!
//! `/<service>/<account>/<region>/<kind>/<id>`. Parts that the server made (accounts, UUIDs,
//! times) stand as they are and sort as they should. Names that a user chose may be secrets
//! themselves and stand as pseudonyms: [`Path::hidden`].

/// A storage key, or the prefix of some.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Path {
    /// The parts before the first hidden one, as they stand in the store, each with a slash behind
    /// it: mostly all of them, and every cached read makes a path.
    plain: String,
    /// The first hidden part, and what comes after it.
    rest: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Part {
    Plain(String),
    Hidden(String),
}

impl Path {
    /// Starts at a service (or another root of the key space).
    pub fn new(root: &str) -> Path {
        let mut plain = String::with_capacity(128);
        plain.push('/');
        Path { plain, rest: Vec::new() }.part(root)
    }

    /// Adds a part that may be read on disk.
    #[must_use]
    pub fn part(mut self, part: &str) -> Path {
        if self.rest.is_empty() {
            push_escaped(&mut self.plain, part);
            self.plain.push('/');
        } else {
            self.rest.push(Part::Plain(part.to_owned()));
        }
        self
    }

    /// Adds a name that a user chose; on disk it is a pseudonym.
    #[must_use]
    pub fn hidden(mut self, name: &str) -> Path {
        self.rest.push(Part::Hidden(name.to_owned()));
        self
    }

    /// The bytes in the store, if nothing of it is hidden.
    pub(crate) fn plain(&self) -> Option<&[u8]> {
        self.rest.is_empty().then_some(self.plain.as_bytes())
    }

    /// The bytes in the store. `pseudonym` maps (the path so far, a name) to what stands for it.
    /// A prefix's bytes are a prefix of its members' bytes.
    pub fn bytes(&self, pseudonym: impl Fn(&str, &str) -> [u8; 16]) -> Vec<u8> {
        let mut out = String::with_capacity(self.plain.len() + 40 * self.rest.len());
        out.push_str(&self.plain);
        if self.rest.is_empty() {
            return out.into_bytes();
        }
        // What a pseudonym is made in ends without a slash.
        out.pop();
        for part in &self.rest {
            match part {
                Part::Plain(text) => {
                    out.push('/');
                    push_escaped(&mut out, text);
                }
                Part::Hidden(name) => {
                    let hidden = pseudonym(&out, name);
                    out.push('/');
                    for byte in hidden {
                        for digit in [byte >> 4, byte & 15] {
                            out.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
                        }
                    }
                }
            }
        }
        out.push('/');
        out.into_bytes()
    }
}

/// Whether a byte stands for itself.
static PLAIN: [bool; 256] = {
    let mut table = [false; 256];
    let mut rest = table.as_mut_slice();
    let mut byte = 0_u8;
    while let [plain, after @ ..] = rest {
        *plain = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':');
        byte = byte.wrapping_add(1);
        rest = after;
    }
    table
};

/// Escapes what could be taken for a separator, so that parts cannot run into each other.
fn push_escaped(out: &mut String, text: &str) {
    let plain = |byte: u8| PLAIN.get(usize::from(byte)).copied().unwrap_or_default();
    if text.bytes().all(plain) {
        out.push_str(text);
        return;
    }
    for byte in text.bytes() {
        if plain(byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stand_in(_: &str, name: &str) -> [u8; 16] {
        let mut out = [0; 16];
        out[0] = u8::try_from(name.len()).unwrap();
        out
    }

    #[test]
    fn a_name_is_not_readable_and_separators_do_not_leak() {
        let path = Path::new("kms").part("1/2").hidden("alias/secret");
        assert_eq!(
            String::from_utf8(path.bytes(stand_in)).unwrap(),
            "/kms/1%2F2/0c000000000000000000000000000000/"
        );
    }

    #[test]
    fn what_comes_after_a_hidden_name_is_kept_in_order() {
        let path = Path::new("iam").hidden("ab").part("x y").hidden("c").part("z");
        let (two, one) = (format!("02{}", "0".repeat(30)), format!("01{}", "0".repeat(30)));
        let expected = format!("/iam/{two}/x%20y/{one}/z/");
        assert_eq!(String::from_utf8(path.bytes(stand_in)).unwrap(), expected);
    }

    #[test]
    fn a_prefix_is_a_prefix_of_its_members_and_of_no_sibling() {
        let (one, ten) = (Path::new("kms").part("1"), Path::new("kms").part("10"));
        let (prefix, member) = (one.bytes(stand_in), one.clone().part("k").bytes(stand_in));
        assert!(member.starts_with(&prefix));
        assert!(!ten.bytes(stand_in).starts_with(&prefix));
    }
}
