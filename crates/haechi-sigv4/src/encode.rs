//! The spellings that signing prescribes: percent-encoding (RFC 3986) and lower-case hex.

/// Bytes that AWS never encodes: RFC 3986's unreserved characters.
const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

const fn hex_digit(nibble: u8, ten: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { ten + nibble - 10 }
}

const fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

fn push_byte(out: &mut Vec<u8>, byte: u8) {
    if is_unreserved(byte) {
        out.push(byte);
    } else {
        out.extend_from_slice(&[b'%', hex_digit(byte >> 4, b'A'), hex_digit(byte & 15, b'A')]);
    }
}

/// The two lower-case digits of each byte.
static HEX: [[u8; 2]; 256] = {
    let mut table = [[0; 2]; 256];
    let mut rest = table.as_mut_slice();
    let mut byte = 0;
    while let [pair, after @ ..] = rest {
        *pair = [hex_digit(byte >> 4, b'a'), hex_digit(byte & 15, b'a')];
        byte = byte.wrapping_add(1);
        rest = after;
    }
    table
};

/// Appends a SHA-256 in lower-case hex.
pub(crate) fn push_hex(out: &mut Vec<u8>, hash: &[u8; 32]) {
    let mut hex = [[0; 2]; 32];
    for (pair, byte) in hex.iter_mut().zip(hash) {
        *pair = HEX.get(usize::from(*byte)).copied().unwrap_or_default();
    }
    out.extend_from_slice(hex.as_flattened());
}

/// Reads 64 lower-case hex digits.
pub(crate) fn parse_sha256_hex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || text.bytes().any(|b| b.is_ascii_uppercase()) {
        return None;
    }
    let mut hash = [0; 32];
    for (byte, pair) in hash.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = hex_value(*high)? << 4 | hex_value(*low)?;
    }
    Some(hash)
}

/// Appends `text` percent-encoded; a `%` is data and becomes `%25`.
pub(crate) fn push_encoded(out: &mut Vec<u8>, text: &[u8]) {
    for byte in text {
        push_byte(out, *byte);
    }
}

/// Appends a path of which `%` is data (it was encoded once already), keeping its slashes.
pub(crate) fn push_path_encoded_again(out: &mut Vec<u8>, path: &[u8]) {
    for byte in path {
        if *byte == b'/' { out.push(b'/') } else { push_byte(out, *byte) }
    }
}

/// Appends a path that may be encoded already, in the one canonical spelling: `%2d` becomes `-`,
/// `%2f` becomes `%2F`, a raw `ሴ` becomes `%E1%88%B4`; slashes stay.
pub(crate) fn push_path_encoded_once(out: &mut Vec<u8>, path: &[u8]) {
    push_respelled(out, path, |out, byte| match byte {
        b'/' => out.push(b'/'),
        _ => push_byte(out, byte),
    });
}

/// Appends a query name or value in the one canonical spelling; `+` is a space.
pub(crate) fn push_query(out: &mut Vec<u8>, text: &[u8]) {
    push_respelled(out, text, |out, byte| match byte {
        b'+' => out.extend_from_slice(b"%20"),
        _ => push_byte(out, byte),
    });
}

/// Walks `text`; `%XX` is one encoded byte, all else goes to `push_raw`. A `%` without two hex
/// digits is itself a raw byte.
fn push_respelled(out: &mut Vec<u8>, text: &[u8], push_raw: impl Fn(&mut Vec<u8>, u8)) {
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if let (b'%', [high, low, tail @ ..]) = (*first, after)
            && let (Some(high), Some(low)) = (hex_value(*high), hex_value(*low))
        {
            push_byte(out, high << 4 | low);
            rest = tail;
        } else {
            push_raw(out, *first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn respell(push: fn(&mut Vec<u8>, &[u8]), text: &str) -> String {
        let mut out = Vec::new();
        push(&mut out, text.as_bytes());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn all_spellings_of_a_query_value_become_one() {
        assert_eq!(respell(push_query, "a b"), "a%20b");
        assert_eq!(respell(push_query, "a+b"), "a%20b");
        assert_eq!(respell(push_query, "a%20b"), "a%20b");
        assert_eq!(respell(push_query, "%2b%2D%7e/"), "%2B-~%2F");
        assert_eq!(respell(push_query, "100%"), "100%25");
        assert_eq!(respell(push_query, "%zz%4"), "%25zz%254");
    }

    #[test]
    fn a_path_keeps_its_slashes_and_its_encoded_slashes() {
        assert_eq!(respell(push_path_encoded_once, "/a%2fb/c+d/ሴ"), "/a%2Fb/c%2Bd/%E1%88%B4");
        assert_eq!(respell(push_path_encoded_again, "/a%2fb/@"), "/a%252fb/%40");
    }

    #[test]
    fn hex_round_trips_and_refuses_upper_case() {
        let hash: [u8; 32] = std::array::from_fn(|index| (index * 8 + 7) as u8);
        let mut hex = Vec::new();
        push_hex(&mut hex, &hash);
        let hex = String::from_utf8(hex).unwrap();
        assert_eq!(parse_sha256_hex(&hex), Some(hash));
        assert_eq!(parse_sha256_hex(&hex.to_uppercase()), None);
        assert_eq!(parse_sha256_hex(&hex[1..]), None);
    }
}
