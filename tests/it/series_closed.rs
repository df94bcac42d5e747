//! What becomes of a series on holidays, during leave, and on days off.

use aftercare::grpc::pb;

use crate::on_both_engines;
use crate::support::series::{book_series, close, refused_occurrences, standing, starts, weekly, what_fits};
use crate::support::{Ngo, book, booking, date, refused, time_of_day};

on_both_engines! {
    async fn closed_days_are_skipped_and_made_up_at_the_end(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let (client, other) = (ngo.survivor().await, ngo.survivor().await);
        close(&app, &ngo, &["2026-12-01"]).await;
        ngo.leave(&counsellor, "2026-12-14T00:00:00Z", "2026-12-18T00:00:00Z").await;
        book(&ngo.coordinator, booking(&ngo, &counsellor, &other, "2026-12-08T04:30:00Z")).await.unwrap();
        let stay = weekly(&ngo, &counsellor, &client, 4);
        let refusal = refused(&book_series(&ngo.coordinator, stay.clone()).await.unwrap_err());
        assert_eq!(refusal.items, ["COUNSELLOR_BUSY", "ON_LEAVE", "HOLIDAY"]);
        let skip = pb::BookSeriesRequest { on_closure: pb::OnClosure::SkipAndExtend.into(), ..what_fits(stay) };
        let answer = book_series(&ngo.coordinator, skip).await.unwrap();
        let series = answer.series.unwrap();
        let booked = [(1, "11-24"), (3, "12-22"), (4, "12-29")];
        let all = standing(&series);
        assert_eq!(all.iter().map(|(number, start, _)| (*number, &start[5..10])).collect::<Vec<_>>(), booked);
        let skipped: Vec<_> = series.skipped.iter().map(|it| (&it.local_start[5..10], it.rules.clone())).collect();
        let (holiday, leave) = (pb::BookingRule::Holiday.into(), pb::BookingRule::OnLeave.into());
        assert_eq!(skipped, [("12-01", vec![holiday]), ("12-15", vec![leave])]);
        // What is taken is no closure.
        assert_eq!(answer.refused.iter().map(|it| (it.number, &it.local_start[5..10])).collect::<Vec<_>>(), [(2, "12-08")]);
    }

    async fn a_closed_session_moves_to_the_next_free_time(app) {
        let ngo = Ngo::new(&app, "A").await;
        ngo.room("R1").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let (client, other) = (ngo.survivor().await, ngo.survivor().await);
        close(&app, &ngo, &["2026-12-01"]).await;
        // The day after the holiday is taken at ten, and after the leave there is half an afternoon.
        book(&ngo.coordinator, booking(&ngo, &counsellor, &other, "2026-12-02T04:30:00Z")).await.unwrap();
        ngo.leave(&counsellor, "2026-12-08T00:00:00Z", "2026-12-10T09:00:00Z").await;
        let request = |days| pb::BookSeriesRequest {
            on_closure: pb::OnClosure::NextFree.into(),
            shift_within_days: days,
            ..weekly(&ngo, &counsellor, &client, 3)
        };
        let refusal = book_series(&ngo.coordinator, request(1)).await.unwrap_err();
        assert_eq!(refused(&refusal).items, ["ON_LEAVE"]);
        assert_eq!(refused_occurrences(&refusal)[0].number, 3);
        let series = book_series(&ngo.coordinator, request(2)).await.unwrap().series.unwrap();
        // As near to ten as it goes: the hour after is nearer than the half hour from 09:30 would be long.
        let moved = ["2026-11-24T10:00:00+05:30", "2026-12-02T11:00:00+05:30", "2026-12-10T14:30:00+05:30"];
        assert_eq!(starts(&series), moved);
        let outcomes: Vec<_> = series.occurrences.iter().map(|it| (it.outcome(), it.rules.as_slice())).collect();
        let (holiday, leave) = ([pb::BookingRule::Holiday.into()], [pb::BookingRule::OnLeave.into()]);
        use pb::OccurrenceOutcome::{Booked, Shifted};
        assert_eq!(outcomes, [(Booked, &[][..]), (Shifted, &holiday[..]), (Shifted, &leave[..])]);
        assert_eq!(series.occurrences[1].planned_local_start, "2026-12-01T10:00:00+05:30");
        assert!(series.occurrences.iter().all(|it| !it.session.as_ref().unwrap().room_id.is_empty()));
    }

    async fn a_closed_session_stays_before_the_one_that_follows(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        // Closed from one Tuesday to the next, and the first is not the last.
        ngo.leave(&counsellor, "2026-12-01T00:00:00Z", "2026-12-08T04:00:00Z").await;
        let request = |count| pb::BookSeriesRequest {
            on_closure: pb::OnClosure::NextFree.into(),
            shift_within_days: 31,
            ..what_fits(weekly(&ngo, &counsellor, &client, count))
        };
        let answer = book_series(&ngo.coordinator, request(3)).await.unwrap();
        assert_eq!(answer.refused.iter().map(|it| it.number).collect::<Vec<_>>(), [2]);
        let client = ngo.survivor().await;
        let last = pb::BookSeriesRequest { client_id: client.id, time: Some(time_of_day(11, 0)), ..request(2) };
        let series = book_series(&ngo.coordinator, last).await.unwrap().series.unwrap();
        assert_eq!(starts(&series)[1], "2026-12-08T11:00:00+05:30");
    }

    async fn a_day_off_closes_and_hours_never_worked_do_not(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor_with("C1", pb::Side::Survivor, |it| {
            it.working_hours.push(pb::WorkingHours {
                recurrence: "FREQ=MONTHLY;BYDAY=1TU".into(),
                valid_from: Some(date("2026-01-01")),
                off: true,
                ..Default::default()
            });
        }).await;
        let client = ngo.survivor().await;
        let skip = pb::BookSeriesRequest {
            on_closure: pb::OnClosure::SkipAndExtend.into(),
            ..weekly(&ngo, &counsellor, &client, 3)
        };
        let evening = pb::BookSeriesRequest { time: Some(time_of_day(19, 0)), ..skip.clone() };
        let status = book_series(&ngo.coordinator, what_fits(evening)).await.unwrap_err();
        assert_eq!(refused(&status).items, ["OUTSIDE_WORKING_HOURS"]);
        assert_eq!(refused_occurrences(&status).len(), 3);
        let series = book_series(&ngo.coordinator, skip.clone()).await.unwrap().series.unwrap();
        assert_eq!(starts(&series).iter().map(|it| &it[5..10]).collect::<Vec<_>>(), ["11-24", "12-08", "12-15"]);
        assert_eq!(series.skipped.len(), 1);
        // An overridden rule closes nothing, and the reason is kept with each session that breaks it.
        let client = ngo.survivor().await;
        let overrides = vec![pb::RuleOverride { rule: pb::BookingRule::OutsideWorkingHours.into(), reason: "an exception".into() }];
        let anyway = pb::BookSeriesRequest { overrides, client_id: client.id, time: Some(time_of_day(12, 0)), ..skip };
        let series = book_series(&ngo.coordinator, anyway).await.unwrap().series.unwrap();
        assert_eq!(series.skipped, []);
        let overridden: Vec<_> = series.occurrences.iter().map(|it| it.session.as_ref().unwrap().overridden.len()).collect();
        assert_eq!(overridden, [0, 1, 0]);
    }
}
