//! `aftercare token`: prints a token of the built-in issuer, for this machine.

use std::process::ExitCode;

use chrono::TimeDelta;
use clap::Args;
use uuid::Uuid;

use super::{Error, configure, open};
use crate::auth::Grant;
use crate::config::Settings;
use crate::domain::access::{Authority, Role};
use crate::domain::ids::{CounsellorId, OrganisationId};
use crate::domain::text::Code;
use crate::usecase::{World, lookup};

#[derive(Args)]
pub(super) struct Options {
    /// admin, coordinator, counsellor, clinical_lead, police or auditor.
    #[arg(long, required_unless_present = "service_account")]
    role: Option<Role>,

    /// The code of a service account, which has a role and a subject of its own, instead of a role.
    #[arg(long, value_name = "CODE", conflicts_with_all = ["role", "organisation", "counsellor", "jurisdiction", "subject"])]
    service_account: Option<String>,

    /// The organisation, by code or id: for a coordinator, counsellor or clinical lead.
    #[arg(long, value_name = "CODE|ID")]
    organisation: Option<String>,

    /// The counsellor, by code or id: for a counsellor.
    #[arg(long, value_name = "CODE|ID")]
    counsellor: Option<String>,

    /// The district code of the jurisdiction: for police.
    #[arg(long, value_name = "CODE")]
    jurisdiction: Option<String>,

    /// Who the bearer is, for the audit trail [default: the role at "local"].
    #[arg(long, value_name = "NAME")]
    subject: Option<String>,

    /// For how many minutes the token is good, at most a day.
    #[arg(long, value_name = "MINUTES", default_value_t = 60, value_parser = clap::value_parser!(i64).range(1..=1440))]
    minutes: i64,

    #[command(flatten)]
    settings: Settings,
}

pub(super) async fn run(mut options: Options) -> Result<ExitCode, Error> {
    // Standard output is the token alone; a log at level info would only be in the way.
    options.settings.log.get_or_insert_with(|| "warn".into());
    let config = configure(options.settings.clone())?;
    if let Some(provider) = &config.provider {
        return Err(
            format!("tokens come from {}; this command is for the built-in issuer", provider.issuer.as_str()).into()
        );
    }
    let app = open(&config).await?;
    let (principal, authority) = bearer(app.world(), &options).await?;
    let grant = Grant {
        principal,
        authority,
        at: app.world().now(),
        life: TimeDelta::minutes(options.minutes),
        id: app.world().uuid(),
    };
    let issuer = app.issuer().ok_or("there is no built-in issuer")?;
    println!("{}", issuer.issue(&grant)?);
    app.world().db().close().await;
    Ok(ExitCode::SUCCESS)
}

/// Who gets the token, and as what; a service account has its role in the service.
async fn bearer(world: &World, options: &Options) -> Result<(String, Option<Authority>), Error> {
    match (options.role, &options.service_account) {
        (Some(role), _) => {
            let principal = options.subject.clone().unwrap_or_else(|| format!("{role}@local"));
            Ok((principal, Some(authority(world, options, role).await?)))
        }
        (None, Some(code)) => Ok((lookup::service_account(world, code).await?, None)),
        (None, None) => Err("--role or --service-account is required".into()),
    }
}

async fn authority(world: &World, options: &Options, role: Role) -> Result<Authority, Error> {
    Ok(match role {
        Role::Admin => Authority::Admin,
        Role::Auditor => Authority::Auditor,
        Role::Coordinator => Authority::Coordinator { organisation_id: organisation(world, options).await? },
        Role::ClinicalLead => Authority::ClinicalLead { organisation_id: organisation(world, options).await? },
        Role::Counsellor => {
            let organisation_id = organisation(world, options).await?;
            let named = options.counsellor.as_deref().ok_or("--counsellor is required for this role")?;
            let counsellor_id = match named.parse::<Uuid>() {
                Ok(id) => CounsellorId(id),
                Err(_) => lookup::counsellor(world, organisation_id, named).await?,
            };
            Authority::Counsellor { organisation_id, counsellor_id }
        }
        Role::Police => {
            let named = options.jurisdiction.as_deref().ok_or("--jurisdiction is required for this role")?;
            Authority::Police { jurisdiction: Code::parse(named)? }
        }
    })
}

async fn organisation(world: &World, options: &Options) -> Result<OrganisationId, Error> {
    let named = options.organisation.as_deref().ok_or("--organisation is required for this role")?;
    Ok(match named.parse::<Uuid>() {
        Ok(id) => OrganisationId(id),
        Err(_) => lookup::organisation(world, named).await?,
    })
}
