//! Buffers that answers are written into. An answer may hold a plaintext key, and a `Vec` that
//! grows by itself leaves what it held behind in freed memory; these wipe it.

use zeroize::Zeroize;

/// Makes room for `more` bytes.
#[inline]
pub(crate) fn reserve(out: &mut Vec<u8>, more: usize) {
    let needed = out.len() + more;
    if needed > out.capacity() {
        grow(out, needed);
    }
}

#[cold]
fn grow(out: &mut Vec<u8>, needed: usize) {
    let mut larger = Vec::with_capacity(needed.max(out.capacity() * 2));
    larger.extend_from_slice(out);
    out.zeroize();
    *out = larger;
}

/// Appends `bytes`.
pub(crate) fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    reserve(out, bytes.len());
    out.extend_from_slice(bytes);
}

/// Appends one byte.
pub(crate) fn put_byte(out: &mut Vec<u8>, byte: u8) {
    reserve(out, 1);
    out.push(byte);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_there_in_order_however_often_the_buffer_grows() {
        let mut out = Vec::new();
        for index in 0..1000_u32 {
            put(&mut out, &index.to_be_bytes());
            put_byte(&mut out, b',');
        }
        assert_eq!(out.len(), 5000);
        assert!(out.chunks(5).zip(0_u32..).all(|(chunk, index)| chunk[..4] == index.to_be_bytes()));
    }
}
