//! Programs: their tokens name no role, which the service knows, narrows and ends.

use aftercare::auth::Grant;
use aftercare::domain::access::Authority;
use aftercare::grpc::pb;
use chrono::TimeDelta;
use tonic::{Code, Status};

use crate::on_both_engines;
use crate::support::{Actor, Ngo, TestApp, refused};

const LIST_SESSIONS: &str = "aftercare.v1.SchedulingService/ListSessions";
const WATCH_SESSIONS: &str = "aftercare.v1.SchedulingService/WatchSessions";

/// A program's token, which names no role.
fn program(app: &TestApp, principal: &str) -> Actor {
    let life = TimeDelta::hours(24);
    let grant = Grant { principal: principal.into(), authority: None, at: app.now(), life, id: app.world().uuid() };
    app.bearer(app.issue(&grant))
}

fn account(ngo: &Ngo) -> pb::ServiceAccount {
    pb::ServiceAccount {
        code: "BOARD".into(),
        principal: "board".into(),
        role: pb::AccountRole::Coordinator.into(),
        organisation_id: ngo.id.clone(),
        methods: vec![LIST_SESSIONS.into(), WATCH_SESSIONS.into()],
        ..Default::default()
    }
}

async fn create(app: &TestApp, account: pb::ServiceAccount) -> Result<pb::ServiceAccount, Status> {
    let request = pb::CreateServiceAccountRequest { service_account: Some(account), ..Default::default() };
    Ok(app.admin().access().create_service_account(request).await?.into_inner().service_account.unwrap())
}

async fn update(app: &TestApp, account: &pb::ServiceAccount) -> Result<pb::ServiceAccount, Status> {
    let request = pb::UpdateServiceAccountRequest { service_account: Some(account.clone()), ..Default::default() };
    Ok(app.admin().access().update_service_account(request).await?.into_inner().service_account.unwrap())
}

async fn list(actor: &Actor) -> Code {
    let answer = actor.scheduling().list_sessions(pb::ListSessionsRequest::default()).await;
    answer.map_or_else(|status| status.code(), |_| Code::Ok)
}

on_both_engines! {
    async fn a_program_is_what_its_account_says_and_no_more(app) {
        let ngo = Ngo::new(&app, "A").await;
        let board = program(&app, "board");
        assert_eq!(list(&board).await, Code::Unauthenticated);
        let made = create(&app, account(&ngo)).await.unwrap();
        assert_eq!(list(&board).await, Code::Ok);
        // What the role may call and the account was not narrowed to.
        let denied = board.clients().list_clients(pb::ListClientsRequest::default()).await.unwrap_err();
        assert_eq!((denied.code(), refused(&denied).reason.as_str()), (Code::PermissionDenied, "ROLE_NOT_ALLOWED"));
        let trail = app.audit().await;
        assert!(trail.iter().any(|it| it.action.ends_with("/ListClients") && it.outcome == "DENIED"));
        // A token that names a role for its subject is no way around.
        let organisation_id = ngo.id.parse().unwrap();
        let authority = Authority::Coordinator { organisation_id };
        let wide = app.bearer(app.token("board", authority, app.now(), TimeDelta::hours(1)));
        assert_eq!(list(&wide).await, Code::Unauthenticated);
        let wider = pb::ServiceAccount { methods: Vec::new(), ..made };
        update(&app, &wider).await.unwrap();
        board.clients().list_clients(pb::ListClientsRequest::default()).await.unwrap();
    }

    async fn an_account_ends_on_its_day_and_when_it_is_disabled(app) {
        let ngo = Ngo::new(&app, "A").await;
        let board = program(&app, "board");
        let made = create(&app, account(&ngo)).await.unwrap();
        let mut stream =
            board.scheduling().watch_sessions(pb::WatchSessionsRequest::default()).await.unwrap().into_inner();
        stream.message().await.unwrap().unwrap();
        let disabled = update(&app, &pb::ServiceAccount { disabled: true, ..made }).await.unwrap();
        assert_eq!(list(&board).await, Code::Unauthenticated);
        assert_eq!(stream.message().await.unwrap_err().code(), Code::Unauthenticated);
        let end = app.now() + TimeDelta::hours(1);
        let ends = prost_types::Timestamp { seconds: end.timestamp(), nanos: 0 };
        let back = pb::ServiceAccount { disabled: false, expires_at: Some(ends), ..disabled };
        update(&app, &back).await.unwrap();
        assert_eq!(list(&board).await, Code::Ok);
        app.clock.set(end);
        assert_eq!(list(&board).await, Code::Unauthenticated);
        assert_eq!(update(&app, &back).await.unwrap_err().code(), Code::Aborted);
    }

    async fn an_account_has_one_role_and_what_belongs_to_it(app) {
        let (ngo, other) = (Ngo::new(&app, "A").await, Ngo::new(&app, "B").await);
        let theirs = other.counsellor("C1", pb::Side::Survivor).await;
        let of = |role: pb::AccountRole| pb::ServiceAccount { role: role.into(), ..account(&ngo) };
        let wrong = [
            // Police with an organisation, and an organisation's method.
            (of(pb::AccountRole::Police), vec!["service_account.role", "service_account.methods[0]",
                "service_account.methods[1]"]),
            (of(pb::AccountRole::Counsellor), vec!["service_account.role"]),
            (pb::ServiceAccount { jurisdiction: "KL-TVM".into(), ..account(&ngo) }, vec!["service_account.role"]),
            (pb::ServiceAccount { organisation_id: String::new(), ..account(&ngo) }, vec!["service_account.role"]),
            (pb::ServiceAccount { counsellor_id: theirs.id.clone(), ..of(pb::AccountRole::Counsellor) },
                vec!["service_account.counsellor_id"]),
            (pb::ServiceAccount::default(),
                vec!["service_account.code", "service_account.principal", "service_account.role"]),
        ];
        for (account, items) in wrong {
            let refusal = refused(&create(&app, account).await.unwrap_err());
            assert_eq!((refusal.code, refusal.items), (Code::InvalidArgument, items.iter().map(ToString::to_string).collect()));
        }
        let made = create(&app, account(&ngo)).await.unwrap();
        let twice = pb::ServiceAccount { code: "OTHER".into(), ..account(&ngo) };
        assert_eq!(create(&app, twice).await.unwrap_err().code(), Code::AlreadyExists);
        // What never changes is not taken over.
        let changed = pb::ServiceAccount { role: pb::AccountRole::Admin.into(), organisation_id: String::new(), ..made.clone() };
        let after = update(&app, &changed).await.unwrap();
        assert_eq!((after.role(), &after.organisation_id), (pb::AccountRole::Coordinator, &ngo.id));
        let all = app.admin().access().list_service_accounts(pb::ListServiceAccountsRequest::default()).await;
        assert_eq!(all.unwrap().into_inner().service_accounts, [after]);
    }
}
