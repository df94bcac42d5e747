//! What happens, drawn from a seed.

use aftercare::rng::{Rng, SeededRng};

/// Draws from a seed.
pub struct Dice(SeededRng);

impl Dice {
    pub fn of(seed: u64) -> Self {
        Self(SeededRng::from_seed(seed))
    }

    /// A number below another.
    pub fn below(&self, count: usize) -> usize {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        u32::from_le_bytes(bytes) as usize % count
    }

    /// One of these.
    pub fn one<'a, T>(&self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// What is done about somebody in treatment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deed {
    /// Days pass.
    Pass,
    Book,
    /// Without an order.
    BookApart,
    /// Sessions of several weeks.
    BookSeries,
    Count,
    Move,
    Cancel,
    Record,
    Amend,
    Decide,
    Warn,
    Suspend,
    Confirm,
    Resolve,
    Terminate,
    Withdraw,
    Order,
    AmendOrder,
}

/// Each as often as it is to be met, more or less.
const DEEDS: [(Deed, usize); 18] = [
    (Deed::Pass, 9),
    (Deed::Book, 12),
    (Deed::BookApart, 1),
    (Deed::BookSeries, 1),
    (Deed::Count, 2),
    (Deed::Move, 1),
    (Deed::Cancel, 1),
    (Deed::Record, 9),
    (Deed::Amend, 2),
    (Deed::Decide, 5),
    (Deed::Warn, 3),
    (Deed::Suspend, 1),
    (Deed::Confirm, 3),
    (Deed::Resolve, 1),
    (Deed::Terminate, 1),
    (Deed::Withdraw, 1),
    (Deed::Order, 1),
    (Deed::AmendOrder, 2),
];

/// A deed with what it needs; numbers are taken modulo what there is.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    pub deed: Deed,
    pub pick: usize,
    pub choice: usize,
}

impl Step {
    pub fn draw(dice: &Dice) -> Self {
        let mut at = dice.below(DEEDS.iter().map(|(_, often)| often).sum());
        let deed = DEEDS.iter().find(|(_, often)| {
            let here = at < *often;
            at = at.wrapping_sub(*often);
            here
        });
        Self { deed: deed.unwrap().0, pick: dice.below(1000), choice: dice.below(1000) }
    }
}
