//! Whoever is faster: the client is of one organisation, and nobody has a session where the client is not.

use aftercare::grpc::pb;
use tonic::Code;

use super::{TEN, accept, consent_to, get, list, propose, reason, withdraw};
use crate::on_both_engines;
use crate::support::{Ngo, book, booking};

/// How often each race is run.
const RUNS: usize = 6;

on_both_engines! {
    async fn it_is_accepted_or_taken_back(app) {
        let (ngo, other) = (Ngo::new(&app, "A").await, Ngo::new(&app, "B").await);
        for _ in 0..RUNS {
            let client = ngo.survivor().await;
            consent_to(&ngo, &client).await;
            let it = propose(&ngo, &client, &other).await.unwrap();
            let (taken, given_up) = tokio::join!(accept(&other.coordinator, &it), withdraw(&ngo.coordinator, &it));
            let (here, there) = (get(&ngo.coordinator, &client).await.is_ok(), get(&other.coordinator, &client).await.is_ok());
            assert_eq!((here, there), (given_up.is_ok(), taken.is_ok()));
            assert_ne!(here, there);
            let lost = if here { reason(taken) } else { reason(given_up) };
            assert_eq!(lost, "TRANSFER_OVER");
        }
    }

    async fn it_is_accepted_or_a_session_is_booked(app) {
        let (ngo, other) = (Ngo::new(&app, "A").await, Ngo::new(&app, "B").await);
        let counsellors = [ngo.counsellor("C1", pb::Side::Survivor).await, ngo.counsellor("C2", pb::Side::Survivor).await];
        for run in 0..RUNS {
            let client = ngo.survivor().await;
            consent_to(&ngo, &client).await;
            let it = propose(&ngo, &client, &other).await.unwrap();
            let start = format!("2026-11-{}T04:30:00Z", 24 + run / 2);
            let start = if run / 2 == 0 { TEN } else { start.as_str() };
            let request = booking(&ngo, &counsellors[run % 2], &client, start);
            let (taken, booked) = tokio::join!(accept(&other.coordinator, &it), book(&ngo.coordinator, request));
            match (taken, booked) {
                (Ok(_), Err(status)) => assert_eq!(status.code(), Code::NotFound),
                (taken @ Err(_), Ok(_)) => assert_eq!(reason(taken), "TRANSFER_NOT_READY"),
                other => panic!("{other:?}"),
            }
        }
    }

    async fn one_of_two_proposals_stands(app) {
        let (ngo, other) = (Ngo::new(&app, "A").await, Ngo::new(&app, "B").await);
        let third = Ngo::new(&app, "C").await;
        for _ in 0..RUNS {
            let client = ngo.survivor().await;
            consent_to(&ngo, &client).await;
            let (one, two) = tokio::join!(propose(&ngo, &client, &other), propose(&ngo, &client, &third));
            let lost = match (one, two) {
                (Ok(_), lost @ Err(_)) | (lost @ Err(_), Ok(_)) => lost,
                both => panic!("{both:?}"),
            };
            assert_eq!(reason(lost), "TRANSFER_OPEN");
        }
        assert_eq!(list(&ngo.coordinator).await.len(), RUNS);
    }
}
