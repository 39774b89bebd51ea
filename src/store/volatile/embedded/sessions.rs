//! What the store does with sessions: open, load, list, end. When it does so is the writer's business.

use super::super::LiveSession;
use super::memory::Memory;
use super::writer::Command;
use crate::domain::id::{AccountId, RememberedId, SessionId};
use crate::domain::identity::Source;
use crate::domain::session::{HandleHash, Lifetimes, Methods, Session};
use crate::domain::time::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use std::sync::Arc;
use uuid::Uuid;

const INSERT: &str = "\
    INSERT INTO session (handle, id, account_id, created_at, authenticated_at, ends_at, last_seen_at, methods, device, \
    network, remembered_id, source) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING";

const SELECT_ONE: &str = "\
    SELECT handle, id, account_id, created_at, authenticated_at, ends_at, last_seen_at, methods, device, network, \
    remembered_id, source FROM session WHERE handle = $1";

const SELECT_OF_ACCOUNT: &str = "\
    SELECT handle, id, account_id, created_at, authenticated_at, ends_at, last_seen_at, methods, device, network, \
    remembered_id, source FROM session WHERE account_id = $1 ORDER BY created_at DESC, id DESC";

const END_HANDLE: &str = "DELETE FROM session WHERE handle = $1 RETURNING handle";
const END_ONE: &str = "DELETE FROM session WHERE id = $1 AND account_id = $2 RETURNING handle";
const END_OF_ACCOUNT: &str = "DELETE FROM session WHERE account_id = $1 AND id IS NOT $2 RETURNING handle";
const END_FAMILY: &str = "DELETE FROM session WHERE remembered_id = $1 RETURNING handle";

/// Keeps a new session. Answers false, and changes nothing, when its handle or its id is taken.
pub(super) struct Open {
    pub(super) handle: HandleHash,
    pub(super) session: Session,
}

impl Command for Open {
    type Found = bool;
    type Answer = bool;

    async fn run(&self, db: &mut SqliteConnection, _: &Memory) -> Result<bool, sqlx::Error> {
        let Self { handle, session } = self;
        let done = sqlx::query(INSERT)
            .bind(handle.as_slice())
            .bind(session.id.uuid())
            .bind(session.account.uuid())
            .bind(session.created_at.millis())
            .bind(session.authenticated_at.millis())
            .bind(session.ends_at.millis())
            .bind(session.last_seen_at.millis())
            .bind(i64::from(session.methods.bits()))
            .bind(&*session.device)
            .bind(&*session.network)
            .bind(session.remembered.map(RememberedId::uuid))
            .bind(session.source.as_ref().map(Source::key))
            .execute(db)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    fn settle(self, kept: bool, memory: &Memory) -> bool {
        if kept {
            memory.keep(self.handle, self.session);
        }
        kept
    }
}

/// Brings a session from disk to memory.
pub(super) struct Load(pub(super) HandleHash);

impl Command for Load {
    type Found = Option<Session>;
    type Answer = Option<Arc<LiveSession>>;
    const READS_ONLY: bool = true;

    async fn run(&self, db: &mut SqliteConnection, _: &Memory) -> Result<Option<Session>, sqlx::Error> {
        let row = sqlx::query(SELECT_ONE).bind(self.0.as_slice()).fetch_optional(db).await?;
        row.as_ref().map(read).transpose()
    }

    fn settle(self, found: Option<Session>, memory: &Memory) -> Option<Arc<LiveSession>> {
        found.map(|session| memory.keep(self.0, session))
    }
}

/// The sessions of an account that are alive.
pub(super) struct OfAccount {
    pub(super) account: AccountId,
    pub(super) now: Timestamp,
    pub(super) lifetimes: Lifetimes,
}

impl Command for OfAccount {
    type Found = Vec<(HandleHash, Session)>;
    type Answer = Vec<Session>;
    const READS_ONLY: bool = true;

    async fn run(&self, db: &mut SqliteConnection, _: &Memory) -> Result<Self::Found, sqlx::Error> {
        let rows = sqlx::query(SELECT_OF_ACCOUNT).bind(self.account.uuid()).fetch_all(db).await?;
        rows.iter().map(|row| Ok((array(row, "handle")?, read(row)?))).collect()
    }

    /// The disk may be a minute behind: what memory knows of the last request counts.
    fn settle(self, found: Self::Found, memory: &Memory) -> Vec<Session> {
        let alive = |session: &Session| session.alive(self.now, session.last_seen_at, &self.lifetimes);
        let current = found.into_iter().map(|(handle, mut session)| {
            if let Some(live) = memory.find(&handle) {
                session.last_seen_at = live.last_seen_at();
            }
            session
        });
        current.filter(alive).collect()
    }
}

/// Ends sessions; answers how many.
pub(super) enum End {
    /// The one of a handle.
    Handle(HandleHash),
    /// The one of a public name, if it is the account's.
    One(AccountId, SessionId),
    /// All of an account, except one.
    OfAccount(AccountId, Option<SessionId>),
    /// All that a remembered browser opened.
    Family(RememberedId),
}

impl Command for End {
    type Found = Vec<HandleHash>;
    type Answer = u64;

    async fn run(&self, db: &mut SqliteConnection, _: &Memory) -> Result<Self::Found, sqlx::Error> {
        let query = match self {
            Self::Handle(handle) => sqlx::query_scalar(END_HANDLE).bind(handle.as_slice()),
            Self::One(account, id) => sqlx::query_scalar(END_ONE).bind(id.uuid()).bind(account.uuid()),
            Self::OfAccount(account, except) => {
                sqlx::query_scalar(END_OF_ACCOUNT).bind(account.uuid()).bind(except.map(SessionId::uuid))
            }
            Self::Family(remembered) => sqlx::query_scalar(END_FAMILY).bind(remembered.uuid()),
        };
        Ok(handles(query.fetch_all(db).await?))
    }

    fn settle(self, ended: Self::Found, memory: &Memory) -> u64 {
        memory.remove(&ended);
        u64::try_from(ended.len()).unwrap_or(u64::MAX)
    }
}

/// Handles as they come back from disk. One of another length names no session that could be in memory.
pub(super) fn handles(rows: Vec<Vec<u8>>) -> Vec<HandleHash> {
    rows.into_iter().filter_map(|handle| handle.try_into().ok()).collect()
}

fn read(row: &SqliteRow) -> Result<Session, sqlx::Error> {
    let time = |column| row.try_get(column).map(Timestamp::from_millis);
    let remembered: Option<Uuid> = row.try_get("remembered_id")?;
    let source: Option<&str> = row.try_get("source")?;
    Ok(Session {
        id: SessionId::new(row.try_get("id")?),
        account: AccountId::new(row.try_get("account_id")?),
        created_at: time("created_at")?,
        authenticated_at: time("authenticated_at")?,
        ends_at: time("ends_at")?,
        last_seen_at: time("last_seen_at")?,
        methods: Methods::from_bits(row.try_get("methods")?),
        device: row.try_get::<&str, _>("device")?.into(),
        network: row.try_get::<&str, _>("network")?.into(),
        remembered: remembered.map(RememberedId::new),
        source: source.and_then(Source::from_key),
    })
}

fn array(row: &SqliteRow, column: &str) -> Result<HandleHash, sqlx::Error> {
    let bytes: Vec<u8> = row.try_get(column)?;
    bytes.try_into().map_err(|bytes: Vec<u8>| {
        let source = format!("{} bytes instead of 32", bytes.len()).into();
        sqlx::Error::ColumnDecode { index: column.to_owned(), source }
    })
}
