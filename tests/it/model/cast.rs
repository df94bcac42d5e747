//! Who takes part: two organisations that share a site, the first of which also lends its rooms.

/// Minutes of a day.
pub const DAY: i64 = 24 * 60;

/// A client.
pub struct Client {
    pub name: &'static str,
    pub org: usize,
    pub survivor: bool,
    pub child: bool,
    pub speaks: &'static str,
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
    pub speaks: &'static [&'static str],
    pub daily_limit: Option<usize>,
}

const fn client(name: &'static str, org: usize, survivor: bool, child: bool, speaks: &'static str) -> Client {
    Client { name, org, survivor, child, speaks }
}

/// Survivors, two of them children with a guardian each, then offenders: enough of the first
/// organisation's survivors and of the second's offenders for a group.
pub const CLIENTS: [Client; 9] = [
    client("s0", 0, true, false, "ml"),
    client("s1", 0, true, true, "ml"),
    client("s2", 1, true, false, "ml"),
    client("s3", 0, true, false, "hi"),
    client("s4", 0, true, true, "ml"),
    client("o0", 0, false, false, "ml"),
    client("o1", 1, false, false, "ml"),
    client("o2", 1, false, false, "hi"),
    client("o3", 1, false, false, "ml"),
];

/// How many of the clients, who are the first, are survivors.
pub const SURVIVORS: usize = 5;

const COUNSELLING: &[i32] = &[1];
const CARE: &[i32] = &[1, 2];
const TREATMENT: &[i32] = &[5, 6];

/// Who counsels survivors here, without anything remarkable.
const PLAIN: Counsellor = Counsellor {
    name: "",
    org: 0,
    survivor: true,
    female: true,
    before: 0,
    after: 0,
    services: CARE,
    speaks: &["ml"],
    daily_limit: None,
};

/// Counsellors of each side, each remarkable in another way.
pub const COUNSELLORS: [Counsellor; 7] = [
    Counsellor { name: "c0", after: 15, ..PLAIN },
    Counsellor {
        name: "c1",
        female: false,
        services: COUNSELLING,
        speaks: &["ml", "hi"],
        daily_limit: Some(2),
        ..PLAIN
    },
    Counsellor { name: "c2", org: 1, ..PLAIN },
    Counsellor { name: "d0", survivor: false, female: false, before: 15, after: 15, services: TREATMENT, ..PLAIN },
    Counsellor {
        name: "d1",
        org: 1,
        survivor: false,
        services: TREATMENT,
        speaks: &["ml", "hi"],
        daily_limit: Some(2),
        ..PLAIN
    },
    Counsellor { name: "d2", org: 1, survivor: false, female: false, services: TREATMENT, ..PLAIN },
    Counsellor { name: "c3", before: 10, ..PLAIN },
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
