//! What the wire does for every noun alike: create, update by mask, get, list.

use prost::Message;
use prost_types::FieldMask;
use uuid::Uuid;

use crate::domain::counsellor::Leave;
use crate::domain::ids::{Id, SessionId};
use crate::domain::noun::Record;
use crate::grpc::fields::Fields;
use crate::usecase::call::Call;
use crate::usecase::directory::DeleteLeave;
use crate::usecase::error::{Error, Result};
use crate::usecase::noun::{self, Create, Managed, Update, Written};
use crate::usecase::{World, mutate};

/// A noun that travels as a message.
pub trait Wire: Managed {
    /// The message.
    type Pb: Message + Clone + Default + 'static;
    /// The field of the requests that carries it.
    const FIELD: &'static str;

    /// The fields that can be named in a mask; without a mask, all of them are taken over.
    const FIELDS: &'static [&'static str];

    /// The message of a record.
    fn to_pb(record: &Record<Self>) -> Self::Pb;

    /// The content of a message.
    fn from_pb(pb: &Self::Pb, call: &Call) -> Result<Self>;

    /// The id and the etag of a message.
    fn identity(pb: &Self::Pb) -> (&str, &str);

    /// Copies one of [`Wire::FIELDS`].
    fn copy_field(name: &str, from: &Self::Pb, into: &mut Self::Pb);
}

/// Writes the parts of [`Wire`] that only name fields.
macro_rules! wire_fields {
    ($pb:ident, $field:literal: $($name:ident),* $(,)?) => {
        type Pb = $crate::grpc::pb::$pb;
        const FIELD: &'static str = $field;
        const FIELDS: &'static [&'static str] = &[$(stringify!($name)),*];

        fn identity(pb: &Self::Pb) -> (&str, &str) {
            (&pb.id, &pb.etag)
        }

        fn copy_field(name: &str, from: &Self::Pb, into: &mut Self::Pb) {
            match name {
                $(stringify!($name) => into.$name = from.$name.clone(),)*
                _ => {}
            }
        }
    };
}
pub(crate) use wire_fields;

/// Creates from a message.
pub async fn create<N: Wire>(world: &World, call: Call, fields: Fields, pb: Option<N::Pb>) -> Result<Affecting<N::Pb>> {
    let content = fields.and(required::<N>(pb).and_then(|pb| N::from_pb(&pb, &call)))?;
    Ok(affecting(mutate(world, call, Create(content)).await?))
}

/// A message, and the ids of the sessions that the change has orphaned.
pub type Affecting<P> = (P, Vec<String>);

/// What was written, for the wire.
pub fn affecting<N: Wire>(written: Written<N>) -> Affecting<N::Pb> {
    (N::to_pb(&written.record), session_ids(&written.orphaned))
}

/// Ids of sessions, for the wire.
pub fn session_ids(ids: &[SessionId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

/// Changes the fields of a mask, or all of them.
pub async fn update<N: Wire>(
    world: &World,
    call: Call,
    fields: Fields,
    pb: Option<N::Pb>,
    mask: Option<FieldMask>,
) -> Result<Affecting<N::Pb>> {
    let paths = mask.map(|mask| mask.paths);
    let named = required::<N>(pb).and_then(|pb| Ok((version_of::<N>(&pb, paths.as_deref())?, pb)));
    let ((id, version), pb) = fields.and(named)?;
    let by = call.clone();
    let change = move |before: &Record<N>| {
        let mut merged = N::to_pb(before);
        let named: Vec<&str> = match &paths {
            Some(paths) => paths.iter().map(String::as_str).collect(),
            None => N::FIELDS.to_vec(),
        };
        for field in named {
            N::copy_field(field, &pb, &mut merged);
        }
        N::from_pb(&merged, &by)
    };
    Ok(affecting(mutate(world, call, Update { id, version, change: Box::new(change) }).await?))
}

/// Which thing, in which version; each path of a mask must name one of its fields.
fn version_of<N: Wire>(pb: &N::Pb, paths: Option<&[String]>) -> Result<(N::Id, i64)> {
    let (id, etag) = N::identity(pb);
    let mut f = Fields::inside(N::FIELD);
    let (id, version) = (f.id::<N::Id>("id", id), f.etag("etag", etag));
    let read = f.finish(|| Some((id?, version?)));
    let mut mask = Fields::default();
    if paths.iter().copied().flatten().any(|path| !N::FIELDS.contains(&path.as_str())) {
        mask.wrong::<()>("update_mask", "must name fields that can change");
    }
    mask.and(read)
}

/// Reads one.
pub async fn get<N: Wire>(world: &World, call: &Call, field: &str, id: &str) -> Result<N::Pb> {
    let mut f = Fields::default();
    let id = f.id::<N::Id>(field, id);
    Ok(N::to_pb(&noun::get::<N>(world, call, f.finish(|| id)?).await?))
}

/// A filter by what things belong to: the field and its text.
pub type Within<'a> = Option<(&'a str, &'a str)>;

/// Reads a page.
pub async fn list<N: Wire>(
    world: &World,
    call: &Call,
    within: Within<'_>,
    (size, token): (i32, &str),
    query: &impl Message,
) -> Result<(Vec<N::Pb>, String)> {
    let mut f = Fields::default();
    let within = within.map_or(Some(None), |(field, raw)| f.maybe_id::<Uuid>(field, raw));
    let page = f.page(size, token, 50, query);
    let (within, page) = f.finish(|| Some((within?, page?)))?;
    let (rows, next) = noun::list::<N>(world, call, within, None, &page).await?;
    Ok((rows.iter().map(N::to_pb).collect(), next))
}

/// Deletes a leave.
pub async fn delete_leave(world: &World, call: Call, mut f: Fields, id: &str, etag: &str) -> Result<()> {
    let (id, version) = (f.id::<<Leave as crate::domain::noun::Noun>::Id>("leave_id", id), f.etag("etag", etag));
    let delete = f.finish(|| Some(DeleteLeave { id: id?, version: version? }))?;
    mutate(world, call, delete).await
}

fn required<N: Wire>(pb: Option<N::Pb>) -> Result<N::Pb> {
    pb.ok_or_else(|| Error::field(N::FIELD, "is required"))
}

/// The id of a record, for the wire.
pub fn id_of<N: Wire>(record: &Record<N>) -> String {
    record.id.uuid().to_string()
}
