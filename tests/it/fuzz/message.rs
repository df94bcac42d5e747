//! Messages of any shape, and bytes that were good once.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};

use crate::noninterference::Dice;

/// What texts are drawn from.
pub struct Words(Vec<String>);

impl Words {
    /// These, and what programs stumble over.
    pub fn of(marks: Vec<&str>, tokens: Vec<String>) -> Self {
        let odd = [
            "",
            " ",
            "x",
            "\0",
            "\u{202e}abc",
            "नमस्ते",
            "👩‍👧",
            "NULL",
            "'; --",
            "../../etc",
            "%s%n",
            "-1",
            "1e309",
            "KL-TVM",
            "Asia/Kolkata",
            "Asia/Nowhere",
            "2026-02-30",
            "FREQ=DAILY;COUNT=999999999",
            "FREQ=SECONDLY",
            "FREQ=WEEKLY;BYDAY=TU;COUNT=2",
            "00000000-0000-0000-0000-000000000000",
            "ffffffff-ffff-ffff-ffff-ffffffffffff",
            "101/2025",
            "PCL_5",
            "STANDARD",
            "ml",
        ];
        let mut all: Vec<String> = odd.into_iter().map(str::to_owned).collect();
        all.extend(["a".repeat(201), "ß".repeat(10_000)]);
        all.extend(marks.into_iter().map(str::to_owned));
        all.extend(tokens);
        Self(all)
    }
}

/// A message whose fields are set or not, nested so deep at most.
pub fn message(dice: &Dice, words: &Words, of: &MessageDescriptor, depth: usize) -> DynamicMessage {
    let mut message = DynamicMessage::new(of.clone());
    for field in of.fields() {
        if dice.below(3) == 0 || (depth == 0 && matches!(field.kind(), Kind::Message(_))) {
            continue;
        }
        if field.is_map() {
            continue;
        }
        if field.is_list() {
            let count = *dice.one(&[0, 1, 1, 2, 3, 7, 201]);
            let values = (0..count).map(|_| value(dice, words, &field, depth)).collect();
            message.set_field(&field, Value::List(values));
        } else {
            message.set_field(&field, value(dice, words, &field, depth));
        }
    }
    message
}

fn value(dice: &Dice, words: &Words, field: &FieldDescriptor, depth: usize) -> Value {
    match field.kind() {
        Kind::Bool => Value::Bool(dice.below(2) == 0),
        Kind::String => Value::String(dice.one(&words.0).clone()),
        Kind::Bytes => Value::Bytes(dice.one(&words.0).clone().into_bytes().into()),
        Kind::Enum(of) => {
            let known: Vec<i32> = of.values().map(|value| value.number()).collect();
            Value::EnumNumber(if dice.below(8) == 0 { 99 } else { *dice.one(&known) })
        }
        Kind::Message(of) => match of.full_name() {
            // Now and then an instant of the year in which the tests live.
            "google.protobuf.Timestamp" if dice.below(2) == 0 => {
                let mut at = DynamicMessage::new(of);
                at.set_field_by_name("seconds", Value::I64(1_795_406_400 + 900 * dice.below(4_000) as i64));
                Value::Message(at)
            }
            "google.protobuf.Duration" if dice.below(2) == 0 => {
                let mut length = DynamicMessage::new(of);
                length.set_field_by_name("seconds", Value::I64(900 * dice.below(12) as i64));
                Value::Message(length)
            }
            _ => Value::Message(message(dice, words, &of, depth.saturating_sub(1))),
        },
        Kind::Double => Value::F64(*dice.one(&[0.0, -1.0, f64::NAN, f64::INFINITY])),
        Kind::Float => Value::F32(*dice.one(&[0.0, -1.0, f32::NAN])),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
            Value::I32(*dice.one(&[0, 1, -1, 2, 7, 12, 28, 31, 60, 500, 2026, i32::MAX, i32::MIN]))
        }
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
            Value::I64(*dice.one(&[0, 1, -1, 3_600, 253_402_300_800, -62_135_596_801, i64::MAX, i64::MIN]))
        }
        Kind::Uint32 | Kind::Fixed32 => Value::U32(*dice.one(&[0, 1, u32::MAX])),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(*dice.one(&[0, 1, u64::MAX])),
    }
}

/// Bytes changed, cut, doubled or put elsewhere, in a few places.
pub fn torn(dice: &Dice, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=dice.below(3) {
        let at = dice.below(bytes.len() + 1);
        let until = (at + dice.below(40)).min(bytes.len());
        match dice.below(5) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..until)),
            2 => bytes.insert(at, *dice.one(&[0, 1, b'"', b',', b'\n', b';', 0x7f, 0x80, 0xff])),
            3 => {
                let again = bytes[at..until].to_vec();
                bytes.extend(again);
            }
            _ if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            _ => {}
        }
    }
    bytes
}
