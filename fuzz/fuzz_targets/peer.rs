//! What peers say: any bytes are read or refused, what is read keeps the limits and is written again
//! as it was read; cards too.
//!
//! Input: byte 0 chooses the message.
#![no_main]

use haechi_peer::Card;
use haechi_peer::message::{
    KeyReport, KeyState, MESSAGE_BYTES_MAX, Message, SecretReport, SecretState, parse, write,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| match data {
    [] => {}
    [0, body @ ..] => {
        if let Some(state) = message::<KeyState>(body) {
            assert_eq!(state.digest().map(|digest| digest.len()), Ok(64));
        }
    }
    [1, body @ ..] => drop(message::<KeyReport>(body)),
    [2, body @ ..] => drop(message::<SecretState>(body)),
    [3, body @ ..] => drop(message::<SecretReport>(body)),
    [_, text @ ..] => card(&String::from_utf8_lossy(text)),
});

fn message<M: Message + PartialEq + std::fmt::Debug>(body: &[u8]) -> Option<M> {
    let message: M = parse(body).ok()?;
    assert!(message.is_within_limits());
    if let Ok(again) = write(&message)
        && again.len() <= MESSAGE_BYTES_MAX
    {
        assert_eq!(parse::<M>(&again).as_ref(), Ok(&message));
    }
    Some(message)
}

fn card(text: &str) {
    if let Ok(card) = Card::parse(text) {
        let again = card.text().and_then(|text| Card::parse(&text));
        assert_eq!(again.map(|card| card.fingerprint()), Ok(card.fingerprint()));
    }
}
