//! Secrets that somebody types, or a program pipes in: never shown, never left in a buffer.

use std::os::fd::AsFd;

use haechi_crypto::SecretVec;
use rustix::termios::{LocalModes, OptionalActions, isatty, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::Failure;

/// Bytes of a line, at most. The buffer never grows, so it leaves no copy behind.
const LINE_BYTES_MAX: usize = 4096;

/// The next line of standard input. On a terminal the prompt is shown and the typing is not.
///
/// # Errors
/// If standard input ends before there is one, or the line is too long.
pub fn secret_line(prompt: &str) -> Result<SecretVec, Failure> {
    let input = rustix::stdio::stdin();
    if !isatty(input) {
        return line(input)?.ok_or_else(|| format!("{prompt}: standard input has ended").into());
    }
    let shown = tcgetattr(input)?;
    let mut hidden = shown.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    hidden.local_modes.insert(LocalModes::ECHONL);
    eprint!("{prompt}: ");
    tcsetattr(input, OptionalActions::Flush, &hidden)?;
    let typed = line(input);
    tcsetattr(input, OptionalActions::Now, &shown)?;
    typed?.ok_or_else(|| "nothing was typed".into())
}

/// A line that is no secret, after a question.
///
/// # Errors
/// As [`secret_line`].
pub fn answer(question: &str) -> Result<String, Failure> {
    eprint!("{question} ");
    let typed = line(rustix::stdio::stdin())?.ok_or("standard input has ended")?;
    Ok(String::from_utf8_lossy(typed.expose()).trim().to_owned())
}

/// One byte at a time: what follows the line belongs to somebody else.
fn line(input: impl AsFd) -> Result<Option<SecretVec>, Failure> {
    let mut line = Zeroizing::new(Vec::with_capacity(LINE_BYTES_MAX));
    let mut byte = Zeroizing::new([0; 1]);
    loop {
        let read = rustix::io::retry_on_intr(|| rustix::io::read(&input, &mut byte[..]))?;
        if read == 0 && line.is_empty() {
            return Ok(None);
        }
        if read == 0 || *byte == *b"\n" {
            let text = line.strip_suffix(b"\r").unwrap_or(&line);
            return Ok(Some(SecretVec::copy_from(text)));
        }
        if line.len() == LINE_BYTES_MAX {
            return Err(format!("a line of more than {LINE_BYTES_MAX} bytes").into());
        }
        line.extend_from_slice(&*byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_taken_one_by_one_and_the_last_needs_no_end() {
        let (input, output) = std::io::pipe().unwrap();
        rustix::io::write(&output, b"first\r\n\nlast").unwrap();
        drop(output);
        for expected in ["first", "", "last"] {
            assert_eq!(line(&input).unwrap().unwrap().expose(), expected.as_bytes());
        }
        assert!(line(&input).unwrap().is_none());
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let (input, output) = std::io::pipe().unwrap();
        rustix::io::write(&output, &[b'x'; LINE_BYTES_MAX + 1]).unwrap();
        assert!(line(&input).is_err());
    }
}
