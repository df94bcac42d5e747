//! Survivors who do not come: a welfare check while something presses, a review after two in a row.

use aftercare::grpc::pb;
use pb::{
    AttendanceOutcome as Outcome, ConcernKind, EscalationAction, EscalationLevel as Level, EscalationTrigger as Trigger,
};

use crate::attendance::{clinical_lead, set};
use crate::on_both_engines;
use crate::support::escalation::{acknowledge, concern, escalations, report, resolve, resolving};
use crate::support::{Ngo, TestApp, amend, amending, at, book, booking, date, decide, deciding, record, recording};

/// An organisation, a counsellor and a survivor with a session on each of these days, at 10:00.
struct Story {
    app: TestApp,
    ngo: Ngo,
    counsellor: pb::Counsellor,
    client: pb::Client,
    sessions: Vec<pb::Session>,
}

impl Story {
    async fn of(app: TestApp, days: &[&str]) -> Self {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        let mut sessions = Vec::new();
        for day in days {
            let request = booking(&ngo, &counsellor, &client, &format!("{day}T04:30:00Z"));
            sessions.push(book(&ngo.coordinator, request).await.unwrap());
        }
        Self { app, ngo, counsellor, client, sessions }
    }

    /// What becomes of a session is recorded at its end.
    async fn is(&mut self, place: usize, outcome: Outcome) -> pb::Attendance {
        let ends_at = self.sessions[place].ends_at.unwrap().seconds;
        if self.app.now().timestamp() < ends_at {
            let now = chrono::DateTime::from_timestamp(ends_at, 0).unwrap();
            set(&self.app, &mut self.ngo, &now.to_rfc3339());
        }
        record(&self.ngo.coordinator, recording(&self.sessions[place], &self.client, outcome)).await.unwrap()
    }

    async fn was(&self, place: usize, record: &pb::Attendance, outcome: Outcome) -> pb::Attendance {
        let request = amending(&self.sessions[place], &self.client, &record.etag, outcome);
        amend(&self.ngo.coordinator, request).await.unwrap()
    }

    /// What is open, and which record caused it; what is due last comes last.
    async fn open(&self) -> Vec<(Trigger, Level, String)> {
        let all = escalations(&clinical_lead(&self.app, &self.ngo)).await;
        all.into_iter().map(|it| (it.trigger(), it.level(), it.attendance_id)).collect()
    }
}

const WEEK: [&str; 5] = ["2026-11-23", "2026-11-24", "2026-11-25", "2026-11-26", "2026-11-27"];

fn two(record: &pb::Attendance) -> (Trigger, Level, String) {
    (Trigger::TwoNoShows, Level::R1, record.id.clone())
}

fn check(record: &pb::Attendance) -> (Trigger, Level, String) {
    (Trigger::NoShowWhileOpen, Level::R2, record.id.clone())
}

on_both_engines! {
    async fn two_in_a_row_are_reviewed_and_a_third_anew(app) {
        let mut story = Story::of(app, &WEEK).await;
        story.is(0, Outcome::NoShow).await;
        assert_eq!(story.open().await, []);
        let second = story.is(1, Outcome::NoShow).await;
        assert_eq!(story.open().await, [two(&second)]);
        let [it] = &escalations(&story.ngo.as_counsellor(&story.app, &story.counsellor)).await[..] else { panic!() };
        assert_eq!((&it.counsellor_id, &it.client_reference), (&story.counsellor.id, &story.client.reference));
        // Tuesday; the end of Thursday in Asia/Kolkata.
        assert_eq!(it.due_at, at("2026-11-26T18:30:00Z"));
        let third = story.is(2, Outcome::NoShow).await;
        assert_eq!(story.open().await, [two(&second), two(&third)]);
        story.is(3, Outcome::Late).await;
        story.is(4, Outcome::NoShow).await;
        assert_eq!(story.open().await, [two(&second), two(&third)]);
    }

    async fn what_tells_nothing_is_passed_over_and_who_was_seen_breaks_the_row(app) {
        let mut story = Story::of(app, &WEEK).await;
        let first = story.is(0, Outcome::NoShow).await;
        story.is(1, Outcome::AcceptableMedical).await;
        story.is(2, Outcome::ProviderCancelled).await;
        let fourth = story.is(3, Outcome::NoShow).await;
        assert_eq!(story.open().await, [two(&fourth)]);
        story.is(4, Outcome::Refused).await;
        assert_eq!(story.open().await, [two(&fourth)]);
        // Once per no-show, whatever is corrected before it; it stands until a person resolves it.
        let first = story.was(0, &first, Outcome::AttendedComplied).await;
        story.was(0, &first, Outcome::NoShow).await;
        assert_eq!(story.open().await, [two(&fourth)]);
    }

    async fn sessions_count_by_their_start_whenever_they_are_recorded(app) {
        let mut story = Story::of(app, &WEEK).await;
        let third = story.is(2, Outcome::NoShow).await;
        assert_eq!(story.open().await, []);
        let first = story.is(0, Outcome::NoShow).await;
        assert_eq!(story.open().await, [two(&third)]);
        // The one in between, recorded last: the row was none, which a person sees who looks.
        let second = story.is(1, Outcome::AttendedComplied).await;
        assert_eq!(story.open().await, [two(&third)]);
        // No further one by an older pair.
        story.was(0, &first, Outcome::AcceptableFamily).await;
        story.was(1, &second, Outcome::NoShow).await;
        assert_eq!(story.open().await, [two(&third)]);
    }

    async fn a_correction_is_judged_as_if_it_had_been_said_at_once(app) {
        let mut story = Story::of(app, &WEEK).await;
        story.is(0, Outcome::NoShow).await;
        let second = story.is(1, Outcome::AttendedComplied).await;
        let third = story.is(2, Outcome::NoShow).await;
        assert_eq!(story.open().await, []);
        // Was not held: the first and the third are a row.
        story.was(1, &second, Outcome::ProviderCancelled).await;
        assert_eq!(story.open().await, [two(&third)]);
        // Corrected as to something else, it is the same no-show.
        let third = story.was(2, &third, Outcome::NoShow).await;
        assert_eq!(story.open().await.len(), 1);
        assert!(escalations(&clinical_lead(&story.app, &story.ngo)).await[0].cause_superseded);
        // The person came after all, and then did not: that is another.
        let third = story.was(2, &third, Outcome::Late).await;
        assert_eq!(story.open().await.len(), 1);
        let third = story.was(2, &third, Outcome::NoShow).await;
        let open = story.open().await;
        assert!(open.len() == 2 && open.contains(&two(&third)), "{open:?}");
    }

    async fn a_no_show_that_is_found_acceptable_is_none(app) {
        let mut story = Story::of(app, &WEEK).await;
        let first = story.is(0, Outcome::NoShow).await;
        let of = |place: usize| &story.sessions[place];
        decide(&story.ngo.coordinator, deciding(of(0), &story.client, &first.etag, true)).await.unwrap();
        let second = story.is(1, Outcome::NoShow).await;
        assert_eq!(story.open().await, []);
        // A later decision reverses it.
        let request = deciding(&story.sessions[0], &story.client, &first.etag, false);
        decide(&story.ngo.coordinator, request).await.unwrap();
        assert_eq!(story.open().await, [two(&second)]);
    }

    async fn a_no_show_while_something_presses_asks_for_a_welfare_check_today(app) {
        let mut story = Story::of(app, &WEEK).await;
        let mine = |story: &Story| story.ngo.as_counsellor(&story.app, &story.counsellor);
        let before = story.is(0, Outcome::NoShow).await;
        let it = report(&mine(&story), concern(&story.client, ConcernKind::Threat)).await.unwrap().escalation.unwrap();
        // What was recorded before is nothing new, also when it is corrected as to something else.
        story.was(0, &before, Outcome::NoShow).await;
        assert_eq!(story.open().await.len(), 1);
        // Taken on is open still; acceptable absences and sessions that were not held are no reason.
        acknowledge(&mine(&story), &it).await.unwrap();
        story.is(1, Outcome::AcceptableMedical).await;
        story.is(2, Outcome::ProviderCancelled).await;
        assert_eq!(story.open().await.len(), 1);
        let fourth = story.is(3, Outcome::NoShow).await;
        assert_eq!(story.open().await[1..], [check(&fourth), two(&fourth)]);
        let all = escalations(&mine(&story)).await;
        assert_eq!(all[1].due_at, at("2026-11-26T18:30:00Z"));
        // The check presses too.
        let closed = resolving(&pb::Escalation { etag: "2".into(), ..it }, EscalationAction::Referral);
        resolve(&mine(&story), closed).await.unwrap();
        let fifth = story.is(4, Outcome::NoShow).await;
        assert!(story.open().await.contains(&check(&fifth)));
        // A review does not: when all else is closed, the next no-show is no reason for a check.
        let lead = clinical_lead(&story.app, &story.ngo);
        for it in escalations(&lead).await.iter().filter(|it| it.level() != Level::R1) {
            resolve(&lead, resolving(it, EscalationAction::WelfareCheck)).await.unwrap();
        }
        let later = booking(&story.ngo, &story.counsellor, &story.client, "2026-11-30T04:30:00Z");
        story.sessions.push(book(&story.ngo.coordinator, later).await.unwrap());
        let sixth = story.is(5, Outcome::NoShow).await;
        assert_eq!(story.open().await.into_iter().filter(|it| it.2 == sixth.id).collect::<Vec<_>>(), [two(&sixth)]);
    }

    async fn a_check_in_the_evening_has_two_hours(app) {
        let mut story = Story::of(app, &WEEK[..1]).await;
        report(&story.ngo.coordinator, concern(&story.client, ConcernKind::Threat)).await.unwrap();
        set(&story.app, &mut story.ngo, "2026-11-23T17:45:00Z"); // 23:15 in Asia/Kolkata
        story.is(0, Outcome::NoShow).await;
        let all = escalations(&clinical_lead(&story.app, &story.ngo)).await;
        let check = all.iter().find(|it| it.trigger() == Trigger::NoShowWhileOpen).unwrap();
        assert_eq!(check.due_at, at("2026-11-23T19:45:00Z"));
    }

    async fn a_review_counts_the_working_days_of_the_place_that_the_client_prefers(app) {
        let ngo = Ngo::new(&app, "A").await;
        let holidays = ["2026-11-26", "2026-11-30"].map(|day| pb::Holiday { date: Some(date(day)), name: "Example".into() });
        let calendar = pb::HolidayCalendar {
            code: "H".into(),
            name: "Example".into(),
            holidays: holidays.to_vec(),
            ..Default::default()
        };
        let request = pb::CreateHolidayCalendarRequest { holiday_calendar: Some(calendar), ..Default::default() };
        let made = ngo.coordinator.directory().create_holiday_calendar(request).await.unwrap().into_inner();
        let site = pb::Site { holiday_calendar_id: made.holiday_calendar.unwrap().id, ..ngo.site.clone() };
        let request = pb::UpdateSiteRequest { site: Some(site), ..Default::default() };
        app.admin().directory().update_site(request).await.unwrap();
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let venue = ngo.venue.id.clone();
        let prefers = ngo.survivor_with(|client| client.preferred_venue_id = venue).await;
        let none = ngo.survivor().await;
        let mut sessions = Vec::new();
        for (client, hours) in [(&prefers, ["04:30", "05:30"]), (&none, ["06:30", "07:30"])] {
            for hour in hours {
                let request = booking(&ngo, &counsellor, client, &format!("2026-11-25T{hour}:00Z"));
                sessions.push((client, book(&ngo.coordinator, request).await.unwrap()));
            }
        }
        let mut ngo = ngo;
        set(&app, &mut ngo, "2026-11-25T09:00:00Z");
        for (client, session) in &sessions {
            record(&ngo.coordinator, recording(session, client, Outcome::NoShow)).await.unwrap();
        }
        let all = escalations(&clinical_lead(&app, &ngo)).await;
        let due: Vec<_> = all.iter().map(|it| (it.client_id.as_str(), it.due_at)).collect();
        // Wednesday; Thursday and Monday are holidays at the one's place.
        let (plain, later) = (at("2026-11-27T18:30:00Z"), at("2026-12-01T18:30:00Z"));
        assert_eq!(due, [(none.id.as_str(), plain), (prefers.id.as_str(), later)]);
    }

    async fn offenders_who_do_not_come_are_a_matter_of_their_orders_alone(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("O1", pb::Side::Offender).await;
        let client = ngo.offender().await;
        let mut sessions = Vec::new();
        for hour in ["04:30", "05:30"] {
            let request = booking(&ngo, &counsellor, &client, &format!("2026-11-24T{hour}:00Z"));
            sessions.push(book(&ngo.coordinator, request).await.unwrap());
        }
        report(&ngo.coordinator, concern(&client, ConcernKind::NewDisclosure)).await.unwrap();
        let mut ngo = ngo;
        set(&app, &mut ngo, "2026-11-24T07:00:00Z");
        for session in &sessions {
            record(&ngo.coordinator, recording(session, &client, Outcome::NoShow)).await.unwrap();
        }
        assert_eq!(escalations(&clinical_lead(&app, &ngo)).await.len(), 1);
    }
}
