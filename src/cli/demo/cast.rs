//! Who acts in the demo: one bearer of each role, with a token for a day.

use chrono::TimeDelta;

use super::Error;
use crate::app::App;
use crate::auth::Grant;
use crate::domain::access::{Authority, Role};
use crate::domain::ids::CounsellorId;
use crate::domain::text::Code;
use crate::usecase::lookup;

/// The organisation, counsellor and district of the example on which the demo plays.
const ORGANISATION: &str = "TVM-TRUST";
const COUNSELLOR: &str = "C-01";
/// Who counsels on the other side.
const THERAPIST: &str = "C-03";
pub(super) const DISTRICT: &str = "KL-TVM";

/// Tokens by role.
pub(super) struct Cast {
    tokens: Vec<(Role, String)>,
    counsellor: CounsellorId,
    therapist: String,
}

impl Cast {
    /// Tokens of the app's issuer, once the example is imported.
    pub(super) async fn new(app: &App) -> Result<Self, Error> {
        let organisation_id = lookup::organisation(app.world(), ORGANISATION).await?;
        let counsellor_id = lookup::counsellor(app.world(), organisation_id, COUNSELLOR).await?;
        let authorities = [
            Authority::Admin,
            Authority::Coordinator { organisation_id },
            Authority::Counsellor { organisation_id, counsellor_id },
            Authority::ClinicalLead { organisation_id },
            Authority::Police { jurisdiction: Code::parse(DISTRICT)? },
            Authority::Auditor,
        ];
        let issuer = app.issuer().ok_or("the demo issues its tokens itself")?;
        let token = |authority: Authority| -> Result<_, Error> {
            let role = authority.role();
            let (at, id) = (app.world().now(), app.world().uuid());
            let grant = Grant {
                principal: format!("{role}@demo"),
                authority: Some(authority),
                at,
                life: TimeDelta::hours(24),
                id,
            };
            Ok((role, issuer.issue(&grant)?))
        };
        let therapist_id = lookup::counsellor(app.world(), organisation_id, THERAPIST).await?;
        let (_, therapist) = token(Authority::Counsellor { organisation_id, counsellor_id: therapist_id })?;
        let tokens = authorities.into_iter().map(token).collect::<Result<_, Error>>()?;
        Ok(Self { tokens, counsellor: counsellor_id, therapist })
    }

    /// The counsellor who has the counsellor's token.
    pub(super) fn counsellor(&self) -> CounsellorId {
        self.counsellor
    }

    /// The token of who counsels on the other side.
    pub(super) fn therapist(&self) -> &str {
        &self.therapist
    }

    /// The token of a role.
    pub(super) fn token(&self, role: Role) -> &str {
        self.tokens.iter().find(|(has, _)| *has == role).map_or("", |(_, token)| token)
    }
}
