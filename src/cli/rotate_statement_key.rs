//! `aftercare rotate-statement-key`: another key to sign statements with, and the end of one that others have.

use std::process::ExitCode;

use clap::Args;

use super::{Error, configure, open};
use crate::app::App;
use crate::config::Settings;
use crate::domain::statement::Kid;
use crate::usecase::statement;

/// Makes a new signing key in the data directory. A running service uses it from its next statement on. Statements
/// signed with the old key stay good; its private half is gone.
#[derive(Args)]
pub(super) struct Options {
    /// Instead take this key out of the key set, because somebody else may have it: no statement that was signed
    /// with it is good any more. If it is the one of this data directory, a new one takes its place; a process
    /// elsewhere whose key it is makes itself a new one.
    // One name of a key in 64 begins with a hyphen.
    #[arg(long, value_name = "KID", allow_hyphen_values = true)]
    revoke: Option<Kid>,

    #[command(flatten)]
    settings: Settings,
}

pub(super) async fn run(mut options: Options) -> Result<ExitCode, Error> {
    // Standard output is the answer; a log at level info would only be in the way.
    options.settings.log.get_or_insert_with(|| "warn".into());
    let app = open(&configure(options.settings)?).await?;
    let result = obey(&app, options.revoke).await;
    app.world().db().close().await;
    print!("{}", result?);
    Ok(ExitCode::SUCCESS)
}

async fn obey(app: &App, revoke: Option<Kid>) -> Result<String, Error> {
    Ok(match revoke {
        None => {
            let rotated = statement::rotate(app.world(), app.keyring()).await?;
            format!("retired {}\nsigning {}\n", rotated.retired, rotated.current)
        }
        Some(kid) => {
            let revoked = format!("revoked {kid}\n");
            match statement::revoke(app.world(), app.keyring(), kid).await? {
                Some(current) => format!("{revoked}signing {current}\n"),
                None => revoked,
            }
        }
    })
}
