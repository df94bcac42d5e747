//! Every RPC, as every role, about what is the caller's own, another organisation's, and the other side's.
//!
//! Three organisations have one of everything. For each RPC there is a request that could be granted; what each caller is
//! answered follows from the table of `domain::access` and from what the request names. What a caller may not know of
//! is answered byte for byte as what does not exist.

mod access;
mod attendance;
mod audit;
mod client;
mod compliance;
mod directory;
mod followup;
mod made;
mod objects;
mod privacy;
mod scheduling;
mod table;
mod wire;

use aftercare::domain::access::{Role, TABLE};

pub use self::objects::Objects;
use self::table::Table;
pub use self::table::ends;
pub use self::wire::{Answer, call};
use crate::on_both_engines;

/// What a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// Nothing of anybody.
    Open,
    /// Whatever of the directory the caller may see.
    Directory,
    /// Whatever of clients the caller may see.
    Care,
    /// What the request names, of the directory.
    Organisation,
    /// What the request names, about a survivor.
    Survivor,
    /// What the request names, about an offender.
    Offender,
    /// What an organisation has of its own accord, without a name: the caller's own.
    Own,
    /// A reference at which police look.
    Reference,
    /// Whatever police may see.
    Jurisdiction,
}

/// A request for one RPC.
pub struct Recipe {
    pub rpc: String,
    scope: Scope,
    pub request: fn(&Objects, Role) -> Vec<u8>,
    /// How the message of some bytes prints.
    pub printed: fn(&[u8]) -> String,
}

/// The recipes of one service: `Rpc RpcRequest Scope { field: value }`, over the objects that the first name stands for.
macro_rules! recipes {
    ($service:literal, |$it:ident, $role:ident| $($rpc:ident $request:ident $scope:ident { $($field:ident: $value:expr),* $(,)? })*) => {
        pub(super) fn recipes() -> Vec<super::Recipe> {
            vec![$(super::Recipe {
                rpc: concat!("aftercare.v1.", $service, "/", stringify!($rpc)).into(),
                scope: super::Scope::$scope,
                request: |$it, $role| {
                    let _ = ($it, $role);
                    #[allow(clippy::needless_update, reason = "some requests have these fields alone")]
                    let request = pb::$request { $($field: $value,)* ..Default::default() };
                    prost::Message::encode_to_vec(&request)
                },
                printed: |bytes| {
                    let request: pb::$request = prost::Message::decode(bytes).unwrap();
                    format!("{request:?} {request:#?}")
                },
            }),*]
        }
    };
}
pub(crate) use recipes;

/// A request for each RPC.
pub fn recipes_of_every_service() -> Vec<Recipe> {
    [
        access::recipes(),
        attendance::recipes(),
        audit::recipes(),
        client::recipes(),
        compliance::recipes(),
        directory::recipes(),
        followup::recipes(),
        privacy::recipes(),
        scheduling::recipes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Whose things a call is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Own,
    OtherOrganisations,
    OtherSides,
}

/// What a caller must be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    /// The role may never call this.
    Denied,
    /// It is done, or refused for what it asks: not for who asks it.
    LetIn,
    /// The same as for what does not exist.
    Unknown,
    /// Done, without a mark of what the caller may not know of.
    WithoutMarks,
}

fn expected(recipe: &Recipe, roles: &[Role], role: Role, whose: Whose) -> Expected {
    use Scope::{Care, Directory, Jurisdiction, Offender, Open, Organisation, Own, Reference, Survivor};
    if !roles.contains(&role) {
        return Expected::Denied;
    }
    match (whose, recipe.scope, role) {
        (Whose::Own, ..) | (_, Open | Own, _) | (_, Directory | Organisation, Role::Admin) => Expected::LetIn,
        // Who did what when, of everybody, and nothing else.
        (.., Role::Auditor) => Expected::LetIn,
        (Whose::OtherOrganisations, Directory | Care | Jurisdiction, _) => Expected::WithoutMarks,
        (Whose::OtherOrganisations, Organisation | Survivor | Offender | Reference, _) => Expected::Unknown,
        // Both sides work with one directory.
        (Whose::OtherSides, Directory | Organisation, _) => Expected::LetIn,
        (Whose::OtherSides, Care, Role::Counsellor) => Expected::WithoutMarks,
        (Whose::OtherSides, Survivor | Offender, Role::Counsellor) => Expected::Unknown,
        (Whose::OtherSides, Reference, _) => Expected::Unknown,
        (Whose::OtherSides, Jurisdiction, _) => Expected::WithoutMarks,
        // Coordinators and clinical leads answer for both sides of their organisation.
        (Whose::OtherSides, Care | Survivor | Offender, _) => Expected::LetIn,
    }
}

#[test]
fn every_rpc_has_a_recipe() {
    let mut recipes: Vec<_> = recipes_of_every_service().into_iter().map(|it| it.rpc).collect();
    let mut rpcs: Vec<_> = TABLE.iter().map(|(rpc, _)| (*rpc).to_owned()).collect();
    recipes.sort();
    rpcs.sort();
    assert_eq!(recipes, rpcs);
}

on_both_engines! {
    async fn every_role_sees_its_own_and_nothing_else(app) {
        let table = Table::new(&app).await;
        let before = table.others(&app).await;
        let hidden = table.column(&app, Whose::OtherOrganisations).await;
        // Whoever named what is another organisation's has changed nothing of it.
        let after = table.others(&app).await;
        let columns = [hidden, table.column(&app, Whose::OtherSides).await, table.column(&app, Whose::Own).await];
        let (cells, wrong): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
        let wrong = wrong.concat();
        assert!(wrong.is_empty(), "{} wrong cells:\n{}", wrong.len(), wrong.join("\n"));
        assert_eq!(cells, [TABLE.len() * Role::ALL.len(); 3]);
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(before, after);
        }
    }
}
