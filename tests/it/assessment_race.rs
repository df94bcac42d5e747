//! Rivals over one survivor's assessments: one of a day stands, and one correction of each.

use aftercare::grpc::pb;
use futures_util::future::join_all;
use tonic::Status;

use crate::on_both_engines;
use crate::race::no_deadlock;
use crate::support::assessment::{Followed, correcting, pcl, progress, submit, submitted};
use crate::support::refused;

/// The one that won, and why the others did not.
fn winner<T: Clone + std::fmt::Debug>(all: &[Result<T, Status>]) -> (T, Vec<String>) {
    let won: Vec<_> = all.iter().filter_map(|it| it.as_ref().ok()).collect();
    assert_eq!(won.len(), 1, "{all:?}");
    (won[0].clone(), all.iter().filter_map(|it| it.as_ref().err()).map(|it| refused(it).reason).collect())
}

on_both_engines! {
    async fn of_rivals_one_is_recorded_and_one_corrects(app) {
        let mut it = Followed::new(&app, "1990-05-06").await;
        it.go_to(&app, "2026-12-01");
        let beside = app.beside().await;
        let here = it.me(&app);
        let there = beside.bearer(here.token.clone());
        for month in 2..6 {
            let day = format!("2026-{month:02}-01");
            let rivals = [(&here, 40), (&there, 41), (&here, 42), (&there, 43)];
            let all = rivals.map(|(actor, total)| submit(actor, it.sheet(&day, "PCL_5", &pcl(total))));
            let (first, lost) = winner(&join_all(all).await);
            assert_eq!(lost, ["ALREADY_ASSESSED"; 3]);
            let all = rivals.map(|(actor, total)| submit(actor, correcting(&first, it.sheet(&day, "PCL_5", &pcl(total)))));
            let (_, lost) = winner(&join_all(all).await);
            assert_eq!(lost, ["SUPERSEDED"; 3]);
        }
        let series = progress(&here, &it.client).await.unwrap().remove(0).assessments;
        assert_eq!(series.len(), 4);
        // The same request, sent twice at once, is one.
        let request_id = "0193a5e0-0000-7000-8000-000000000001".to_owned();
        let risk = it.sheet("2026-06-01", "PHQ_9", "0,0,0,0,0,0,0,0,2");
        let same = pb::SubmitAssessmentRequest { request_id, ..risk };
        let all = join_all([&here, &there, &here].map(|actor| submitted(actor, same.clone()))).await;
        let all: Vec<_> = all.into_iter().map(Result::unwrap).collect();
        assert!(all.iter().all(|it| *it == all[0] && it.escalations.len() == 1));
        no_deadlock(&app).await;
    }
}
