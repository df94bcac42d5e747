//! Programmes and their versions on the wire.

use super::wire::{Wire, id_of, wire_fields};
use crate::domain::noun::Record;
use crate::domain::programme::{DEFAULT_GAP_DAYS, GAP_DAYS, Module, Programme};
use crate::domain::session::{LONGEST, SHORTEST};
use crate::domain::text::{self, Code};
use crate::grpc::fields::{Fields, count, duration, timestamp};
use crate::grpc::pb;
use crate::grpc::words::Word;
use crate::usecase::World;
use crate::usecase::call::Call;
use crate::usecase::error::Result;
use crate::usecase::programme::get_programme;

impl Wire for Programme {
    wire_fields!(Programme, "programme": organisation_id, code, name, service, modules, retired);

    fn to_pb(it: &Record<Self>) -> pb::Programme {
        pb::Programme {
            id: id_of(it),
            etag: it.version.to_string(),
            version: it.version,
            organisation_id: it.organisation_id.to_string(),
            code: it.code.to_string(),
            name: it.name.clone(),
            service: it.service.to_wire(),
            modules: it.modules.iter().map(module_pb).collect(),
            retired: it.retired,
            created_at: timestamp(it.created_at),
            updated_at: timestamp(it.updated_at),
        }
    }

    fn from_pb(pb: &pb::Programme, call: &Call) -> Result<Self> {
        let mut f = Fields::inside(Self::FIELD);
        let organisation_id = f.organisation("organisation_id", &pb.organisation_id, call);
        let code = f.parse("code", &pb.code, Code::parse);
        let name = f.parse("name", &pb.name, text::name);
        let service = f.word("service", pb.service);
        let modules = modules(&mut f, &pb.modules);
        let retired = pb.retired;
        f.finish(|| {
            Some(Self {
                organisation_id: organisation_id?,
                code: code?,
                name: name?,
                service: service?,
                modules: modules?,
                retired,
            })
        })
    }
}

/// Every module of a curriculum, each with another code, and not too many sessions in all.
fn modules(f: &mut Fields, all: &[pb::Module]) -> Option<Vec<Module>> {
    let most = Programme::MOST_SESSIONS;
    let few = |count: usize| u32::try_from(count).is_ok_and(|count| (1..=most).contains(&count));
    if !few(all.len()) {
        return f.wrong("modules", format!("must be 1 to {most} modules"));
    }
    // Collected first, so that every module is looked at.
    let read: Vec<_> = all.iter().enumerate().map(|(at, module)| module_from(f, at, module)).collect();
    for (at, module) in read.iter().enumerate() {
        let same = |other: &Option<Module>| other.as_ref().zip(module.as_ref()).is_some_and(|(a, b)| a.code == b.code);
        if read[..at].iter().any(same) {
            f.wrong::<()>(&format!("modules[{at}].code"), "must not repeat the code of another module");
        }
    }
    let read: Vec<_> = read.into_iter().collect::<Option<_>>()?;
    if read.iter().map(|module| module.sessions).sum::<u32>() > most {
        return f.wrong("modules", format!("must have at most {most} sessions in all"));
    }
    Some(read)
}

fn module_from(f: &mut Fields, at: usize, pb: &pb::Module) -> Option<Module> {
    let field = |name: &str| format!("modules[{at}].{name}");
    let code = f.parse(&field("code"), &pb.code, Code::parse);
    let name = f.parse(&field("name"), &pb.name, text::name);
    let form = f.word(&field("form"), pb.form);
    let sessions = f.maybe_count(&field("sessions"), Some(pb.sessions), 1..=Programme::MOST_SESSIONS);
    let length_for = f.minutes(&field("length"), pb.length.as_ref(), SHORTEST..=LONGEST, None);
    let gap_days = f.maybe_count(&field("gap_days"), pb.gap_days, GAP_DAYS);
    Some(Module {
        code: code?,
        name: name?,
        form: form?,
        sessions: sessions??,
        length_for: length_for?,
        gap_days: gap_days?.unwrap_or(DEFAULT_GAP_DAYS),
    })
}

fn module_pb(module: &Module) -> pb::Module {
    pb::Module {
        code: module.code.to_string(),
        name: module.name.clone(),
        form: module.form.to_wire(),
        sessions: count(module.sessions),
        length: duration(module.length_for),
        gap_days: Some(count(module.gap_days)),
    }
}

/// Reads a programme as it is, or as it was.
pub async fn get(world: &World, call: &Call, pb: &pb::GetProgrammeRequest) -> Result<pb::Programme> {
    let mut f = Fields::default();
    let id = f.id("programme_id", &pb.programme_id);
    let version = match pb.version {
        0 => Some(None),
        1.. => Some(Some(pb.version)),
        _ => f.wrong("version", "must be the number of a version, or 0 for the present one"),
    };
    let (id, version) = f.finish(|| Some((id?, version?)))?;
    Ok(Programme::to_pb(&get_programme(world, call, id, version).await?))
}
