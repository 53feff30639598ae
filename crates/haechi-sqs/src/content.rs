//! What a message says: in its row where it is short, else in rows of its own.
//!
//! A message is written again whenever it is handed out, and a transaction holds a megabyte: a long
//! body must not move with it. Its pieces are written before the message, and lie by the time when
//! it was sent, so that what a crash left behind is found by its age.

use std::collections::BTreeMap;

use haechi_core::database::Unknown;
use haechi_core::{Batch, Record};
use haechi_wire::Fault;
use serde::{Deserialize, Serialize};

use crate::Sqs;
use crate::store::{Attribute, MessageRecord, Place};

/// Bytes of body and attributes that stand in the message's own row.
const INLINE_MAX: usize = 64 * 1024;

/// Bytes of a piece.
const PIECE_BYTES: usize = 512 * 1024;

/// A piece of a long message.
#[derive(Serialize, Deserialize)]
pub(crate) struct PieceRecord {
    pub(crate) sent_ms: i64,
    text: String,
    #[serde(flatten)]
    unknown: Unknown,
}

impl Record for PieceRecord {}

#[derive(Serialize, Deserialize)]
struct Content {
    body: String,
    attributes: BTreeMap<String, Attribute>,
}

/// Bytes of a body and its attributes, as AWS counts them.
pub(crate) fn size(body: &str, attributes: &BTreeMap<String, Attribute>) -> usize {
    let of_attribute = |(name, attribute): (&String, &Attribute)| {
        let value = attribute.text.as_ref().map_or(0, String::len)
            + attribute.binary.as_ref().map_or(0, Vec::len);
        name.len() + attribute.data_type.len() + value
    };
    body.len() + attributes.iter().map(of_attribute).sum::<usize>()
}

impl Sqs {
    /// Writes the pieces of a long message, which then holds none of it itself.
    pub(crate) async fn store_content(
        &self,
        place: &Place,
        message: &mut MessageRecord,
    ) -> Result<(), Fault> {
        if size(&message.body, &message.attributes) <= INLINE_MAX {
            return Ok(());
        }
        let (body, attributes) =
            (std::mem::take(&mut message.body), std::mem::take(&mut message.attributes));
        let text = serde_json::to_string(&Content { body, attributes }).map_err(Fault::internal)?;
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rest.floor_char_boundary(PIECE_BYTES));
            let record = PieceRecord {
                sent_ms: message.sent_ms,
                text: piece.to_owned(),
                unknown: Unknown::new(),
            };
            let mut batch = Batch::new();
            batch.create(place.piece(message, message.pieces), &record);
            self.database.commit(batch).await?;
            message.pieces += 1;
            rest = after;
        }
        Ok(())
    }

    /// Fills in what a long message says.
    pub(crate) async fn load_content(
        &self,
        place: &Place,
        message: &mut MessageRecord,
    ) -> Result<(), Fault> {
        if message.pieces == 0 {
            return Ok(());
        }
        let mut text = String::new();
        for number in 0..message.pieces {
            let path = place.piece(message, number);
            let piece = self.database.load::<PieceRecord>(&path).await?;
            let piece = piece.ok_or_else(|| Fault::internal("a piece of a message is missing"))?;
            text.push_str(&piece.value.text);
        }
        let content: Content = serde_json::from_str(&text).map_err(Fault::internal)?;
        (message.body, message.attributes) = (content.body, content.attributes);
        Ok(())
    }
}

/// Removes the pieces of a message; answers how many there were.
pub(crate) fn remove_content(batch: &mut Batch, place: &Place, message: &MessageRecord) -> usize {
    for number in 0..message.pieces {
        batch.delete(place.piece(message, number));
    }
    usize::try_from(message.pieces).unwrap_or(0)
}
