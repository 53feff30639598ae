//! Hexadecimal digits, for test vectors only.

/// Bytes of a hexadecimal text; blanks are ignored.
pub(crate) fn decode(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| u8::try_from(c.to_digit(16).expect("a hexadecimal digit")).unwrap())
        .collect();
    assert!(digits.len().is_multiple_of(2), "half a byte");
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// Bytes of a hexadecimal text as an array.
pub(crate) fn array<const N: usize>(text: &str) -> [u8; N] {
    decode(text).try_into().expect("a text of the right length")
}
