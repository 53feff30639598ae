//! Action names: compared without regard to case, and fast, because nearly every statement of
//! nearly every policy is dismissed by its action.

use crate::pattern::{Syntax, Template};

/// Room for the longest action names of AWS (about 90 bytes) without allocating.
const INLINE_BYTES: usize = 128;

/// The first eight bytes of a name, so that most patterns are dismissed by one comparison.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    bytes: u64,
    mask: u64,
}

impl Head {
    /// What every action begins with, for statements that an action cannot dismiss.
    pub(crate) const ANY: Self = Self { bytes: 0, mask: 0 };

    /// Whether an action may be taken by a pattern that begins so.
    pub(crate) fn may_match(self, action: &Action) -> bool {
        (action.head ^ self.bytes) & self.mask == 0
    }

    fn of(text: &str) -> Self {
        let mut bytes = [0_u8; 8];
        let mut mask = [0_u8; 8];
        for ((byte, mask), from) in bytes.iter_mut().zip(&mut mask).zip(text.bytes()) {
            *byte = from;
            *mask = u8::MAX;
        }
        Self { bytes: u64::from_ne_bytes(bytes), mask: u64::from_ne_bytes(mask) }
    }
}

/// The action of a request, in lower case.
pub(crate) struct Action {
    head: u64,
    inline: [u8; INLINE_BYTES],
    length: usize,
    /// Only for a name that does not fit inline.
    heap: Option<String>,
}

impl Action {
    pub(crate) fn new(name: &str) -> Self {
        let mut inline = [0_u8; INLINE_BYTES];
        let length = name.len();
        let heap = match inline.get_mut(..length) {
            Some(room) => {
                room.copy_from_slice(name.as_bytes());
                room.make_ascii_lowercase();
                None
            }
            None => Some(name.to_ascii_lowercase()),
        };
        let mut action = Self { head: 0, inline, length, heap };
        action.head = Head::of(action.name()).bytes;
        action
    }

    fn name(&self) -> &str {
        match &self.heap {
            Some(name) => name,
            // Lower-casing ASCII letters leaves UTF-8 valid, so the default is never taken.
            None => self
                .inline
                .get(..self.length)
                .and_then(|bytes| std::str::from_utf8(bytes).ok())
                .unwrap_or_default(),
        }
    }
}

/// One entry of `Action` or `NotAction`.
#[derive(Clone, Debug)]
pub(crate) struct ActionPattern {
    head: Head,
    template: Template,
    source: Box<str>,
}

impl ActionPattern {
    pub(crate) fn compile(text: &str) -> Self {
        let syntax = Syntax { wildcards: true, variables_from: None, segments_until: 0 };
        let template = Template::compile(&text.to_ascii_lowercase(), syntax);
        Self { head: Head::of(template.literal_prefix()), template, source: text.into() }
    }

    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    pub(crate) fn head(&self) -> Head {
        self.head
    }

    pub(crate) fn matches(&self, action: &Action) -> bool {
        self.head.may_match(action) && self.template.matches_plain(action.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, action: &str) -> bool {
        ActionPattern::compile(pattern).matches(&Action::new(action))
    }

    #[test]
    fn action_names_are_compared_without_regard_to_case() {
        assert!(matches("KMS:encrypt", "kms:Encrypt"));
        assert!(matches("iam:*AccessKey*", "IAM:CreateAccessKey"));
        assert!(!matches("kms:Encrypt", "kms:EncryptX"));
        assert!(!matches("kms:Encrypt", "kms:Encryp"));
    }

    #[test]
    fn short_names_and_names_longer_than_the_inline_room_are_compared_too() {
        assert!(matches("*", "a"));
        assert!(matches("a:b", "A:B"));
        let long = format!("s3:{}", "Get".repeat(100));
        assert!(matches("s3:get*", &long));
        assert!(matches(&long.to_uppercase(), &long));
        assert!(!matches("s3:put*", &long));
    }
}
