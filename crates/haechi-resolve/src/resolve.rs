//! A text with references, to the text with their values.

use std::collections::BTreeMap;
use std::error::Error;

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::{InvalidReference, Reference};

const BEGIN: &str = "{{resolve:";
const END: &str = "}}";

/// Where values come from.
#[async_trait]
pub trait Source: Send + Sync {
    /// The value of a parameter, decrypted if it is `secure`.
    ///
    /// # Errors
    /// If it cannot be read, or is of the other kind.
    async fn parameter(
        &self,
        name: &str,
        version: Option<u64>,
        secure: bool,
    ) -> Result<Zeroizing<String>, Box<dyn Error + Send + Sync>>;

    /// The text of a secret.
    ///
    /// # Errors
    /// If it cannot be read, or is no text.
    async fn secret(
        &self,
        secret_id: &str,
        version_stage: Option<&str>,
        version_id: Option<&str>,
    ) -> Result<Zeroizing<String>, Box<dyn Error + Send + Sync>>;
}

/// Why a text cannot be resolved. No message holds a value.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// It holds something that is no reference.
    #[error(transparent)]
    Invalid(#[from] InvalidReference),
    /// A value could not be had.
    #[error("{name} cannot be read: {source}")]
    Source {
        /// The parameter or the secret.
        name: String,
        /// What its source says.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// A secret that is to have a member, and has not.
    #[error("the secret {name} is no JSON object with text or a number under {key}")]
    Key {
        /// The secret.
        name: String,
        /// The member that is not there.
        key: String,
    },
}

/// A piece of a text.
enum Piece<'a> {
    Text(&'a str),
    Reference(Reference),
}

fn pieces(text: &str) -> Result<Vec<Piece<'_>>, InvalidReference> {
    let (mut pieces, mut rest) = (Vec::new(), text);
    while let Some((before, after)) = rest.split_once(BEGIN) {
        let Some((inner, behind)) = after.split_once(END) else {
            return Err(InvalidReference::Open(text.len() - BEGIN.len() - after.len()));
        };
        pieces.push(Piece::Text(before));
        pieces.push(Piece::Reference(Reference::parse(inner)?));
        rest = behind;
    }
    pieces.push(Piece::Text(rest));
    Ok(pieces)
}

/// The references in a text, each once.
///
/// # Errors
/// If one of them is none.
pub fn references(text: &str) -> Result<Vec<Reference>, InvalidReference> {
    let mut found = Vec::new();
    for piece in pieces(text)? {
        if let Piece::Reference(reference) = piece
            && !found.contains(&reference)
        {
            found.push(reference);
        }
    }
    Ok(found)
}

/// The text with a value in place of each reference. A value is put in as it is: references in it
/// are not resolved. Each reference is asked for once.
///
/// # Errors
/// If a reference is none, or a value cannot be had.
pub async fn resolve(text: &str, source: &dyn Source) -> Result<Zeroizing<String>, ResolveError> {
    let pieces = pieces(text)?;
    let mut values: BTreeMap<&Reference, Zeroizing<String>> = BTreeMap::new();
    for piece in &pieces {
        if let Piece::Reference(reference) = piece
            && !values.contains_key(reference)
        {
            values.insert(reference, value(reference, source).await?);
        }
    }
    // As long as it will be: text that grows leaves copies of itself behind.
    let part = |piece: &Piece<'_>| match piece {
        Piece::Text(text) => text.len(),
        Piece::Reference(reference) => values.get(reference).map_or(0, |value| value.len()),
    };
    let mut out = Zeroizing::new(String::with_capacity(pieces.iter().map(part).sum()));
    for piece in &pieces {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Reference(reference) => {
                out.push_str(values.get(reference).map_or("", |value| value));
            }
        }
    }
    Ok(out)
}

async fn value(
    reference: &Reference,
    source: &dyn Source,
) -> Result<Zeroizing<String>, ResolveError> {
    let failed = |name: &str| {
        let name = name.to_owned();
        move |source| ResolveError::Source { name, source }
    };
    match reference {
        Reference::Parameter { name, version, secure } => {
            source.parameter(name, *version, *secure).await.map_err(failed(name))
        }
        Reference::Secret { secret_id, json_key, version_stage, version_id } => {
            let text = source.secret(secret_id, version_stage.as_deref(), version_id.as_deref());
            let text = text.await.map_err(failed(secret_id))?;
            match json_key {
                None => Ok(text),
                Some(key) => member(&text, key)
                    .ok_or_else(|| ResolveError::Key { name: secret_id.clone(), key: key.clone() }),
            }
        }
    }
}

fn member(text: &str, key: &str) -> Option<Zeroizing<String>> {
    let mut object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).ok()?;
    match object.remove(key)? {
        serde_json::Value::String(text) => Some(Zeroizing::new(text)),
        serde_json::Value::Number(number) => Some(Zeroizing::new(number.to_string())),
        serde_json::Value::Bool(value) => Some(Zeroizing::new(value.to_string())),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
