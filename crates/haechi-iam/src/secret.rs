//! Secrets that wipe themselves: stored as text, never printed.

use haechi_wire::SecretString;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A secret access key in a record. Has no `Debug`; its memory is zeroed when it is dropped.
#[derive(Clone)]
pub(crate) struct Secret(pub(crate) SecretString);

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.0)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Secret(SecretString(text)))
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use haechi_iam_model::shapes::{AccessKey, CreateAccessKeyResponse};

    use super::*;
    use crate::store::AccessKeyRecord;

    /// With `Debug`, a type has two ways to be `Printable`, and naming one does not compile.
    trait Printable<Way> {
        fn is_not() {}
    }
    struct Debugged;
    impl<T: ?Sized> Printable<()> for T {}
    impl<T: ?Sized + Debug> Printable<Debugged> for T {}

    #[test]
    fn what_holds_a_secret_cannot_be_printed_for_debugging() {
        <SecretString as Printable<_>>::is_not();
        <Secret as Printable<_>>::is_not();
        <AccessKeyRecord as Printable<_>>::is_not();
        <AccessKey as Printable<_>>::is_not();
        <CreateAccessKeyResponse as Printable<_>>::is_not();
        <haechi_core::Credential as Printable<_>>::is_not();
    }
}
