//! Who may call what, and of what they may call, what they see.

use aftercare::domain::access::{Authority, Role, TABLE};
use aftercare::domain::ids::{CounsellorId, OrganisationId};
use aftercare::domain::text::Code as DistrictCode;
use aftercare::grpc::pb;
use aftercare::store::Db;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use prost_reflect::DescriptorPool;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Code, Request, Status};

use crate::on_both_engines;
use crate::support::{Actor, Ngo, TestApp, book, booking, refused};

const TEN: &str = "2026-11-24T04:30:00Z";

/// Sends an empty message to any method, and throws the answer away.
#[derive(Default)]
struct Empty;

impl Codec for Empty {
    type Encode = ();
    type Decode = ();
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Empty
    }

    fn decoder(&mut self) -> Self {
        Empty
    }
}

impl Encoder for Empty {
    type Item = ();
    type Error = Status;

    fn encode(&mut self, _item: (), _into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        Ok(())
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::default()
    }
}

impl Decoder for Empty {
    type Item = ();
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<()>, Status> {
        use tonic::codegen::Bytes;
        let left = bytes_left(from);
        let _: Bytes = take(from, left);
        Ok(Some(()))
    }
}

fn bytes_left(from: &DecodeBuf<'_>) -> usize {
    prost::bytes::Buf::remaining(from)
}

fn take(from: &mut DecodeBuf<'_>, count: usize) -> prost::bytes::Bytes {
    prost::bytes::Buf::copy_to_bytes(from, count)
}

async fn call(app: &TestApp, token: Option<&str>, rpc: &str) -> Code {
    let mut grpc = tonic::client::Grpc::new(app.channel());
    grpc.ready().await.unwrap();
    let mut request = Request::new(());
    if let Some(token) = token {
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    let path: PathAndQuery = format!("/{rpc}").parse().unwrap();
    // The first message of a stream says enough, and what is no stream is one of one message.
    let first = async { grpc.server_streaming(request, path, Empty).await?.into_inner().message().await };
    match first.await {
        Ok(_) => Code::Ok,
        Err(status) => status.code(),
    }
}

fn every_rpc() -> Vec<String> {
    let pool = DescriptorPool::decode(pb::DESCRIPTORS).unwrap();
    let services = pool.services().collect::<Vec<_>>();
    services
        .iter()
        .flat_map(|service| service.methods().map(|method| format!("{}/{}", service.full_name(), method.name())))
        .collect()
}

fn authority(role: Role) -> Authority {
    let organisation_id: OrganisationId = "0193a5e0-0000-7000-8000-000000000001".parse().unwrap();
    let counsellor_id: CounsellorId = "0193a5e0-0000-7000-8000-000000000002".parse().unwrap();
    match role {
        Role::Admin => Authority::Admin,
        Role::Coordinator => Authority::Coordinator { organisation_id },
        Role::Counsellor => Authority::Counsellor { organisation_id, counsellor_id },
        Role::ClinicalLead => Authority::ClinicalLead { organisation_id },
        Role::Police => Authority::Police { jurisdiction: DistrictCode::parse("KL-TVM").unwrap() },
        Role::Auditor => Authority::Auditor,
    }
}

#[test]
fn every_rpc_stands_in_the_table_once() {
    let mut rpcs = every_rpc();
    let mut rows: Vec<String> = TABLE.iter().map(|(rpc, _)| (*rpc).to_owned()).collect();
    rpcs.sort();
    rows.sort();
    assert_eq!(rpcs, rows);
}

on_both_engines! {
    async fn every_rpc_asks_every_role(app) {
        for rpc in every_rpc() {
            let may = TABLE.iter().find(|(name, _)| *name == rpc).unwrap().1;
            for role in Role::ALL {
                let actor = app.actor(authority(*role));
                let code = call(&app, Some(&actor.token), &rpc).await;
                if may.contains(role) {
                    // An empty request may be wrong or about nothing, but it is let in.
                    let fine = [Code::Ok, Code::InvalidArgument, Code::NotFound];
                    assert!(fine.contains(&code), "{role} on {rpc}: {code:?}");
                } else {
                    assert_eq!(code, Code::PermissionDenied, "{role} on {rpc}");
                }
            }
            assert_eq!(call(&app, None, &rpc).await, Code::Unauthenticated, "{rpc}");
        }
        let admin = app.admin();
        let unknown = "aftercare.v1.SchedulingService/Unknown";
        assert_eq!(call(&app, Some(&admin.token), unknown).await, Code::PermissionDenied);
        assert_eq!(call(&app, None, "grpc.health.v1.Health/Check").await, Code::Ok);
    }

    async fn only_a_good_token_lets_in(app) {
        let rpc = "aftercare.v1.DirectoryService/ListOrganisations";
        let now = app.now();
        let good = app.token("a", Authority::Admin, now, TimeDelta::hours(1));
        assert_eq!(call(&app, Some(&good), rpc).await, Code::Ok);
        let parts: Vec<&str> = good.split('.').collect();
        let claims: serde_json::Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
        let with = |name: &str, value: serde_json::Value| {
            let mut claims = claims.clone();
            claims[name] = value;
            signed_by_us(&app, &claims)
        };
        let unsigned = |header: &str| {
            format!("{}.{}.", URL_SAFE_NO_PAD.encode(header), parts[1])
        };
        let wrong = [
            ("expired", app.token("a", Authority::Admin, now - TimeDelta::hours(2), TimeDelta::hours(1))),
            ("not yet valid", app.token("a", Authority::Admin, now + TimeDelta::minutes(2), TimeDelta::hours(1))),
            ("other audience", with("aud", "elsewhere".into())),
            ("other issuer", with("iss", "elsewhere".into())),
            ("no subject", with("sub", "".into())),
            ("unknown role", with("role", "owner".into())),
            ("coordinator of nothing", with("role", "coordinator".into())),
            ("counsellor of nothing", with("role", "counsellor".into())),
            ("police of nowhere", with("role", "police".into())),
            ("no algorithm", unsigned(r#"{"alg":"none","typ":"JWT"}"#)),
            ("changed", format!("{}.{}x.{}", parts[0], parts[1], parts[2])),
            ("the public key as a secret", hs256_with_public_key(&app, parts[1])),
            ("nothing", String::new()),
            ("noise", "a.b.c".into()),
        ];
        assert_eq!(call(&app, Some(&with("sub", "b".into())), rpc).await, Code::Ok);
        for (what, token) in wrong {
            assert_eq!(call(&app, Some(&token), rpc).await, Code::Unauthenticated, "{what}");
        }
        // A minute of difference between clocks is forgiven, more is not.
        app.clock.set(now + TimeDelta::minutes(60) + TimeDelta::seconds(59));
        assert_eq!(call(&app, Some(&good), rpc).await, Code::Ok);
        app.clock.set(now + TimeDelta::minutes(61));
        assert_eq!(call(&app, Some(&good), rpc).await, Code::Unauthenticated);
        // Nor by having been good before, when the clock is put back.
        app.clock.set(now - TimeDelta::seconds(60));
        assert_eq!(call(&app, Some(&good), rpc).await, Code::Ok);
        app.clock.set(now - TimeDelta::seconds(61));
        assert_eq!(call(&app, Some(&good), rpc).await, Code::Unauthenticated);
    }

    async fn what_is_anothers_does_not_exist(app) {
        let (own, other) = (Ngo::new(&app, "A").await, Ngo::new(&app, "B").await);
        let (mine, theirs) =
            (own.counsellor("C1", pb::Side::Survivor).await, other.counsellor("C1", pb::Side::Survivor).await);
        let (client, stranger) = (own.survivor().await, other.survivor().await);
        let case = other.party_of("12/2026", "Example Nagar", &stranger).await;
        let session = book(&other.coordinator, booking(&other, &theirs, &stranger, TEN)).await.unwrap();
        let room = other.room("R1").await;
        let me = &own.coordinator;
        let unknown = "0193a5e0-0000-7000-8000-00000000dead";
        let mut answers = Vec::new();
        // Each is asked for with an id of the other organisation and with one that nobody has.
        macro_rules! both {
            ($service:ident.$rpc:ident($request:ident { $field:ident: $id:expr })) => {
                let of = |id: &str| {
                    let mut request = pb::$request::default();
                    request.$field = id.into();
                    request
                };
                let known = me.$service().$rpc(of(&$id)).await.unwrap_err();
                let never = me.$service().$rpc(of(unknown)).await.unwrap_err();
                answers.push((stringify!($rpc), known, never));
            };
        }
        both!(directory.get_organisation(GetOrganisationRequest { organisation_id: other.id }));
        both!(directory.get_agreement(GetAgreementRequest { agreement_id: other.agreement(&app).await.id }));
        both!(directory.get_site(GetSiteRequest { site_id: other.site.id }));
        both!(directory.get_venue(GetVenueRequest { venue_id: other.venue.id }));
        both!(directory.get_room(GetRoomRequest { room_id: room.id }));
        both!(directory.get_counsellor(GetCounsellorRequest { counsellor_id: theirs.id }));
        both!(clients.get_client(GetClientRequest { client_id: stranger.id }));
        both!(clients.get_case(GetCaseRequest { case_id: case.id }));
        both!(clients.list_no_contacts(ListNoContactsRequest { client_id: stranger.id }));
        both!(clients.list_guardians(ListGuardiansRequest { client_id: stranger.id }));
        both!(clients.list_consents(ListConsentsRequest { client_id: stranger.id }));
        both!(clients.list_conflicts(ListConflictsRequest { client_id: stranger.id }));
        both!(clients.list_proceedings(ListProceedingsRequest { case_id: case.id }));
        both!(scheduling.get_session(GetSessionRequest { session_id: session.id }));
        for (rpc, known, never) in answers {
            assert_eq!(known.code(), Code::NotFound, "{rpc}");
            assert_eq!((known.message(), known.details()), (never.message(), never.details()), "{rpc}");
        }
        // Nor can it be changed or used.
        let not_found = |status: Status| assert_eq!(status.code(), Code::NotFound, "{status:?}");
        not_found(own.cancel(&session).await.unwrap_err());
        not_found(book(me, booking(&own, &theirs, &client, TEN)).await.unwrap_err());
        not_found(book(me, booking(&own, &mine, &stranger, TEN)).await.unwrap_err());
        not_found(book(me, booking(&other, &mine, &client, TEN)).await.unwrap_err());
        let venue = pb::Venue { name: "Example".into(), ..other.venue.clone() };
        let request = pb::UpdateVenueRequest { venue: Some(venue), ..Default::default() };
        not_found(me.directory().update_venue(request).await.unwrap_err());
        let foreign = pb::Room { venue_id: other.venue.id.clone(), code: "R2".into(), name: "R".into(), ..Default::default() };
        let request = pb::CreateRoomRequest { room: Some(foreign), ..Default::default() };
        not_found(me.directory().create_room(request).await.unwrap_err());
        let foreign = pb::Counsellor { organisation_id: other.id.clone(), code: "C9".into(), ..mine.clone() };
        let request = pb::CreateCounsellorRequest { counsellor: Some(foreign), ..Default::default() };
        not_found(me.directory().create_counsellor(request).await.unwrap_err());
        let change = pb::AddCasePartyRequest {
            case_id: case.id.clone(),
            etag: case.etag.clone(),
            party: Some(pb::CaseParty { client_id: client.id.clone(), role: 1 }),
            ..Default::default()
        };
        not_found(me.clients().add_case_party(change).await.unwrap_err());
        // Lists hold the own alone.
        let all = me.directory().list_counsellors(pb::ListCounsellorsRequest::default()).await.unwrap().into_inner();
        assert_eq!(all.counsellors, [mine]);
        let all = me.clients().list_clients(pb::ListClientsRequest::default()).await.unwrap().into_inner();
        assert_eq!(all.clients.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), [client.id]);
        let all = me.directory().list_organisations(pb::ListOrganisationsRequest::default()).await.unwrap().into_inner();
        assert_eq!(all.organisations.len(), 1);
    }

    async fn a_counsellor_reads_the_own_clients_and_lists_carry_no_names(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (one, other) =
            (ngo.counsellor("C1", pb::Side::Survivor).await, ngo.counsellor("C2", pb::Side::Survivor).await);
        let client = ngo.survivor().await;
        book(&ngo.coordinator, booking(&ngo, &one, &client, TEN)).await.unwrap();
        let get = pb::GetClientRequest { client_id: client.id.clone() };
        let (mine, theirs) = (ngo.as_counsellor(&app, &one), ngo.as_counsellor(&app, &other));
        let read = mine.clients().get_client(get.clone()).await.unwrap().into_inner().client.unwrap();
        assert_eq!((read.name.as_str(), &read), ("Person Zyqvorn", &client));
        assert_eq!(theirs.clients().get_client(get).await.unwrap_err().code(), Code::NotFound);
        let list = |actor: Actor| async move {
            actor.clients().list_clients(pb::ListClientsRequest::default()).await.unwrap().into_inner().clients
        };
        assert!(list(theirs.clone()).await.is_empty());
        // A session that was cancelled gives nobody access.
        let day = "2026-11-25T04:30:00Z";
        let session = book(&ngo.coordinator, booking(&ngo, &other, &client, day)).await.unwrap();
        ngo.cancel(&session).await.unwrap();
        let get = pb::GetClientRequest { client_id: client.id.clone() };
        assert_eq!(theirs.clients().get_client(get).await.unwrap_err().code(), Code::NotFound);
        assert!(list(theirs).await.is_empty());
        let listed = list(mine).await;
        assert_eq!((listed.len(), listed[0].name.as_str()), (1, ""));
        assert_eq!(listed[0].reference, client.reference);
    }

    async fn what_was_done_read_refused_and_denied_is_kept(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        let session = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, TEN)).await.unwrap();
        book(&ngo.coordinator, booking(&ngo, &counsellor, &client, TEN)).await.unwrap_err();
        let police = app.actor(authority(Role::Police));
        let denied = book(&police, booking(&ngo, &counsellor, &client, TEN)).await.unwrap_err();
        assert_eq!(refused(&denied).reason, "ROLE_NOT_ALLOWED");
        let get = pb::GetClientRequest { client_id: client.id.clone() };
        ngo.coordinator.clients().get_client(get).await.unwrap();
        let unknown = pb::GetSessionRequest { session_id: client.id.clone() };
        ngo.coordinator.scheduling().get_session(unknown).await.unwrap_err();
        let db = Db::open(&app.db.target, 1).await.unwrap();
        let mut tx = db.begin_read().await.unwrap();
        let rows = tx
            .sql(
                "SELECT role, action, outcome, reason, CAST(details AS TEXT), CAST(subjects AS TEXT)
                   FROM audit_event ORDER BY occurred_at, id",
            )
            .all::<(String, String, String, Option<String>, String, String)>()
            .await
            .unwrap();
        let about = |action: &str| {
            let ends = move |row: &&(String, String, String, Option<String>, String, String)| row.1.ends_with(action);
            rows.iter().filter(ends).cloned().collect::<Vec<_>>()
        };
        let bookings = about("/BookSession");
        let outcomes: Vec<_> = bookings.iter().map(|row| (row.0.as_str(), row.2.as_str())).collect();
        // Ids of one millisecond are in no order among themselves.
        let mut sorted = outcomes.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, [("coordinator", "DONE"), ("coordinator", "REFUSED"), ("police", "DENIED")]);
        let done = bookings.iter().find(|row| row.2 == "DONE").unwrap();
        assert!(done.5.contains(&session.id) && done.5.contains(&client.id));
        let refusal = bookings.iter().find(|row| row.2 == "REFUSED").unwrap();
        assert_eq!(refusal.3.as_deref(), Some("BOOKING_REFUSED"));
        assert!(refusal.4.contains("COUNSELLOR_BUSY") && refusal.4.contains("CLIENT_BUSY"));
        assert_eq!(about("/GetClient").len(), 1);
        assert_eq!(about("/GetSession")[0].3.as_deref(), Some("NOT_FOUND"));
        assert!(!format!("{rows:?}").contains("Zyqvorn"));
    }
}

/// A token with these claims, signed with the key of the service.
fn signed_by_us(app: &TestApp, claims: &serde_json::Value) -> String {
    let key = std::fs::read(app.data_dir().join("issuer.key")).unwrap();
    let header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::EdDSA);
    jsonwebtoken::encode(&header, claims, &jsonwebtoken::EncodingKey::from_ed_der(&key)).unwrap()
}

/// The classic trick: the public key, which is no secret, as the secret of an HMAC.
fn hs256_with_public_key(app: &TestApp, claims: &str) -> String {
    use ed25519_dalek::pkcs8::DecodePrivateKey;
    let key = std::fs::read(app.data_dir().join("issuer.key")).unwrap();
    let public = ed25519_dalek::SigningKey::from_pkcs8_der(&key).unwrap().verifying_key();
    let claims: serde_json::Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    let header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
    jsonwebtoken::encode(&header, &claims, &jsonwebtoken::EncodingKey::from_secret(public.as_bytes())).unwrap()
}
