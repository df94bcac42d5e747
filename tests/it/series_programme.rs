//! Programmes are scheduled: poured into weekly slots, for one client or a group.

use aftercare::grpc::pb;
use tonic::{Code, Status};

use crate::on_both_engines;
use crate::support::series::{close, get_series, standing};
use crate::support::{Actor, Ngo, date, group_of, minutes, refused, time_of_day};

const ID: &str = "0193a5e0-0000-7000-8000-000000000001";

fn module(code: &str, form: pb::ModuleForm, sessions: i32, length: i64, gap_days: i32) -> pb::Module {
    let (code, name, length) = (code.into(), format!("Example module {code}"), Some(minutes(length)));
    pb::Module { code, name, form: form.into(), sessions, length, gap_days: Some(gap_days) }
}

/// Two sessions for one, three for a group, one for one.
async fn programme(ngo: &Ngo) -> pb::Programme {
    let programme = pb::Programme {
        code: "EXAMPLE-6".into(),
        name: "Example programme".into(),
        service: pb::CareService::Treatment.into(),
        modules: vec![
            module("INTRO", pb::ModuleForm::Individual, 2, 60, 3),
            module("GROUP", pb::ModuleForm::Group, 3, 120, 7),
            module("CLOSE", pb::ModuleForm::Individual, 1, 45, 14),
        ],
        ..Default::default()
    };
    let request = pb::CreateProgrammeRequest { programme: Some(programme), ..Default::default() };
    ngo.coordinator.directory().create_programme(request).await.unwrap().into_inner().programme.unwrap()
}

async fn update(ngo: &Ngo, programme: pb::Programme) -> pb::Programme {
    let request = pb::UpdateProgrammeRequest { programme: Some(programme), ..Default::default() };
    ngo.coordinator.directory().update_programme(request).await.unwrap().into_inner().programme.unwrap()
}

fn slot(day: i32, hours: i32) -> pb::WeeklySlot {
    pb::WeeklySlot { day, time: Some(time_of_day(hours, 0)) }
}

/// For one client, on Tuesdays at ten and Fridays at two.
fn scheduling(
    ngo: &Ngo,
    programme: &pb::Programme,
    counsellor: &pb::Counsellor,
    client: &pb::Client,
) -> pb::ScheduleProgrammeRequest {
    pb::ScheduleProgrammeRequest {
        programme_id: programme.id.clone(),
        client_id: client.id.clone(),
        counsellor_id: counsellor.id.clone(),
        modality: pb::Modality::InPerson.into(),
        venue_id: ngo.venue.id.clone(),
        first_date: Some(date("2026-11-25")),
        week: vec![slot(5, 14), slot(2, 10)],
        mode: pb::SeriesMode::AllOrNothing.into(),
        ..Default::default()
    }
}

async fn schedule(actor: &Actor, request: pb::ScheduleProgrammeRequest) -> Result<pb::Series, Status> {
    Ok(actor.scheduling().schedule_programme(request).await?.into_inner().series.unwrap())
}

/// Number and day and hour of every session.
fn poured(series: &pb::Series) -> Vec<(i32, &str)> {
    standing(series).into_iter().map(|(number, start, _)| (number, &start[5..13])).collect()
}

on_both_engines! {
    async fn a_programme_is_poured_for_one_and_for_a_group(app) {
        let ngo = Ngo::new(&app, "A").await;
        let programme = programme(&ngo).await;
        let (lead, second) =
            (ngo.counsellor("O1", pb::Side::Offender).await, ngo.counsellor("O2", pb::Side::Offender).await);
        let clients = [ngo.offender().await, ngo.offender().await];
        let request = pb::ScheduleProgrammeRequest {
            request_id: ID.into(),
            ..scheduling(&ngo, &programme, &lead, &clients[0])
        };
        let series = schedule(&ngo.coordinator, request.clone()).await.unwrap();
        assert_eq!(poured(&series), [(1, "11-27T14"), (2, "12-01T10"), (6, "12-15T10")]);
        let modules: Vec<_> = series.occurrences.iter().map(|it| it.module_code.as_str()).collect();
        assert_eq!(modules, ["INTRO", "INTRO", "CLOSE"]);
        let lengths: Vec<_> = series.occurrences.iter().map(|it| {
            let session = it.session.as_ref().unwrap();
            assert_eq!((session.series_number, session.service()), (it.number, pb::CareService::Treatment));
            (session.ends_at.unwrap().seconds - session.starts_at.unwrap().seconds) / 60
        }).collect();
        assert_eq!(lengths, [60, 60, 45]);
        assert_eq!((&series.programme_id, series.programme_version), (&programme.id, 1));
        assert_eq!((series.rule.as_str(), series.first_date, series.time), ("", Some(date("2026-11-25")), None));
        assert_eq!(series.week, [slot(5, 14), slot(2, 10)]);
        assert_eq!(get_series(&ngo.coordinator, &series.id).await.unwrap(), series);
        assert_eq!(schedule(&ngo.coordinator, request).await.unwrap(), series);

        let mut group = group_of(8, &clients, Default::default()).group.unwrap();
        group.co_facilitator_ids = vec![second.id.clone()];
        let for_group = pb::ScheduleProgrammeRequest {
            client_id: String::new(),
            group: Some(group),
            week: vec![slot(4, 10)],
            ..scheduling(&ngo, &programme, &lead, &clients[0])
        };
        let series = schedule(&ngo.coordinator, for_group).await.unwrap();
        assert_eq!(poured(&series), [(3, "11-26T10"), (4, "12-03T10"), (5, "12-10T10")]);
        let one = series.occurrences[0].session.as_ref().unwrap().group.as_ref().unwrap();
        assert_eq!((one.capacity, one.participants.len()), (8, 2));
    }

    async fn a_closed_slot_is_skipped_and_the_gaps_are_kept(app) {
        let ngo = Ngo::new(&app, "A").await;
        let programme = programme(&ngo).await;
        let (counsellor, client) = (ngo.counsellor("O1", pb::Side::Offender).await, ngo.offender().await);
        close(&app, &ngo, &["2026-12-01"]).await;
        let request = pb::ScheduleProgrammeRequest {
            on_closure: pb::OnClosure::SkipAndExtend.into(),
            ..scheduling(&ngo, &programme, &counsellor, &client)
        };
        let series = schedule(&ngo.coordinator, request).await.unwrap();
        assert_eq!(poured(&series), [(1, "11-27T14"), (2, "12-04T14"), (6, "12-18T14")]);
        assert_eq!(series.skipped[0].local_start, "2026-12-01T10:00:00+05:30");
    }

    async fn a_version_is_scheduled_as_it_was_and_a_retired_programme_is_not(app) {
        let (ngo, foreign) = (Ngo::new(&app, "A").await, Ngo::new(&app, "B").await);
        let first = programme(&ngo).await;
        let (counsellor, client) = (ngo.counsellor("O1", pb::Side::Offender).await, ngo.offender().await);
        let modules = vec![module("ONLY", pb::ModuleForm::Individual, 1, 30, 0)];
        let second = update(&ngo, pb::Programme { modules, ..first.clone() }).await;
        let newest = scheduling(&ngo, &first, &counsellor, &client);
        let series = schedule(&ngo.coordinator, newest.clone()).await.unwrap();
        assert_eq!((poured(&series), series.programme_version), (vec![(1, "11-27T14")], 2));
        let older = pb::ScheduleProgrammeRequest {
            programme_version: 1,
            first_date: Some(date("2026-12-01")),
            ..newest.clone()
        };
        let series = schedule(&ngo.coordinator, older.clone()).await.unwrap();
        assert_eq!((poured(&series).len(), series.programme_version), (3, 1));
        let unknown = pb::ScheduleProgrammeRequest { programme_version: 3, ..newest.clone() };
        assert_eq!(schedule(&ngo.coordinator, unknown).await.unwrap_err().code(), Code::NotFound);
        let group = group_of(8, &[], Default::default()).group;
        let no_group = pb::ScheduleProgrammeRequest { client_id: String::new(), group, ..newest.clone() };
        assert_eq!(refused(&schedule(&ngo.coordinator, no_group).await.unwrap_err()).items, ["programme_id"]);
        update(&ngo, pb::Programme { retired: true, ..second }).await;
        for request in [newest.clone(), older] {
            let refusal = refused(&schedule(&ngo.coordinator, request).await.unwrap_err());
            assert_eq!((refusal.code, refusal.reason.as_str()), (Code::FailedPrecondition, "PROGRAMME_RETIRED"));
        }
        // Nor is one of another organisation, or the other side's.
        let theirs = programme(&foreign).await;
        let request = pb::ScheduleProgrammeRequest { programme_id: theirs.id, ..newest.clone() };
        assert_eq!(schedule(&ngo.coordinator, request).await.unwrap_err().code(), Code::NotFound);
        let me = ngo.as_counsellor(&app, &counsellor);
        assert_eq!(schedule(&me, newest).await.unwrap_err().code(), Code::PermissionDenied);
    }

    async fn every_wrong_field_is_named(app) {
        let ngo = Ngo::new(&app, "A").await;
        let programme = programme(&ngo).await;
        let (counsellor, client) = (ngo.counsellor("O1", pb::Side::Offender).await, ngo.offender().await);
        let empty = schedule(&ngo.coordinator, Default::default()).await.unwrap_err();
        let required = ["programme_id", "client_id", "counsellor_id", "modality", "first_date", "week", "mode"];
        assert_eq!(refused(&empty).items, required);
        let wrong = pb::ScheduleProgrammeRequest {
            programme_version: -1,
            week: vec![slot(8, 10), pb::WeeklySlot { day: 2, time: None }],
            on_closure: pb::OnClosure::Stay.into(),
            shift_within_days: 3,
            ..scheduling(&ngo, &programme, &counsellor, &client)
        };
        let named = ["programme_version", "week[0].day", "week[1].time", "shift_within_days"];
        assert_eq!(refused(&schedule(&ngo.coordinator, wrong).await.unwrap_err()).items, named);
        let twice = pb::ScheduleProgrammeRequest {
            week: vec![slot(2, 10), slot(5, 14), slot(2, 10)],
            ..scheduling(&ngo, &programme, &counsellor, &client)
        };
        assert_eq!(refused(&schedule(&ngo.coordinator, twice).await.unwrap_err()).items, ["week[2]"]);
    }
}
