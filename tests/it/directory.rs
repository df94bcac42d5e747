//! What the directory says of organisations, sites and counsellors, beyond what booking looks at.

use aftercare::grpc::pb;
use tonic::{Code, Status};

use crate::on_both_engines;
use crate::support::{Ngo, Refused, TestApp, date, minutes, refused, time_of_day};

fn invalid(status: Status) -> Vec<String> {
    let Refused { code, items, .. } = refused(&status);
    assert_eq!(code, Code::InvalidArgument, "{status:?}");
    items
}

async fn update(ngo: &Ngo, counsellor: pb::Counsellor) -> Result<pb::Counsellor, Status> {
    let request = pb::UpdateCounsellorRequest { counsellor: Some(counsellor), ..Default::default() };
    Ok(ngo.coordinator.directory().update_counsellor(request).await?.into_inner().counsellor.unwrap())
}

async fn update_site(app: &TestApp, site: pb::Site) -> Result<pb::Site, Status> {
    let request = pb::UpdateSiteRequest { site: Some(site), ..Default::default() };
    Ok(app.admin().directory().update_site(request).await?.into_inner().site.unwrap())
}

fn hours(side: pb::Side, day: i32, from: i32, until: i32) -> pb::SideHours {
    let (starts, ends) = (Some(time_of_day(from, 0)), Some(time_of_day(until, 0)));
    pb::SideHours { side: side.into(), day, starts, ends }
}

on_both_engines! {
    async fn what_is_said_of_a_counsellor_is_kept(app) {
        let ngo = Ngo::new(&app, "A").await;
        let plain = ngo.counsellor_with("C1", pb::Side::Survivor, |it| it.verified_until = None).await;
        assert_eq!((plain.daily_limit, plain.weekly_limit, plain.verified_until), (None, None, None));
        assert_eq!((plain.travel_time, plain.registration.as_str()), (Some(minutes(30)), ""));
        let said = pb::Counsellor {
            daily_limit: Some(1),
            weekly_limit: Some(200),
            verified_until: Some(date("2027-03-31")),
            travel_time: Some(minutes(0)),
            registration: "A-1".into(),
            ..plain.clone()
        };
        let kept = update(&ngo, said.clone()).await.unwrap();
        assert_eq!(pb::Counsellor { etag: said.etag.clone(), updated_at: said.updated_at, ..kept }, said);
        let request = pb::GetCounsellorRequest { counsellor_id: plain.id.clone() };
        let read = ngo.coordinator.directory().get_counsellor(request).await.unwrap().into_inner().counsellor.unwrap();
        assert_eq!(pb::Counsellor { etag: said.etag.clone(), updated_at: said.updated_at, ..read.clone() }, said);
        let wrong = pb::Counsellor {
            daily_limit: Some(0),
            weekly_limit: Some(-1),
            verified_until: Some(date("1899-01-01")),
            travel_time: Some(minutes(481)),
            registration: "a 1".into(),
            ..read
        };
        let fields = ["travel_time", "daily_limit", "weekly_limit", "verified_until", "registration"];
        let fields: Vec<_> = fields.iter().map(|field| format!("counsellor.{field}")).collect();
        assert_eq!(invalid(update(&ngo, wrong).await.unwrap_err()), fields);
    }

    async fn one_person_works_on_one_side_only(app) {
        let (one, other) = (Ngo::new(&app, "A").await, Ngo::new(&app, "B").await);
        let named = |it: &mut pb::Counsellor| it.registration = "A-1".into();
        let first = one.counsellor_with("C1", pb::Side::Survivor, named).await;
        // At two organisations, yes.
        other.counsellor_with("C1", pb::Side::Survivor, named).await;
        let second = other.counsellor("C2", pb::Side::Offender).await;
        let status = update(&other, pb::Counsellor { registration: "A-1".into(), ..second.clone() }).await.unwrap_err();
        let Refused { code, reason, items, .. } = refused(&status);
        assert_eq!((code, reason.as_str()), (Code::FailedPrecondition, "REGISTERED_ON_THE_OTHER_SIDE"));
        assert!(items.is_empty());
        // A registration that nobody has any more was a slip of the pen.
        let slip = update(&one, pb::Counsellor { registration: "A-2".into(), ..first }).await.unwrap();
        update(&one, pb::Counsellor { registration: String::new(), ..slip }).await.unwrap();
        let second = update(&other, pb::Counsellor { registration: "A-2".into(), ..second }).await.unwrap();
        update(&other, pb::Counsellor { registration: "A-1".into(), ..second }).await.unwrap_err();
    }

    async fn two_sides_never_win_one_registration(app) {
        let (one, other) = (Ngo::new(&app, "A").await, Ngo::new(&app, "B").await);
        let survivors = one.counsellor("C1", pb::Side::Survivor).await;
        let offenders = other.counsellor("C1", pb::Side::Offender).await;
        let (mut survivors, mut offenders) = (survivors, offenders);
        for round in 0..10 {
            let named = |it: &pb::Counsellor| pb::Counsellor { registration: format!("A-{round}"), ..it.clone() };
            let both = tokio::join!(update(&one, named(&survivors)), update(&other, named(&offenders)));
            match both {
                (Ok(won), Err(lost)) => {
                    assert_eq!(refused(&lost).reason, "REGISTERED_ON_THE_OTHER_SIDE");
                    survivors = won;
                }
                (Err(lost), Ok(won)) => {
                    assert_eq!(refused(&lost).reason, "REGISTERED_ON_THE_OTHER_SIDE");
                    offenders = won;
                }
                both => panic!("{both:?}"),
            }
        }
    }

    async fn a_registration_changes_hands_in_peace(app) {
        let (one, other) = (Ngo::new(&app, "A").await, Ngo::new(&app, "B").await);
        let named = |it: &mut pb::Counsellor| it.registration = "A-1".into();
        let mut giving = one.counsellor_with("C1", pb::Side::Survivor, named).await;
        let mut taking = other.counsellor("C1", pb::Side::Offender).await;
        for _ in 0..10 {
            let without = pb::Counsellor { registration: String::new(), ..giving.clone() };
            let with = pb::Counsellor { registration: "A-1".into(), ..taking.clone() };
            let (gave, took) = tokio::join!(update(&one, without), update(&other, with));
            giving = gave.unwrap();
            taking = match took {
                Ok(took) => update(&other, pb::Counsellor { registration: String::new(), ..took }).await.unwrap(),
                Err(status) => {
                    assert_eq!(refused(&status).reason, "REGISTERED_ON_THE_OTHER_SIDE");
                    taking
                }
            };
            giving = update(&one, pb::Counsellor { registration: "A-1".into(), ..giving }).await.unwrap();
        }
    }

    async fn a_site_publishes_hours_that_keep_the_sides_apart(app) {
        let site = Ngo::new(&app, "A").await.site;
        assert!(site.timetable.is_empty());
        let (survivor, offender) = (pb::Side::Survivor, pb::Side::Offender);
        let timetable = vec![hours(survivor, 1, 9, 13), hours(offender, 1, 15, 24), hours(survivor, 2, 9, 17)];
        let site = update_site(&app, pb::Site { timetable: timetable.clone(), ..site }).await.unwrap();
        assert_eq!(site.timetable, timetable);
        // A longer gap needs other hours.
        let longer = pb::Site { separation_gap: Some(minutes(121)), ..site.clone() };
        let rows = ["site.timetable[0]", "site.timetable[1]"];
        assert_eq!(invalid(update_site(&app, longer).await.unwrap_err()), rows);
        let wrong = vec![hours(survivor, 8, 9, 13), hours(survivor, 1, 9, 9), pb::SideHours { side: 0, ..timetable[0] }];
        let wrong = pb::Site { timetable: wrong, ..site.clone() };
        let fields = ["site.timetable[0].day", "site.timetable[1].ends", "site.timetable[2].side"];
        assert_eq!(invalid(update_site(&app, wrong).await.unwrap_err()), fields);
        let many = pb::Site { timetable: vec![timetable[0]; 101], ..site.clone() };
        assert_eq!(invalid(update_site(&app, many).await.unwrap_err()), ["site.timetable"]);
        let site = update_site(&app, pb::Site { timetable: Vec::new(), ..site }).await.unwrap();
        assert!(site.timetable.is_empty());
    }

    async fn an_organisation_has_a_notice_and_a_horizon(app) {
        let organisation = |notice, horizon| pb::CreateOrganisationRequest {
            organisation: Some(pb::Organisation {
                code: "P1".into(),
                name: "Example Unit".into(),
                kind: pb::OrganisationKind::PoliceUnit.into(),
                district: "KL-TVM".into(),
                notice,
                horizon,
                ..Default::default()
            }),
            ..Default::default()
        };
        let mut directory = app.admin().directory();
        for (notice, horizon) in [(14 * 24 * 60 + 1, 24 * 60 - 1), (-1, 0), (14 * 24 * 60 + 1, 731 * 24 * 60)] {
            let wrong = organisation(Some(minutes(notice)), Some(minutes(horizon)));
            let wrong = invalid(directory.create_organisation(wrong).await.unwrap_err());
            assert_eq!(wrong, ["organisation.notice", "organisation.horizon"]);
        }
        let made = directory.create_organisation(organisation(None, None)).await.unwrap().into_inner();
        let made = made.organisation.unwrap();
        assert_eq!((made.notice, made.horizon), (Some(minutes(120)), Some(minutes(180 * 24 * 60))));
        let changed = pb::Organisation { notice: Some(minutes(0)), horizon: Some(minutes(24 * 60)), ..made };
        let request = pb::UpdateOrganisationRequest { organisation: Some(changed.clone()), ..Default::default() };
        let after = directory.update_organisation(request).await.unwrap().into_inner().organisation.unwrap();
        assert_eq!((after.notice, after.horizon), (changed.notice, changed.horizon));
    }
}
