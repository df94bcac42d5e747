//! Who could stand in for a counsellor at a session: a pure function of the facts.

use std::collections::BTreeMap;

use super::ids::{CounsellorId, SiteId};
use super::party::Party;
use super::rules::{Candidate, CounsellorFacts, Facts, Occasion, RuleCode, broken};
use super::session::Session;
use super::slots::SlotReason;
use super::time::{Span, Spans, local_day, monday_of};

/// How many substitutes are proposed for one session; a parameter of ours.
pub const MOST_SUBSTITUTES: usize = 3;
/// For how many sessions substitutes are proposed or applied at once; a parameter of ours.
pub const MOST_AT_ONCE: usize = 100;

/// Somebody who could stand in without breaking a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Substitute {
    /// Who.
    pub counsellor_id: CounsellorId,
    /// What speaks for this one.
    pub reasons: Vec<SlotReason>,
}

/// What is proposed for one session.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// The session as it stands.
    pub session: Session,
    /// Who could stand in, best first.
    pub substitutes: Vec<Substitute>,
    /// When nobody could: against how many counsellors each rule stood.
    pub exclusions: Vec<(RuleCode, u32)>,
}

/// The best substitutes for one of the counsellors of a session: who has seen most of its clients, then who
/// has the fewest sessions that day, then by id.
pub fn propose(session: &Session, replaced: CounsellorId, facts: &Facts) -> Proposal {
    let mut fit = Vec::new();
    let mut against: BTreeMap<RuleCode, u32> = BTreeMap::new();
    for (id, counsellor) in facts.counsellors.iter().filter(|(id, _)| !session.is_led_by(**id)) {
        let (counsellor_id, party) = session.led_instead(*id, replaced);
        let candidate = Candidate { counsellor_id, ..session.candidate(&party) };
        let rules = broken(candidate, facts, Occasion::Reassigning);
        if rules.is_empty() {
            fit.push((strangers(session, *id, facts), counsellor.load_on(session.span.starts_at()), *id));
        }
        for rule in rules {
            *against.entry(rule).or_default() += 1;
        }
    }
    fit.sort_unstable();
    let lightest = fit.iter().map(|(_, load, _)| *load).min();
    let substitute = |(strangers, load, counsellor_id): &(usize, u32, CounsellorId)| {
        let known = (*strangers < session.participants.len()).then_some(SlotReason::Continuity);
        let light = (Some(*load) == lightest).then_some(SlotReason::LightestLoad);
        Substitute { counsellor_id: *counsellor_id, reasons: known.into_iter().chain(light).collect() }
    };
    Proposal {
        session: session.clone(),
        substitutes: fit.iter().take(MOST_SUBSTITUTES).map(substitute).collect(),
        exclusions: if fit.is_empty() { against.into_iter().collect() } else { Vec::new() },
    }
}

/// How many of the clients a counsellor has never seen.
fn strangers(session: &Session, id: CounsellorId, facts: &Facts) -> usize {
    let knows = |client_id| facts.clients.get(&client_id).is_some_and(|it| it.seen_by.contains(&id));
    session.clients().into_iter().filter(|client_id| !knows(*client_id)).count()
}

impl Session {
    /// Who leads it and who meets, with one counsellor in the place of another.
    pub fn led_instead(&self, new: CounsellorId, instead_of: CounsellorId) -> (CounsellorId, Party) {
        match self.counsellor_id == instead_of {
            true => (new, self.party()),
            false => (self.counsellor_id, self.party().with_co_facilitator(new, instead_of)),
        }
    }
}

impl CounsellorFacts {
    /// Counts a session that is only proposed among those that there are.
    pub fn take(&mut self, span: Span, site_id: Option<SiteId>) {
        let with = |all: &Spans, more: Span| -> Spans { all.joined().iter().copied().chain([more]).collect() };
        self.busy = with(&self.busy, self.counsellor.occupied_by(span));
        let day = local_day(span.starts_at(), self.counsellor.zone);
        *self.sessions_on.entry(day).or_default() += 1;
        *self.sessions_in_week.entry(monday_of(day)).or_default() += 1;
        let travel = span.padded(self.counsellor.travel_for, self.counsellor.travel_for);
        for (_, around) in self.elsewhere.iter_mut().filter(|(id, _)| site_id.is_some_and(|site_id| site_id != **id)) {
            *around = with(around, travel);
        }
    }
}
