//! Messages as JSON, by their descriptors, so that no field is ever forgotten: names and enums as in the `.proto` files,
//! instants as RFC 3339, spans of time in seconds, 64-bit numbers and bytes as the JSON mapping of Protocol Buffers has
//! them. What a message leaves out is left out.

use std::collections::HashMap;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat};
use prost::Message;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, Duration, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorSet, Timestamp};
use serde_json::{Map, Value};

use crate::grpc::pb;

/// Every type, by its full name.
#[derive(Default)]
struct Types {
    messages: HashMap<String, DescriptorProto>,
    enums: HashMap<String, EnumDescriptorProto>,
}

static TYPES: LazyLock<Types> = LazyLock::new(|| {
    let mut types = Types::default();
    let files = FileDescriptorSet::decode(pb::DESCRIPTORS).unwrap_or_default();
    for file in files.file {
        let package = file.package.unwrap_or_default();
        file.enum_type.into_iter().for_each(|it| types.add_enum(&package, it));
        file.message_type.into_iter().for_each(|it| types.add(&package, it));
    }
    types
});

impl Types {
    fn add(&mut self, within: &str, it: DescriptorProto) {
        let name = format!("{within}.{}", it.name());
        it.enum_type.iter().for_each(|inner| self.add_enum(&name, inner.clone()));
        it.nested_type.iter().for_each(|inner| self.add(&name, inner.clone()));
        self.messages.insert(name, it);
    }

    fn add_enum(&mut self, within: &str, it: EnumDescriptorProto) {
        self.enums.insert(format!("{within}.{}", it.name()), it);
    }
}

/// An encoded message of a type as JSON. What no descriptor knows is left out.
pub fn to_json(name: &str, bytes: &[u8]) -> Value {
    match name {
        "google.protobuf.Timestamp" => instant(bytes),
        "google.protobuf.Duration" => {
            Duration::decode(bytes).map_or(Value::Null, |it| Value::from(format!("{}s", it.seconds)))
        }
        _ => TYPES.messages.get(name).map_or(Value::Null, |it| object(it, bytes)),
    }
}

fn instant(bytes: &[u8]) -> Value {
    let at = Timestamp::decode(bytes).ok();
    let at = at.and_then(|it| DateTime::from_timestamp(it.seconds, u32::try_from(it.nanos).ok()?));
    at.map_or(Value::Null, |at| Value::from(at.to_rfc3339_opts(SecondsFormat::AutoSi, true)))
}

fn object(of: &DescriptorProto, mut bytes: &[u8]) -> Value {
    let mut object = Map::new();
    while let Some((number, value)) = field(&mut bytes) {
        let Some(known) = of.field.iter().find(|it| it.number() == number) else { continue };
        let values = match value {
            // Numbers of a list are written together.
            Raw::Bytes(packed) if is_list(known) && !is_delimited(known) => unpacked(known, packed),
            value => vec![json_of(known, &value)],
        };
        if is_list(known) {
            if let Value::Array(all) = object.entry(known.name()).or_insert_with(|| Value::Array(Vec::new())) {
                all.extend(values);
            }
        } else if let Some(value) = values.into_iter().last() {
            object.insert(known.name().to_owned(), value);
        }
    }
    Value::Object(object)
}

fn is_list(it: &FieldDescriptorProto) -> bool {
    it.label() == Label::Repeated
}

fn is_delimited(it: &FieldDescriptorProto) -> bool {
    matches!(it.r#type(), Type::String | Type::Bytes | Type::Message | Type::Group)
}

/// A value as it stands on the wire.
enum Raw<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The next field; none at the end, and where nobody can read on.
fn field<'a>(bytes: &mut &'a [u8]) -> Option<(i32, Raw<'a>)> {
    let key = varint(bytes)?;
    let number = i32::try_from(key >> 3).ok()?;
    let value = match key & 7 {
        0 => Raw::Number(varint(bytes)?),
        1 => Raw::Number(u64::from_le_bytes(take(bytes, 8)?.try_into().ok()?)),
        2 => {
            let length = usize::try_from(varint(bytes)?).ok()?;
            Raw::Bytes(take(bytes, length)?)
        }
        5 => Raw::Number(u32::from_le_bytes(take(bytes, 4)?.try_into().ok()?).into()),
        _ => return None,
    };
    Some((number, value))
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    prost::encoding::decode_varint(bytes).ok()
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

fn unpacked(of: &FieldDescriptorProto, mut bytes: &[u8]) -> Vec<Value> {
    let next = || match of.r#type() {
        Type::Double | Type::Fixed64 | Type::Sfixed64 => {
            Some(u64::from_le_bytes(take(&mut bytes, 8)?.try_into().ok()?))
        }
        Type::Float | Type::Fixed32 | Type::Sfixed32 => {
            Some(u32::from_le_bytes(take(&mut bytes, 4)?.try_into().ok()?).into())
        }
        _ => varint(&mut bytes),
    };
    std::iter::from_fn(next).map(|number| json_of(of, &Raw::Number(number))).collect()
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "the wire writes every number as 64 bits"
)]
fn json_of(of: &FieldDescriptorProto, value: &Raw<'_>) -> Value {
    let type_name = of.type_name().trim_start_matches('.');
    match (of.r#type(), value) {
        (Type::Message, Raw::Bytes(bytes)) => to_json(type_name, bytes),
        (Type::String, Raw::Bytes(bytes)) => Value::from(String::from_utf8_lossy(bytes)),
        (_, Raw::Bytes(bytes)) => Value::from(STANDARD.encode(bytes)),
        (Type::Enum, Raw::Number(number)) => word(type_name, *number as i32),
        (Type::Bool, Raw::Number(number)) => Value::from(*number != 0),
        (Type::Double, Raw::Number(number)) => Value::from(f64::from_bits(*number)),
        (Type::Float, Raw::Number(number)) => Value::from(f32::from_bits(*number as u32)),
        (Type::Int32 | Type::Sfixed32, Raw::Number(number)) => Value::from(*number as i32),
        (Type::Int64 | Type::Sfixed64, Raw::Number(number)) => Value::from((*number as i64).to_string()),
        (Type::Uint64 | Type::Fixed64, Raw::Number(number)) => Value::from(number.to_string()),
        (Type::Sint32 | Type::Sint64, Raw::Number(number)) => {
            Value::from((number >> 1) as i64 ^ -((number & 1) as i64))
        }
        (_, Raw::Number(number)) => Value::from(*number),
    }
}

fn word(name: &str, number: i32) -> Value {
    let values = TYPES.enums.get(name).map(|it| it.value.as_slice()).unwrap_or_default();
    values.iter().find(|it| it.number() == number).map_or(Value::from(number), |it| Value::from(it.name()))
}
