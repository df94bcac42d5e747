//! Closed lists of words. Each has one spelling, the same in the database, in files and in logs.

/// Defines an enum whose variants are stable words, with `as_str`, `ALL`, `Display`, `FromStr`
/// and serde by that word.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $word)] $variant,)*
        }

        impl $name {
            /// Every word of the list.
            pub const ALL: &[$name] = &[$($name::$variant,)*];

            /// The word.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)*
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::domain::text::Fault;

            fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|word| word.as_str() == text).ok_or_else(|| {
                    let known: Vec<_> = Self::ALL.iter().map(|word| word.as_str()).collect();
                    crate::domain::text::Fault::new(format!("must be one of {}", known.join(", ")))
                })
            }
        }
    )*};
}
pub(crate) use words;

words! {
    /// The two groups of people who must never meet.
    Side {
        /// People who were harmed.
        Survivor = "SURVIVOR",
        /// People in treatment for what they did.
        Offender = "OFFENDER",
    }

    /// What a session is for. Every service for clients belongs to one side.
    CareService {
        /// Survivors: counselling.
        Counselling = "COUNSELLING",
        /// Survivors: structured trauma therapy.
        TraumaTherapy = "TRAUMA_THERAPY",
        /// Survivors: an assessment interview.
        SurvivorAssessment = "SURVIVOR_ASSESSMENT",
        /// Survivors: company at a hearing, a statement or an examination.
        Accompaniment = "ACCOMPANIMENT",
        /// Offenders: a treatment session.
        Treatment = "TREATMENT",
        /// Offenders: an assessment interview.
        OffenderAssessment = "OFFENDER_ASSESSMENT",
        /// A training for a police unit, without clients, by counsellors of either side.
        Training = "TRAINING",
    }

    /// How counsellor and client come together.
    Modality {
        /// Both at one venue.
        InPerson = "IN_PERSON",
        /// By telephone or video: no venue, and the counsellor's own zone.
        Remote = "REMOTE",
    }

    /// Gender of a counsellor, or the one a client asks for.
    Gender {
        /// Female.
        Female = "FEMALE",
        /// Male.
        Male = "MALE",
        /// Any other.
        Other = "OTHER",
    }
}

impl Side {
    /// The side it must be kept apart from.
    pub const fn other(self) -> Self {
        match self {
            Side::Survivor => Side::Offender,
            Side::Offender => Side::Survivor,
        }
    }
}

impl CareService {
    /// The side whose clients this service is for; none when it is for no clients.
    pub const fn side(self) -> Option<Side> {
        match self {
            CareService::Counselling
            | CareService::TraumaTherapy
            | CareService::SurvivorAssessment
            | CareService::Accompaniment => Some(Side::Survivor),
            CareService::Treatment | CareService::OffenderAssessment => Some(Side::Offender),
            CareService::Training => None,
        }
    }

    /// Whether counsellors of a side can offer it.
    pub fn is_offered_by(self, side: Side) -> bool {
        self.side().is_none_or(|own| own == side)
    }
}
