//! Between the service and PostgreSQL: a proxy that writes down what is said, with parameters in PostgreSQL's own form.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::{Arc, Mutex};

use hdrhistogram::Histogram;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgArguments, PgConnectOptions, PgTypeInfo};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Connection, Encode, Executor, PgConnection, Postgres, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use super::{Bound, Costs, Said, measured};
use crate::Result;
use crate::database::Fresh;
use crate::load::{Measured, present};

/// What was said, and on which connection.
type Tape = Arc<Mutex<Vec<(usize, Said)>>>;

/// The first word of who asks for TLS.
const TLS_REQUEST: u32 = 80_877_103;

/// A proxy in front of the server.
pub struct Proxy {
    port: u16,
    tape: Tape,
    taking: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.taking.abort();
    }
}

impl Proxy {
    /// Starts it.
    pub async fn start(copy: &Fresh) -> Result<Self> {
        let options = PgConnectOptions::from_str(&copy.url()?)?;
        let server = (options.get_host().to_owned(), options.get_port());
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let (port, tape) = (listener.local_addr()?.port(), Tape::default());
        let taking = tokio::spawn(take_connections(listener, server, tape.clone()));
        Ok(Self { port, tape, taking })
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What was said since the last time, connection by connection: one that is given back may say so while the next
    /// one is used already.
    pub fn take(&self) -> Vec<Said> {
        let mut tape = std::mem::take(&mut *self.tape.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        let mut speakers: Vec<usize> = Vec::new();
        for (speaker, _) in &tape {
            if !speakers.contains(speaker) {
                speakers.push(*speaker);
            }
        }
        tape.sort_by_key(|(speaker, _)| speakers.iter().position(|it| it == speaker));
        tape.into_iter().map(|(_, said)| said).collect()
    }
}

async fn take_connections(listener: TcpListener, server: (String, u16), tape: Tape) {
    for number in 0.. {
        let Ok((client, _)) = listener.accept().await else { return };
        let Ok(behind) = TcpStream::connect(&server).await else { return };
        // Small messages go to and fro; neither end waits for more of them.
        let _ = (client.set_nodelay(true), behind.set_nodelay(true));
        let ((from, mut back), (mut answers, to)) = (client.into_split(), behind.into_split());
        tokio::spawn(forward(number, from, to, tape.clone()));
        tokio::spawn(async move { tokio::io::copy(&mut answers, &mut back).await });
    }
}

/// Hands messages on, and notes those that say something.
async fn forward(number: usize, mut from: OwnedReadHalf, mut to: OwnedWriteHalf, tape: Tape) -> std::io::Result<()> {
    let mut known = HashMap::new();
    let mut begun = false;
    loop {
        let kind = if begun { Some(from.read_u8().await?) } else { None };
        let length = from.read_u32().await?;
        let mut body = vec![0; (length as usize).saturating_sub(4)];
        from.read_exact(&mut body).await?;
        if let Some(kind) = kind {
            let said = Message(&body).read(kind, &mut known);
            tape.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend(said.map(|it| (number, it)));
            to.write_u8(kind).await?;
        } else {
            begun = Message(&body).number() != Some(TLS_REQUEST);
        }
        to.write_u32(length).await?;
        to.write_all(&body).await?;
    }
}

/// A message of the protocol, read from its beginning.
struct Message<'a>(&'a [u8]);

impl Message<'_> {
    /// What it says, if it says something; it may also make a statement known.
    fn read(mut self, kind: u8, known: &mut HashMap<Vec<u8>, (String, Vec<u32>)>) -> Option<Said> {
        match kind {
            b'Q' => Some(Said { text: self.text()?, values: Vec::new(), simple: true }),
            b'P' => {
                let (name, text) = (self.name()?, self.text()?);
                let types = (0..self.short()?).map(|_| self.number()).collect::<Option<_>>()?;
                known.insert(name, (text, types));
                None
            }
            b'B' => {
                self.name()?;
                let (text, types) = known.get(&self.name()?)?.clone();
                for _ in 0..self.short()? {
                    self.short()?;
                }
                let values = (0..self.short()?).map(|number| self.value(types.get(usize::from(number))));
                Some(Said { text, values: values.collect::<Option<_>>()?, simple: false })
            }
            _ => None,
        }
    }

    fn value(&mut self, of: Option<&u32>) -> Option<Bound> {
        let value = match self.number()? {
            u32::MAX => None,
            length => Some(self.bytes(length as usize)?.to_vec()),
        };
        Some(Bound::Raw(of.copied().unwrap_or_default(), value))
    }

    fn bytes(&mut self, count: usize) -> Option<&[u8]> {
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }

    fn short(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.bytes(2)?.try_into().ok()?))
    }

    fn number(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.bytes(4)?.try_into().ok()?))
    }

    fn name(&mut self) -> Option<Vec<u8>> {
        let end = self.0.iter().position(|byte| *byte == 0)?;
        let name = self.bytes(end)?.to_vec();
        self.bytes(1)?;
        Some(name)
    }

    fn text(&mut self) -> Option<String> {
        String::from_utf8(self.name()?).ok()
    }
}

/// A parameter in PostgreSQL's own form.
struct Own(u32, Option<Vec<u8>>);

impl Type<Postgres> for Own {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(0))
    }
}

impl Encode<'_, Postgres> for Own {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> std::result::Result<IsNull, BoxDynError> {
        let Some(bytes) = &self.1 else { return Ok(IsNull::Yes) };
        buffer.extend(bytes);
        Ok(IsNull::No)
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(PgTypeInfo::with_oid(Oid(self.0)))
    }
}

/// Says it all again on so many connections: whoever is free takes the next call.
pub async fn say(copy: &Fresh, calls: &[Vec<Said>], connections: usize) -> Result<(Measured, Costs)> {
    let calls: Vec<Vec<Said>> = calls.to_vec();
    let calls = Arc::new(Mutex::new(calls.into_iter()));
    let mut idle = Vec::new();
    for _ in 0..connections {
        idle.push(PgConnection::connect(&copy.url()?).await?);
    }
    let begun = present();
    let mut speakers = JoinSet::new();
    for connection in idle {
        speakers.spawn(speak(connection, calls.clone()));
    }
    let (mut latencies, mut all) = (Histogram::new(3)?, Costs::default());
    while let Some(spoken) = speakers.join_next().await {
        let (own, costs) = spoken??;
        latencies.add(own)?;
        all.join(costs);
    }
    Ok((measured(latencies, begun.elapsed()), all))
}

async fn speak(
    mut connection: PgConnection,
    calls: Arc<Mutex<std::vec::IntoIter<Vec<Said>>>>,
) -> Result<(Histogram<u64>, Costs)> {
    let (mut latencies, mut costs) = (Histogram::new(3)?, Costs::default());
    loop {
        let next = calls.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next();
        let Some(call) = next else { break };
        let begun = present();
        for said in &call {
            let begun = present();
            run(&mut connection, said).await.map_err(|error| format!("{error}: {}", said.text))?;
            costs.add(&said.text, begun.elapsed());
        }
        latencies.record(u64::try_from(begun.elapsed().as_nanos())?)?;
    }
    connection.close().await?;
    Ok((latencies, costs))
}

async fn run(connection: &mut PgConnection, said: &Said) -> sqlx::Result<()> {
    let text = AssertSqlSafe(said.text.clone());
    if said.simple {
        return connection.execute(sqlx::raw_sql(text)).await.map(drop);
    }
    let mut query: Query<'_, Postgres, PgArguments> = sqlx::query(text);
    for value in &said.values {
        let Bound::Raw(of, value) = value.clone() else { continue };
        query = query.bind(Own(of, value));
    }
    query.fetch_all(connection).await.map(drop)
}
