//! Who takes part: two organisations that share a site, the first of which also lends its rooms.

/// Minutes of a day.
pub const DAY: i64 = 24 * 60;

/// A client.
pub struct Client {
    pub name: &'static str,
    pub org: usize,
    pub survivor: bool,
    pub child: bool,
}

/// A counsellor.
pub struct Counsellor {
    pub name: &'static str,
    pub org: usize,
    pub survivor: bool,
    pub female: bool,
    pub before: i64,
    pub after: i64,
    pub services: &'static [i32],
    pub daily_limit: Option<usize>,
}

const fn client(name: &'static str, org: usize, survivor: bool, child: bool) -> Client {
    Client { name, org, survivor, child }
}

/// Three survivors, one of them a child with a guardian, and three offenders; one more to mix them.
pub const CLIENTS: [Client; 7] = [
    client("s0", 0, true, false),
    client("s1", 0, true, true),
    client("s2", 1, true, false),
    client("s3", 0, true, false),
    client("o0", 0, false, false),
    client("o1", 1, false, false),
    client("o2", 1, false, false),
];

const COUNSELLING: &[i32] = &[1];
const CARE: &[i32] = &[1, 2];
const TREATMENT: &[i32] = &[5, 6];

/// Three counsellors of each side.
pub const COUNSELLORS: [Counsellor; 6] = [
    Counsellor {
        name: "c0",
        org: 0,
        survivor: true,
        female: true,
        before: 0,
        after: 15,
        services: CARE,
        daily_limit: None,
    },
    Counsellor {
        name: "c1",
        org: 0,
        survivor: true,
        female: false,
        before: 0,
        after: 0,
        services: COUNSELLING,
        daily_limit: Some(2),
    },
    Counsellor {
        name: "c2",
        org: 1,
        survivor: true,
        female: true,
        before: 0,
        after: 0,
        services: CARE,
        daily_limit: None,
    },
    Counsellor {
        name: "d0",
        org: 0,
        survivor: false,
        female: false,
        before: 15,
        after: 15,
        services: TREATMENT,
        daily_limit: None,
    },
    Counsellor {
        name: "d1",
        org: 1,
        survivor: false,
        female: true,
        before: 0,
        after: 0,
        services: TREATMENT,
        daily_limit: Some(2),
    },
    Counsellor {
        name: "d2",
        org: 1,
        survivor: false,
        female: false,
        before: 0,
        after: 0,
        services: TREATMENT,
        daily_limit: None,
    },
];

/// Where.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Place {
    /// By telephone.
    Remote,
    /// The host's venue at the shared site, in its first or second room; in any when 0.
    Host(u8),
    /// The neighbour's venue at the shared site, which lists no rooms.
    Next,
    /// The neighbour's venue somewhere else.
    Away,
}

impl Place {
    /// The shared site is 0, the other 1.
    pub fn site(self) -> Option<u8> {
        match self {
            Place::Remote => None,
            Place::Host(_) | Place::Next => Some(0),
            Place::Away => Some(1),
        }
    }

    /// The room; 0 is none.
    pub fn room(self) -> u8 {
        match self {
            Place::Host(room) => room,
            _ => 0,
        }
    }
}
