//! A file of SQLite, copied while it is in use.

use std::io;
use std::path::Path;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use super::error::Result;
use super::open::{WAIT_FOR_CONNECTION, create_private};

/// Copies the state that a file is in now into another, which does not exist yet and which its owner alone can read.
/// Whoever writes meanwhile waits for nothing; what is not in use of the file is left out.
pub async fn copy(from: &Path, to: &Path) -> Result<()> {
    let name = to.to_str().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "its name is not UTF-8"))?;
    create_private(to)?;
    let mut connection = connect(from).await?;
    let copied = sqlx::query("VACUUM INTO $1").bind(name.to_owned()).execute(&mut connection).await;
    connection.close().await?;
    copied?;
    Ok(())
}

/// What is wrong with a file by its own structure, as far as it is named; nothing when it is whole.
pub async fn faults(file: &Path) -> Result<Vec<String>> {
    match told(file).await {
        Ok(mut faults) => {
            faults.retain(|it| it != "ok");
            Ok(faults)
        }
        // Cut off, or no database at all.
        Err(sqlx::Error::Database(error)) => Ok(vec![error.message().to_owned()]),
        Err(error) => Err(error.into()),
    }
}

async fn told(file: &Path) -> sqlx::Result<Vec<String>> {
    let mut connection = connect(file).await?;
    let told = sqlx::query_scalar("PRAGMA quick_check(10)").fetch_all(&mut connection).await;
    connection.close().await?;
    told
}

async fn connect(file: &Path) -> sqlx::Result<SqliteConnection> {
    SqliteConnectOptions::new().filename(file).busy_timeout(WAIT_FOR_CONNECTION).connect().await
}
