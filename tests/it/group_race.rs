//! Rivals over the places of a group: exactly as many are admitted as there are places, at two processes,
//! many rounds, without a deadlock.

use aftercare::grpc::pb;
use futures_util::future::join_all;

use crate::on_both_engines;
use crate::race::no_deadlock;
use crate::support::{Ngo, book, booking, group_of, join, joining, leaving, refused, remove};

const RIVALS: usize = 40;
const ROUNDS: usize = 4;
const SEATS: usize = 12;

fn day(round: usize) -> String {
    format!("2026-11-{:02}T04:30:00Z", 24 + round)
}

fn clients_of(session: &pb::Session) -> Vec<&str> {
    session.group.as_ref().unwrap().participants.iter().map(|it| it.client_id.as_str()).collect()
}

on_both_engines! {
    async fn a_group_admits_as_many_as_it_has_places(app) {
        let ngo = Ngo::new(&app, "A").await;
        let process = app.beside().await;
        let there = process.bearer(ngo.coordinator.token.clone());
        let (lead, other) = (ngo.counsellor("O1", pb::Side::Offender).await, ngo.counsellor("O2", pb::Side::Offender).await);
        let clients = join_all((0..RIVALS).map(|_| ngo.offender())).await;
        // A survivor with whom some of them are linked, so that links are claimed too.
        let survivor = ngo.survivor().await;
        let mut case = ngo.party_of("12/2026", "Example Nagar", &survivor).await;
        for client in clients.iter().step_by(4) {
            case = ngo.add_party(&case, client, 2).await;
        }
        for round in 0..ROUNDS {
            let mut request = group_of(SEATS as i32, &[], booking(&ngo, &lead, &clients[0], &day(round)));
            request.group.as_mut().unwrap().co_facilitator_ids = vec![other.id.clone()];
            let session = book(&ngo.coordinator, request).await.unwrap();
            let calls = clients.iter().enumerate().map(|(at, client)| {
                let actor = if at % 2 == 0 { ngo.coordinator.clone() } else { there.clone() };
                let request = joining(&session, client);
                tokio::spawn(async move { join(&actor, request).await })
            });
            let answers: Vec<_> = join_all(calls).await.into_iter().map(Result::unwrap).collect();
            assert_eq!(answers.iter().filter(|it| it.is_ok()).count(), SEATS, "round {round}");
            for status in answers.iter().filter_map(|it| it.as_ref().err()) {
                assert_eq!(refused(status).items, ["GROUP_FULL"], "{status:?}");
            }
            let full = ngo.session(&session.id).await;
            for (client, answer) in clients.iter().zip(&answers) {
                assert_eq!(clients_of(&full).contains(&client.id.as_str()), answer.is_ok());
            }
        }
        no_deadlock(&app).await;
    }

    async fn some_join_while_others_leave_and_one_is_wanted_twice(app) {
        let ngo = Ngo::new(&app, "A").await;
        let process = app.beside().await;
        let there = process.bearer(ngo.coordinator.token.clone());
        let (lead, other) = (ngo.counsellor("C1", pb::Side::Survivor).await, ngo.counsellor("C2", pb::Side::Survivor).await);
        let clients = join_all((0..8).map(|_| ngo.survivor())).await;
        let offender = ngo.offender().await;
        let case = ngo.party_of("7/2026", "Example Nagar", &offender).await;
        let case = ngo.add_party(&case, &clients[0], 1).await;
        ngo.add_party(&case, &clients[7], 1).await;
        for round in 0..2 * ROUNDS {
            let start = day(round % ROUNDS).replace("T04", if round < ROUNDS { "T04" } else { "T07" });
            let group = |lead, clients: &[pb::Client]| group_of(4, clients, booking(&ngo, lead, &clients[0], &start));
            let first = book(&ngo.coordinator, group(&lead, &clients[..3])).await.unwrap();
            let second = book(&ngo.coordinator, group(&other, &clients[3..6])).await.unwrap();
            // Both groups want the seventh, one of them also the eighth; the first of the first leaves it.
            let (here, there) = (&ngo.coordinator, &there);
            let (one, two, eighth, left) = tokio::join!(
                join(here, joining(&first, &clients[6])),
                join(there, joining(&second, &clients[6])),
                join(there, joining(&first, &clients[7])),
                remove(here, leaving(&first, &clients[0])),
            );
            assert!(one.is_ok() != two.is_ok() || one.is_err(), "{one:?} {two:?}");
            for status in [one.err(), two.err()].into_iter().flatten() {
                let items = refused(&status).items;
                assert!(items.iter().all(|it| it == "CLIENT_BUSY" || it == "GROUP_FULL"), "{status:?}");
            }
            if let Err(status) = &eighth {
                assert_eq!(refused(status).items, ["GROUP_FULL"], "{status:?}");
            }
            if let Err(status) = &left {
                assert_eq!(refused(status).reason, "ETAG_MISMATCH", "{status:?}");
            }
            let (first, second) = (ngo.session(&first.id).await, ngo.session(&second.id).await);
            let seventh = |session: &pb::Session| clients_of(session).contains(&clients[6].id.as_str());
            assert!(!(seventh(&first) && seventh(&second)));
            assert!(clients_of(&first).len() <= 4 && clients_of(&second).len() <= 4);
            assert_eq!(clients_of(&first).contains(&clients[0].id.as_str()), left.is_err());
        }
        no_deadlock(&app).await;
    }
}
