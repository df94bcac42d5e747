//! The cells of the table: who calls for what, and what came back.

use std::collections::BTreeMap;

use aftercare::domain::access::{Authority, Role, TABLE};
use aftercare::domain::text::Code as DistrictCode;
use tonic::Code;

use super::objects::Objects;
use super::wire::{Answer, bears, call, renamed};
use super::{Expected, Recipe, Scope, Whose, expected, recipes_of_every_service};
use crate::police::of_nobody;
use crate::support::{Actor, TestApp};

/// Organisations with one of everything. What is called for in one column may be gone in the next.
pub struct Table {
    /// For whom people call about their own and about the other organisation's.
    own: Objects,
    /// For whom people call about the other side's.
    sides: Objects,
    other: Objects,
}

impl Table {
    pub async fn new(app: &TestApp) -> Self {
        let [own, sides, other] = Objects::of(app, ["A", "B", "C"]).await;
        Self { own, sides, other }
    }

    /// For whom people call.
    fn callers(&self, whose: Whose) -> &Objects {
        if whose == Whose::OtherSides { &self.sides } else { &self.own }
    }

    /// Who calls: for police, "another organisation's" is another district's.
    fn caller(&self, app: &TestApp, recipe: &Recipe, role: Role, whose: Whose) -> Actor {
        let Objects { ngo, counsellor, therapist, .. } = self.callers(whose);
        let organisation_id = ngo.id.parse().unwrap();
        let district = if whose == Whose::OtherOrganisations { "KL-EKM" } else { "KL-TVM" };
        match role {
            Role::Admin => app.admin(),
            Role::Coordinator => ngo.coordinator.clone(),
            Role::ClinicalLead => app.actor(Authority::ClinicalLead { organisation_id }),
            Role::Police => app.actor(Authority::Police { jurisdiction: DistrictCode::parse(district).unwrap() }),
            Role::Auditor => app.actor(Authority::Auditor),
            Role::Counsellor => {
                let treats = (recipe.scope == Scope::Offender) != (whose == Whose::OtherSides);
                ngo.as_counsellor(app, if treats { therapist } else { counsellor })
            }
        }
    }

    fn objects(&self, role: Role, whose: Whose) -> &Objects {
        match (role, whose) {
            (role, Whose::OtherOrganisations) if role != Role::Police => &self.other,
            _ => self.callers(whose),
        }
    }

    /// The request, and for police of the other side's the one with a survivor's reference.
    fn request(&self, recipe: &Recipe, role: Role, whose: Whose) -> Vec<u8> {
        let objects = self.objects(role, whose);
        let request = (recipe.request)(objects, role);
        match (recipe.scope, whose) {
            (Scope::Reference, Whose::OtherSides) => {
                renamed(&request, &[(&objects.order.reference, &objects.client.reference)])
            }
            _ => request,
        }
    }

    /// Marks that an answer must not bear.
    fn forbidden(&self, role: Role, whose: Whose) -> Vec<&str> {
        match (role, whose) {
            (Role::Police, Whose::OtherOrganisations) => vec![&self.own.order.reference],
            (_, Whose::OtherOrganisations) => self.other.marks(),
            _ => self.callers(whose).survivors_marks(),
        }
    }

    /// What the other organisation is answered about its clients. Its directory is the admin's too.
    pub async fn others(&self, app: &TestApp) -> Vec<(String, Answer)> {
        let organisation_id = self.other.ngo.id.parse().unwrap();
        let lead = app.actor(Authority::ClinicalLead { organisation_id });
        let reads = |name: &str| name.starts_with("Get") || name.starts_with("List");
        let mut all = Vec::new();
        for recipe in recipes_of_every_service() {
            let of_clients = matches!(recipe.scope, Scope::Care | Scope::Survivor | Scope::Offender);
            if of_clients && recipe.rpc.split('/').nth(1).is_some_and(reads) {
                let request = (recipe.request)(&self.other, Role::ClinicalLead);
                all.push((recipe.rpc.clone(), call(&lead, &recipe.rpc, &request).await));
            }
        }
        all
    }

    /// Fills a column: how many cells it has, and what is wrong with them.
    pub async fn column(&self, app: &TestApp, whose: Whose) -> (usize, Vec<String>) {
        let rows: BTreeMap<_, _> = TABLE.iter().copied().collect();
        let mut recipes = recipes_of_every_service();
        // What is deleted or closed is deleted or closed last.
        recipes.sort_by_key(|it| ends(&it.rpc));
        let (mut cells, mut wrong) = (0, Vec::new());
        for recipe in &recipes {
            for role in Role::ALL {
                let must = expected(recipe, rows[recipe.rpc.as_str()], *role, whose);
                let found = self.wrong(app, recipe, *role, whose, must).await;
                cells += 1;
                wrong.extend(found.map(|it| format!("{} as {role}, {whose:?}: {must:?}, but {it}", recipe.rpc)));
            }
        }
        (cells, wrong)
    }

    /// Calls, and gives what is wrong with the answer.
    async fn wrong(&self, app: &TestApp, recipe: &Recipe, role: Role, whose: Whose, must: Expected) -> Option<String> {
        let caller = self.caller(app, recipe, role, whose);
        let request = self.request(recipe, role, whose);
        let answer = call(&caller, &recipe.rpc, &request).await;
        let fine = match must {
            Expected::Denied => answer.code == Code::PermissionDenied,
            Expected::LetIn => let_in(answer.code),
            Expected::WithoutMarks => {
                answer.code == Code::Ok && !self.forbidden(role, whose).iter().any(|mark| answer.bears(mark))
            }
            Expected::Unknown => {
                let all = names([&self.own, &self.sides, &self.other].into_iter().flat_map(Objects::marks));
                let to_never: Vec<_> = all.iter().map(|(known, never)| (*known, never.as_str())).collect();
                let unknown = call(&caller, &recipe.rpc, &renamed(&request, &to_never)).await;
                let back: Vec<_> = all
                    .iter()
                    .filter(|(known, _)| bears(&request, known))
                    .map(|(known, never)| (never.as_str(), *known))
                    .collect();
                let never = unknown.renamed(&back);
                if answer != never {
                    return Some(format!("{answer:?}; of what does not exist: {never:?}"));
                }
                answer.code == Code::NotFound || answer.code == Code::Ok
            }
        };
        (!fine).then(|| format!("{answer:?}"))
    }
}

/// What can be named, and beside it what nobody has.
fn names<'a>(marks: impl Iterator<Item = &'a str>) -> Vec<(&'a str, String)> {
    let never = |(number, mark): (u8, &'a str)| match mark.len() {
        36 => (mark, format!("0193a5e0-0000-7000-8000-000000dead{number:02x}")),
        _ => (mark, of_nobody(number)),
    };
    (0..).zip(marks).map(never).collect()
}

/// Whether a call was not refused for who made it, nor because the request was none.
fn let_in(code: Code) -> bool {
    matches!(code, Code::Ok | Code::FailedPrecondition | Code::Aborted | Code::AlreadyExists)
}

/// Whether others need what a call ends.
pub fn ends(rpc: &str) -> bool {
    ["Delete", "Withdraw", "Cancel", "Close", "Terminate", "Release", "Leave", "Remove", "Invalidate", "Erase"]
        .iter()
        .any(|verb| rpc.split('/').nth(1).is_some_and(|name| name.starts_with(verb)))
}
