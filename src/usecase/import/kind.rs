//! What all kinds of things that have a file have in common.

use uuid::Uuid;

use super::cells::Cells;
use super::known::{Known, Target};
use super::problem::Problem;
use super::sheet::{Line, Shape};
use crate::store::noun::Keyed;
use crate::usecase::error::FieldViolation;
use crate::usecase::noun::Managed;
use crate::usecase::world::World;

/// A kind of thing that has a file.
pub trait Kind: Managed + Keyed {
    /// What its file looks like.
    const SHAPE: &'static Shape;
    /// The columns that say which thing a row is about.
    const KEY: &'static [&'static str];
    /// The columns that refer to other things; an organisation first.
    const REFERENCES: &'static [(&'static str, Target)];
    /// As what other rows refer to it, if they do.
    const TARGET: Option<Target>;

    /// What a row says. Nothing when one of its cells is wrong.
    fn read(cells: &mut Cells<'_>, known: &Known) -> Option<Self>;

    /// Within what its code is unique, and the code.
    fn place(&self) -> (Uuid, &str);

    /// Gives a new one what only the world can.
    fn begin(&mut self, _world: &World) {}

    /// Takes over from the stored row what the files do not say.
    fn complete(&mut self, _before: &Self, _known: &Known) {}

    /// Where a fault stands that a use case found in it.
    fn pin(&self, line: &Line, fault: &FieldViolation, _known: &Known) -> Problem {
        line.problem(column_of(&fault.field), &fault.says)
    }

    /// The columns in which it differs from the stored row.
    fn changes(&self, before: &Self) -> Vec<&'static str>;
}

/// The column that gives a field of a use case: `site.holiday_calendar_id` is `holiday_calendar`.
pub fn column_of(field: &str) -> &str {
    let name = field.split_once('.').map_or(field, |(_, name)| name);
    name.strip_suffix("_id").unwrap_or(name)
}

/// The columns whose fields differ.
macro_rules! changes {
    ($after:expr, $before:expr; $($field:ident => $column:literal),* $(,)?) => {{
        let (after, before) = ($after, $before);
        [$((after.$field != before.$field).then_some($column)),*].into_iter().flatten().collect()
    }};
}
pub(super) use changes;
