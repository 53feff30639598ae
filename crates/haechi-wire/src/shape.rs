//! Shapes: Rust types that can be read from and written to any protocol.

use std::collections::BTreeMap;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::schema::Schema;
use crate::{Decoder, Malformed, Timestamp, Writer};

/// A value of a service model.
pub trait Shape: Sized {
    /// Reads it, reporting breaches of `schema` to the decoder.
    ///
    /// # Errors
    /// If the body is not of this shape at all.
    fn read(decoder: &mut Decoder<'_>, schema: &'static Schema) -> Result<Self, Malformed>;

    /// Writes it.
    fn write(&self, writer: &mut dyn Writer, schema: &'static Schema);

    /// How a validation message shows it; secrets show nothing, and structures by another way.
    fn describe(&self) -> String {
        String::new()
    }
}

/// Bytes that are no secret.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Blob(pub Vec<u8>);

/// Bytes that are a secret: zeroed when dropped, never printed.
#[derive(Clone, Default, Zeroize)]
pub struct SecretBlob(pub Vec<u8>);

impl Drop for SecretBlob {
    /// As fast as memory is written; `zeroize` goes byte by byte.
    fn drop(&mut self) {
        self.0.fill(0);
        // The optimiser must not take the write for useless: it cannot know what this reads.
        std::hint::black_box(&mut self.0);
    }
}

impl AsRef<[u8]> for SecretBlob {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Text that is a secret: zeroed when dropped, never printed.
#[derive(Clone, Default, Zeroize, ZeroizeOnDrop)]
pub struct SecretString(pub String);

impl Shape for String {
    fn read(decoder: &mut Decoder<'_>, schema: &'static Schema) -> Result<Self, Malformed> {
        let value = decoder.reader().string()?.into_owned();
        decoder.check_string(schema, &value);
        Ok(value)
    }
    fn write(&self, writer: &mut dyn Writer, schema: &'static Schema) {
        writer.string(self, schema);
    }
    fn describe(&self) -> String {
        self.clone()
    }
}

impl Shape for SecretString {
    fn read(decoder: &mut Decoder<'_>, schema: &'static Schema) -> Result<Self, Malformed> {
        let value = SecretString(decoder.reader().string()?.into_owned());
        decoder.check_string(schema, &value.0);
        Ok(value)
    }
    fn write(&self, writer: &mut dyn Writer, schema: &'static Schema) {
        writer.string(&self.0, schema);
    }
}

impl Shape for Blob {
    fn read(decoder: &mut Decoder<'_>, schema: &'static Schema) -> Result<Self, Malformed> {
        let value = decoder.reader().blob()?;
        decoder.check_blob(schema, value.len());
        Ok(Blob(value))
    }
    fn write(&self, writer: &mut dyn Writer, schema: &'static Schema) {
        writer.blob(&self.0, schema);
    }
}

impl Shape for SecretBlob {
    fn read(decoder: &mut Decoder<'_>, schema: &'static Schema) -> Result<Self, Malformed> {
        let value = SecretBlob(decoder.reader().blob()?);
        decoder.check_blob(schema, value.0.len());
        Ok(value)
    }
    fn write(&self, writer: &mut dyn Writer, schema: &'static Schema) {
        writer.blob(&self.0, schema);
    }
}

impl Shape for bool {
    fn read(decoder: &mut Decoder<'_>, _: &'static Schema) -> Result<Self, Malformed> {
        decoder.reader().boolean()
    }
    fn write(&self, writer: &mut dyn Writer, _: &'static Schema) {
        writer.boolean(*self);
    }
    fn describe(&self) -> String {
        self.to_string()
    }
}

impl Shape for i32 {
    fn read(decoder: &mut Decoder<'_>, schema: &'static Schema) -> Result<Self, Malformed> {
        let value = decoder.reader().integer()?;
        decoder.check_number(schema, value);
        i32::try_from(value)
            .map_err(|_| Malformed(format!("Value {value} does not fit a 32-bit integer")))
    }
    fn write(&self, writer: &mut dyn Writer, _: &'static Schema) {
        writer.integer(i64::from(*self));
    }
    fn describe(&self) -> String {
        self.to_string()
    }
}

impl Shape for i64 {
    fn read(decoder: &mut Decoder<'_>, schema: &'static Schema) -> Result<Self, Malformed> {
        let value = decoder.reader().integer()?;
        decoder.check_number(schema, value);
        Ok(value)
    }
    fn write(&self, writer: &mut dyn Writer, _: &'static Schema) {
        writer.integer(*self);
    }
    fn describe(&self) -> String {
        self.to_string()
    }
}

impl Shape for f64 {
    fn read(decoder: &mut Decoder<'_>, _: &'static Schema) -> Result<Self, Malformed> {
        decoder.reader().double()
    }
    fn write(&self, writer: &mut dyn Writer, _: &'static Schema) {
        writer.double(*self);
    }
    fn describe(&self) -> String {
        self.to_string()
    }
}

impl Shape for Timestamp {
    fn read(decoder: &mut Decoder<'_>, _: &'static Schema) -> Result<Self, Malformed> {
        decoder.reader().timestamp()
    }
    fn write(&self, writer: &mut dyn Writer, _: &'static Schema) {
        writer.timestamp(*self);
    }
    fn describe(&self) -> String {
        self.iso8601()
    }
}

impl<T: Shape> Shape for Vec<T> {
    fn read(decoder: &mut Decoder<'_>, schema: &'static Schema) -> Result<Self, Malformed> {
        decoder.list(schema)
    }
    fn write(&self, writer: &mut dyn Writer, schema: &'static Schema) {
        let crate::schema::Kind::List(item) = schema.kind else { return };
        writer.begin_list(item);
        for value in self {
            writer.item();
            value.write(writer, item.schema);
        }
        writer.end_list();
    }
}

impl<V: Shape> Shape for BTreeMap<String, V> {
    fn read(decoder: &mut Decoder<'_>, schema: &'static Schema) -> Result<Self, Malformed> {
        decoder.map(schema)
    }
    fn write(&self, writer: &mut dyn Writer, schema: &'static Schema) {
        let crate::schema::Kind::Map { value: value_schema, .. } = schema.kind else { return };
        writer.begin_map();
        for (key, value) in self {
            writer.key(key);
            value.write(writer, value_schema);
        }
        writer.end_map();
    }
}

impl<T: Shape> Shape for Box<T> {
    fn read(decoder: &mut Decoder<'_>, schema: &'static Schema) -> Result<Self, Malformed> {
        T::read(decoder, schema).map(Box::new)
    }
    fn write(&self, writer: &mut dyn Writer, schema: &'static Schema) {
        T::write(self, writer, schema);
    }
}

/// The input or output of an operation that has none.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unit;

impl Shape for Unit {
    fn read(decoder: &mut Decoder<'_>, _: &'static Schema) -> Result<Self, Malformed> {
        decoder.reader().begin_structure()?;
        while decoder.reader().next_member(&[])?.is_some() {}
        Ok(Unit)
    }
    fn write(&self, writer: &mut dyn Writer, _: &'static Schema) {
        writer.begin_structure();
        writer.end_structure();
    }
}
