//! How values that travel as text look, for the documents that describe the API: a pattern and an example each.

use std::borrow::Cow;

use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{RefOr, schema::SchemaType};
use utoipa::{PartialSchema, ToSchema};

macro_rules! text {
    ($name:ident, $what:literal, $pattern:literal, $example:expr) => {
        #[doc = $what]
        #[derive(Clone, Copy, Debug)]
        pub enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let object = ObjectBuilder::new()
                    .schema_type(SchemaType::new(Type::String))
                    .description(Some($what))
                    .pattern(Some($pattern))
                    .examples([$example]);
                RefOr::T(Schema::Object(object.build()))
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    };
}

text!(
    HexAddress,
    "An account or contract: 20 bytes in hexadecimal.",
    "^0x[0-9a-fA-F]{40}$",
    "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
);
text!(
    Hex32,
    "A hash, key or nullifier: 32 bytes in hexadecimal.",
    "^0x[0-9a-fA-F]{64}$",
    "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
);
text!(HexBytes, "Bytes in hexadecimal.", "^0x([0-9a-fA-F]{2})*$", "0x00ff");
text!(HexNumber, "A number below 2^256: 0x and hexadecimal digits.", "^0x[0-9a-fA-F]{1,64}$", "0x2a");
text!(Decimal, "An amount in the smallest unit, in decimal digits.", "^[0-9]{1,39}$", "1250000");
text!(
    CidText,
    "A CIDv1, raw, SHA-256, in base 32.",
    "^b[a-z2-7]{58}$",
    "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
);

/// All of them by name: a document whose parameters alone name one has it too.
#[must_use]
pub fn all() -> Vec<(Cow<'static, str>, RefOr<Schema>)> {
    fn one<T: ToSchema>() -> (Cow<'static, str>, RefOr<Schema>) {
        (T::name(), T::schema())
    }
    vec![one::<HexAddress>(), one::<Hex32>(), one::<HexBytes>(), one::<HexNumber>(), one::<Decimal>(), one::<CidText>()]
}
