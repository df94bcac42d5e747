//! `aftercare export-client`: everything that is held about one client, for the person who has asked for it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::{Error, configure, open};
use crate::config::Settings;
use crate::domain::export::ExportPurpose;
use crate::domain::reference::Reference;
use crate::domain::text::Code;
use crate::grpc::document;
use crate::usecase::export::export_for_person;
use crate::usecase::{Call, World};

/// Writes everything that is held about one client to a new file, as one JSON document, for the person who has asked the
/// organisation for it. Nobody else can read the file; it leaves the service's care, and is yours to keep safe.
///
/// Left out are declarations about who must not meet the client, conflicts of interest, legal holds, and what went to
/// police: they protect somebody else. Have a clinical lead read it before it is handed over: the person may live with
/// whoever is a danger to them.
#[derive(Args)]
pub(super) struct Options {
    /// The client's reference code.
    reference: String,

    /// The file to write; one that is there is not touched.
    #[arg(long, value_name = "FILE")]
    to: PathBuf,

    /// The number under which the organisation has filed the request; it stays in the audit trail.
    #[arg(long, value_name = "NUMBER")]
    request: String,

    /// ACCESS_REQUEST, CORRECTION, GRIEVANCE, COURT_ORDER or REVIEW.
    #[arg(long, default_value = "ACCESS_REQUEST")]
    purpose: ExportPurpose,

    /// With the counsellors' notes and escalations, once the clinical lead has agreed to that.
    #[arg(long)]
    with_notes: bool,

    #[command(flatten)]
    settings: Settings,
}

pub(super) async fn run(mut options: Options) -> Result<ExitCode, Error> {
    options.settings.log.get_or_insert_with(|| "warn".into());
    let reference = Reference::parse(&options.reference).map_err(|fault| format!("REFERENCE {fault}"))?;
    let request = (options.purpose, Code::parse(&options.request).map_err(|fault| format!("--request {fault}"))?);
    // Before anything is read for it, or the trail says that it was.
    if options.to.try_exists()? {
        return Err(format!("{} is there already", options.to.display()).into());
    }
    let app = open(&configure(options.settings)?).await?;
    let result = export(app.world(), &reference, request, options.with_notes, &options.to).await;
    app.world().db().close().await;
    println!("{} messages", result?);
    Ok(ExitCode::SUCCESS)
}

async fn export(
    world: &World,
    reference: &Reference,
    request: (ExportPurpose, Code),
    with_notes: bool,
    to: &Path,
) -> Result<usize, Error> {
    let call = Call::of_program("export-client");
    let export = export_for_person(world, &call, reference, with_notes, request).await?;
    let document = document(&export);
    write_private(to, &serde_json::to_vec_pretty(&document)?)?;
    Ok(document["messages"].as_array().map_or(0, Vec::len))
}

/// Writes a new file that only its owner can read: whole, or not at all.
fn write_private(to: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let directory = to.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Made with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(bytes)?;
    file.write_all(b"\n")?;
    file.as_file().sync_all()?;
    file.persist_noclobber(to).map_err(|error| error.error)?;
    Ok(())
}
