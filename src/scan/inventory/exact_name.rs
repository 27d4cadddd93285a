//! A name in JSON without loss: text if it is UTF-8, else its bytes. For use with serde's `with`.

use std::fmt;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::Name;

struct Exact<N>(N);

impl Serialize for Exact<&Name> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(self.0.as_bytes()) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => serializer.collect_seq(self.0.as_bytes()),
        }
    }
}

impl<'de> Deserialize<'de> for Exact<Name> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Exact<Name>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name, or its bytes")
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Exact(Name::from(text)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut bytes = Vec::new();
                while let Some(byte) = seq.next_element::<u8>()? {
                    bytes.push(byte);
                }
                Ok(Exact(Name::from(bytes)))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

pub(super) fn serialize<S: Serializer>(name: &Name, serializer: S) -> Result<S::Ok, S::Error> {
    Exact(name).serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Name, D::Error> {
    Exact::deserialize(deserializer).map(|exact| exact.0)
}

/// The same for a name that there may be.
pub(super) mod option {
    use super::{Deserialize, Deserializer, Exact, Name, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "serde calls it with a reference to the field")]
    pub(in super::super) fn serialize<S: Serializer>(
        name: &Option<Name>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        name.as_ref().map(Exact).serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Name>, D::Error> {
        let exact = Option::<Exact<Name>>::deserialize(deserializer)?;
        Ok(exact.map(|exact| exact.0))
    }
}

/// The same for the names of many objects.
pub(super) mod lists {
    use super::{Deserialize, Deserializer, Exact, Name, Serializer};

    pub(in super::super) fn serialize<S: Serializer>(
        lists: &[Vec<Name>],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(lists.iter().map(|it| it.iter().map(Exact).collect::<Vec<_>>()))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Vec<Name>>, D::Error> {
        let lists = Vec::<Vec<Exact<Name>>>::deserialize(deserializer)?;
        Ok(lists.into_iter().map(|it| it.into_iter().map(|name| name.0).collect()).collect())
    }
}
