//! Programmes: what may be put into them, who may do it, and what they said in every version.

use aftercare::domain::access::Authority;
use aftercare::grpc::pb;
use aftercare::store::Db;
use chrono::TimeDelta;
use prost_types::FieldMask;
use tonic::{Code, Status};

use crate::on_both_engines;
use crate::support::{Actor, Ngo, TestApp, minutes, refused};

fn module(code: &str, form: pb::ModuleForm, sessions: i32, length: i64, gap_days: Option<i32>) -> pb::Module {
    let (code, name, length) = (code.into(), format!("Example module {code}"), Some(minutes(length)));
    pb::Module { code, name, form: form.into(), sessions, length, gap_days }
}

/// A curriculum of 30 sessions, most of them in a group.
fn curriculum() -> pb::Programme {
    pb::Programme {
        code: "GROUP-30".into(),
        name: "Example group programme".into(),
        service: pb::CareService::Treatment.into(),
        modules: vec![
            module("INTRO", pb::ModuleForm::Individual, 2, 60, Some(3)),
            module("GROUP", pb::ModuleForm::Group, 26, 120, None),
            module("CLOSE", pb::ModuleForm::Individual, 2, 45, Some(0)),
        ],
        ..Default::default()
    }
}

async fn create(actor: &Actor, programme: pb::Programme) -> Result<pb::Programme, Status> {
    let request = pb::CreateProgrammeRequest { programme: Some(programme), ..Default::default() };
    Ok(actor.directory().create_programme(request).await?.into_inner().programme.unwrap())
}

async fn update(actor: &Actor, programme: pb::Programme, mask: &[&str]) -> Result<pb::Programme, Status> {
    let paths: Vec<_> = mask.iter().map(|path| (*path).to_owned()).collect();
    let update_mask = (!paths.is_empty()).then_some(FieldMask { paths });
    let request = pb::UpdateProgrammeRequest { programme: Some(programme), update_mask, ..Default::default() };
    Ok(actor.directory().update_programme(request).await?.into_inner().programme.unwrap())
}

async fn get(actor: &Actor, id: &str, version: i64) -> Result<pb::Programme, Status> {
    let request = pb::GetProgrammeRequest { programme_id: id.into(), version };
    Ok(actor.directory().get_programme(request).await?.into_inner().programme.unwrap())
}

async fn list(actor: &Actor, page_size: i32, page_token: &str) -> (Vec<pb::Programme>, String) {
    let request = pb::ListProgrammesRequest { page_size, page_token: page_token.into(), ..Default::default() };
    let answer = actor.directory().list_programmes(request).await.unwrap().into_inner();
    (answer.programmes, answer.next_page_token)
}

fn invalid(status: &Status) -> Vec<String> {
    let refused = refused(status);
    assert_eq!((refused.code, refused.reason.as_str()), (Code::InvalidArgument, "INVALID_REQUEST"), "{status:?}");
    refused.items
}

async fn run(app: &TestApp, statement: &'static str) -> Result<u64, aftercare::store::Error> {
    let db = Db::open(&app.db.target, 1).await.unwrap();
    let mut tx = db.begin_write().await.unwrap();
    tx.sql(statement).run().await
}

on_both_engines! {
    async fn a_curriculum_is_created_read_and_listed(app) {
        let ngo = Ngo::new(&app, "A").await;
        let me = &ngo.coordinator;
        let made = create(me, curriculum()).await.unwrap();
        let mut modules = curriculum().modules;
        modules[1].gap_days = Some(7);
        let expected = pb::Programme {
            id: made.id.clone(),
            etag: "1".into(),
            version: 1,
            organisation_id: ngo.id.clone(),
            modules,
            created_at: made.created_at,
            updated_at: made.created_at,
            ..curriculum()
        };
        assert_eq!(made, expected);
        let request = pb::CreateProgrammeRequest { programme: Some(curriculum()), ..Default::default() };
        let twice = refused(&me.directory().create_programme(request).await.unwrap_err());
        assert_eq!((twice.code, twice.reason.as_str()), (Code::AlreadyExists, "ALREADY_EXISTS"));
        app.clock.advance(TimeDelta::seconds(1));
        let other = create(me, pb::Programme { code: "OTHER".into(), ..curriculum() }).await.unwrap();
        let changed = update(me, pb::Programme { retired: true, ..other }, &["retired"]).await.unwrap();
        let (page, next) = list(me, 1, "").await;
        assert_eq!(page, [made]);
        assert_eq!(list(me, 1, &next).await, (vec![changed], String::new()));
    }

    async fn every_wrong_field_is_named(app) {
        let ngo = Ngo::new(&app, "A").await;
        let me = &ngo.coordinator;
        let empty = create(me, pb::Programme::default()).await.unwrap_err();
        assert_eq!(invalid(&empty), ["code", "name", "service", "modules"].map(|field| format!("programme.{field}")));

        let group = pb::ModuleForm::Group;
        let wrong = pb::Programme {
            organisation_id: "x".into(),
            modules: vec![
                pb::Module::default(),
                module("A", group, 61, 9, Some(-1)),
                module("B", group, 1, 8 * 60 + 1, Some(91)),
                module("B", group, 60, 480, Some(90)),
            ],
            ..curriculum()
        };
        let fields = [
            "organisation_id",
            "modules[0].code",
            "modules[0].name",
            "modules[0].form",
            "modules[0].sessions",
            "modules[0].length",
            "modules[1].sessions",
            "modules[1].length",
            "modules[1].gap_days",
            "modules[2].length",
            "modules[2].gap_days",
        ];
        let fields: Vec<_> = fields.iter().map(|field| format!("programme.{field}")).collect();
        assert_eq!(invalid(&create(me, wrong).await.unwrap_err()), fields);

        let with = |modules| pb::Programme { modules, ..curriculum() };
        let repeated = vec![module("A", group, 1, 10, None), module("B", group, 1, 10, None), module("A", group, 1, 10, None)];
        let refusal = create(me, with(repeated)).await.unwrap_err();
        assert_eq!(invalid(&refusal), ["programme.modules[2].code"]);
        let many = vec![module("A", group, 31, 60, None), module("B", group, 30, 60, None)];
        assert_eq!(invalid(&create(me, with(many.clone())).await.unwrap_err()), ["programme.modules"]);
        let most = vec![module("A", group, 30, 60, None), many[1].clone()];
        assert_eq!(create(me, with(most)).await.unwrap().modules.len(), 2);
        let too_many = (0..61).map(|at| module(&format!("M{at}"), group, 1, 60, None)).collect();
        assert_eq!(invalid(&create(me, with(too_many)).await.unwrap_err()), ["programme.modules"]);
        let request = pb::GetProgrammeRequest { programme_id: "x".into(), version: -1 };
        let refusal = me.directory().get_programme(request).await.unwrap_err();
        assert_eq!(invalid(&refusal), ["programme_id", "version"]);
    }

    async fn what_every_version_said_can_be_read(app) {
        let ngo = Ngo::new(&app, "A").await;
        let me = &ngo.coordinator;
        let one = create(me, curriculum()).await.unwrap();
        app.clock.advance(TimeDelta::hours(1));
        let modules = vec![module("ONLY", pb::ModuleForm::Group, 12, 90, Some(14))];
        let other = pb::Programme { code: "GROUP-12".into(), name: "Example short".into(), modules, ..one.clone() };
        let two = update(me, other, &["code", "name", "modules"]).await.unwrap();
        assert_eq!((two.version, two.modules.len(), two.code.as_str()), (2, 1, "GROUP-12"));
        app.clock.advance(TimeDelta::hours(1));
        let service = pb::CareService::OffenderAssessment.into();
        let three = update(me, pb::Programme { retired: true, service, ..two.clone() }, &[]).await.unwrap();
        assert!(one.updated_at.unwrap().seconds < two.updated_at.unwrap().seconds);
        for expected in [&one, &two, &three] {
            assert_eq!(&get(me, &one.id, expected.version).await.unwrap(), expected);
        }
        assert_eq!(get(me, &one.id, 0).await.unwrap(), three);
        assert_eq!(get(me, &one.id, 4).await.unwrap_err().code(), Code::NotFound);
        // An old version is not written over the present one, nor is one changed.
        let stale = update(me, one.clone(), &[]).await.unwrap_err();
        assert_eq!((stale.code(), refused(&stale).reason.as_str()), (Code::Aborted, "ETAG_MISMATCH"));
        assert!(run(&app, "UPDATE programme_version SET name = 'x' WHERE version = 1").await.is_err());
        assert!(run(&app, "DELETE FROM programme_version WHERE version = 1").await.is_err());
        assert_eq!(get(me, &one.id, 1).await.unwrap(), one);
        // A code that is free again can be used.
        create(me, curriculum()).await.unwrap();
    }

    async fn the_side_and_the_organisation_stay(app) {
        let ngo = Ngo::new(&app, "A").await;
        let other = Ngo::new(&app, "B").await;
        let made = create(&ngo.coordinator, curriculum()).await.unwrap();
        let turned = pb::Programme { service: pb::CareService::TraumaTherapy.into(), ..made.clone() };
        let refusal = update(&ngo.coordinator, turned, &[]).await.unwrap_err();
        assert_eq!(invalid(&refusal), ["programme.service"]);
        let moved = pb::Programme { organisation_id: other.id, ..made.clone() };
        let refusal = update(&app.admin(), moved, &[]).await.unwrap_err();
        assert_eq!(invalid(&refusal), ["programme.organisation_id"]);
        let unknown = update(&ngo.coordinator, made.clone(), &["version"]).await.unwrap_err();
        assert_eq!(invalid(&unknown), ["update_mask"]);
        assert_eq!(get(&ngo.coordinator, &made.id, 0).await.unwrap(), made);
    }

    async fn the_own_organisation_and_the_admin_manage_it_and_others_do_not_know_of_it(app) {
        let (ngo, other) = (Ngo::new(&app, "A").await, Ngo::new(&app, "B").await);
        let made = create(&ngo.coordinator, curriculum()).await.unwrap();
        let stranger = &other.coordinator;
        let never = get(stranger, &ngo.id, 0).await.unwrap_err();
        for version in [0, 1, 9] {
            let refusal = get(stranger, &made.id, version).await.unwrap_err();
            assert_eq!((refusal.code(), refusal.message()), (Code::NotFound, never.message()));
        }
        let renamed = || pb::Programme { name: "Example renamed".into(), ..made.clone() };
        assert_eq!(update(stranger, renamed(), &[]).await.unwrap_err().code(), Code::NotFound);
        let foreign = pb::Programme { organisation_id: ngo.id.clone(), code: "X".into(), ..curriculum() };
        assert_eq!(create(stranger, foreign.clone()).await.unwrap_err().code(), Code::NotFound);
        assert!(list(stranger, 0, "").await.0.is_empty());

        let counsellor = ngo.counsellor("O1", pb::Side::Offender).await;
        let counsellor = ngo.as_counsellor(&app, &counsellor);
        let lead = app.actor(Authority::ClinicalLead { organisation_id: ngo.id.parse().unwrap() });
        for reader in [&counsellor, &lead] {
            assert_eq!(get(reader, &made.id, 1).await.unwrap(), made);
            assert_eq!(list(reader, 0, "").await.0, std::slice::from_ref(&made));
            assert_eq!(create(reader, foreign.clone()).await.unwrap_err().code(), Code::PermissionDenied);
            assert_eq!(update(reader, renamed(), &[]).await.unwrap_err().code(), Code::PermissionDenied);
        }
        let admin = app.admin();
        assert_eq!(update(&admin, renamed(), &[]).await.unwrap().version, 2);
        create(&admin, foreign).await.unwrap();
        assert_eq!(list(&admin, 0, "").await.0.len(), 2);
    }
}
