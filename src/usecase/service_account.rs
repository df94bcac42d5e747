//! What may be put into service accounts, beyond what each field says for itself.

use super::directory::check_organisation;
use super::error::{Error, Result};
use super::noun::{Managed, frozen};
use super::work::Work;
use crate::domain::access::Authority;
use crate::domain::counsellor::Counsellor;
use crate::domain::noun::Record;
use crate::domain::service_account::ServiceAccount;
use crate::store::Lock;
use crate::store::noun::Stored;

impl Managed for ServiceAccount {
    /// Whose it is and what it may be never changes: another role is another account.
    async fn check(work: &mut Work<'_>, it: &Self, before: Option<&Record<Self>>) -> Result<()> {
        if let Some(before) = before {
            frozen(before.code == it.code, "service_account.code")?;
            frozen(before.principal == it.principal, "service_account.principal")?;
            return frozen(before.authority == it.authority, "service_account.role");
        }
        let Some(organisation_id) = it.authority.organisation_id() else { return Ok(()) };
        check_organisation(work, organisation_id, None, "service_account").await?;
        let Authority::Counsellor { counsellor_id, .. } = &it.authority else { return Ok(()) };
        match Counsellor::find(&mut work.tx, *counsellor_id, Lock::None).await? {
            Some(counsellor) if counsellor.organisation_id == organisation_id => Ok(()),
            _ => Err(Error::field("service_account.counsellor_id", "must be a counsellor of the organisation")),
        }
    }

    async fn follow(work: &mut Work<'_>, after: &Record<Self>, _before: Option<&Record<Self>>) -> Result<()> {
        work.note(after.authority.role().as_str());
        work.registered().await
    }
}
