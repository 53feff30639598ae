//! The macros that generated models are written in.

/// A [`Pattern`](crate::schema::Pattern) with a place of its own to be compiled into.
#[macro_export]
macro_rules! pattern {
    ($text:literal) => {{
        static PATTERN: $crate::schema::Pattern = $crate::schema::Pattern::new($text);
        &PATTERN
    }};
}

/// Declares a structure: the Rust type, its [`Schema`](crate::Schema) and its
/// [`Shape`](crate::Shape), from one list of members.
///
/// ```ignore
/// structure! { pub struct Tag as TAG "Tag" {
///     required tag_key: String = member("TagKey", &TAG_KEY_TYPE),
///     optional tag_value: String = member("TagValue", &TAG_VALUE_TYPE),
/// } }
/// ```
#[macro_export]
macro_rules! structure {
    (pub struct $type:ident as $schema:ident $name:literal {
        $( $presence:ident $field:ident : $value:ty = $member:expr ),* $(,)?
    }) => {
        #[derive(Clone, Default)]
        pub struct $type { $( pub $field: $crate::structure!(@type $presence $value) ),* }

        pub static $schema: $crate::Schema =
            $crate::schema::structure_of($name, &[ $( $crate::structure!(@member $presence $member) ),* ]);

        impl $crate::Shape for $type {
            #[allow(unused_mut, unused_variables, unused_assignments, clippy::all,
                reason = "a structure may have no members")]
            fn read(
                decoder: &mut $crate::Decoder<'_>,
                schema: &'static $crate::Schema,
            ) -> Result<Self, $crate::Malformed> {
                decoder.reader().begin_structure()?;
                $( let mut $field: Option<$value> = None; )*
                let members = schema.members();
                while let Some(index) = decoder.reader().next_member(members)? {
                    let Some(member) = members.get(index) else { break };
                    let mut position = 0_usize;
                    $(
                        if index == position {
                            decoder.member(member, &mut $field)?;
                        }
                        position += 1;
                    )*
                }
                let mut declared = members.iter();
                Ok($type { $(
                    $field: $crate::structure!(@finish $presence decoder, declared, $field)
                ),* })
            }

            #[allow(unused_variables, unused_mut, reason = "a structure may have no members")]
            fn write(&self, writer: &mut dyn $crate::Writer, schema: &'static $crate::Schema) {
                writer.begin_structure();
                let mut declared = schema.members().iter();
                $( if let Some(member) = declared.next() {
                    $crate::structure!(@write $presence writer, member, self.$field);
                } )*
                writer.end_structure();
            }
        }
    };
    (@type required $value:ty) => { $value };
    (@type optional $value:ty) => { Option<$value> };
    (@member required $member:expr) => { $member.required() };
    (@member optional $member:expr) => { $member };
    (@finish required $decoder:ident, $declared:ident, $field:ident) => {
        match $declared.next() {
            Some(member) => $decoder.required(member, $field),
            None => $field.unwrap_or_default(),
        }
    };
    (@finish optional $decoder:ident, $declared:ident, $field:ident) => {{
        $declared.next();
        $field
    }};
    (@write required $writer:ident, $member:ident, $value:expr) => {
        $writer.member($member);
        $crate::Shape::write(&$value, $writer, $member.schema);
    };
    (@write optional $writer:ident, $member:ident, $value:expr) => {
        if let Some(value) = &$value {
            $writer.member($member);
            $crate::Shape::write(value, $writer, $member.schema);
        }
    };
}

/// Declares an enumeration: the Rust type, its [`Schema`](crate::Schema) and its
/// [`Shape`](crate::Shape). Values stand in the order in which AWS's error messages list them.
///
/// ```ignore
/// enumeration! { pub enum KeyState as KEY_STATE "KeyState" { Enabled = "Enabled", Disabled = "Disabled" } }
/// ```
#[macro_export]
macro_rules! enumeration {
    (pub enum $type:ident as $schema:ident $name:literal {
        $first:ident = $first_text:literal $(, $variant:ident = $text:literal )* $(,)?
    }) => {
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $type { #[default] $first $(, $variant )* }

        pub static $schema: $crate::Schema =
            $crate::schema::one_of($name, &[$first_text $(, $text)*]);

        impl $type {
            /// As it stands on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $type::$first => $first_text $(, $type::$variant => $text)* }
            }

            /// From how it stands on the wire.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $first_text => Some($type::$first) $(, $text => Some($type::$variant))*, _ => None }
            }
        }

        impl $crate::Shape for $type {
            fn read(
                decoder: &mut $crate::Decoder<'_>,
                schema: &'static $crate::Schema,
            ) -> Result<Self, $crate::Malformed> {
                let text = decoder.reader().string()?.into_owned();
                Ok($type::parse(&text).unwrap_or_else(|| {
                    decoder.check_enumeration(schema, &text);
                    $type::default()
                }))
            }
            fn write(&self, writer: &mut dyn $crate::Writer, schema: &'static $crate::Schema) {
                writer.string(self.as_str(), schema);
            }
            fn describe(&self) -> String {
                self.as_str().to_owned()
            }
        }
    };
}

/// Declares a service's error type: one variant for each modelled error, each holding its message
/// and, where the model gives the error further members, their texts in order; and `Fault` for what
/// any service may answer. A text that is empty is left out of the answer. The message's member is
/// `message`, unless another name stands behind `|`.
///
/// ```ignore
/// errors! { pub enum Error {
///     NotFoundException = ("NotFoundException", 400),
///     InvalidInputException = ("InvalidInputException", 400, reason: "Reason"),
///     QueueDoesNotExist = ("QueueDoesNotExist", 400; "AWS.SimpleQueueService.NonExistentQueue"),
///     ServiceException = ("ServiceException", 500 | "Message", r#type: "Type"),
/// } }
/// ```
#[macro_export]
macro_rules! errors {
    (@text $member:literal) => { String };
    ($visibility:vis enum $type:ident {
        $( $variant:ident = (
            $code:literal, $status:literal $(; $query:literal)? $(| $message:literal)?
            $(, $field:ident : $member:literal)*
        ) ),*
        $(,)?
    }) => {
        #[derive(Debug)]
        $visibility enum $type {
            $( $variant(String $(, $crate::errors!(@text $member))*), )*
            Fault($crate::Fault)
        }

        impl From<$crate::Fault> for $type {
            fn from(fault: $crate::Fault) -> Self { $type::Fault(fault) }
        }

        impl From<$type> for $crate::Problem {
            fn from(error: $type) -> Self {
                match error {
                    $( $type::$variant(message $(, $field)*) => {
                        $crate::Problem::modelled($code, $status, message)
                            $( .with_query_code($query) )?
                            $( .with_message_member($message) )?
                            $( .with($member, $field) )*
                    } )*
                    $type::Fault(fault) => $crate::Problem::Fault(fault),
                }
            }
        }
    };
}
