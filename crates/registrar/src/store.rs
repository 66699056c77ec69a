//! The registrar's database: SQLite, static SQL, migrations embedded.
//!
//! Every write is durable when its method returns (`synchronous = FULL`): an admission may leave the process after that, never
//! before.

use std::path::Path;

use alloy::primitives::{Address, B256};
use rochdale_api::member::JoinRequest;
use rochdale_client::code::Code;
use rochdale_client::invitation;
use rochdale_node::store::{self, damaged, from_json, get, hash, int, to_json};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqlitePool};

pub use rochdale_node::store::{Result, StoreError};

/// A handle on the database. Clones share it.
#[derive(Clone, Debug)]
pub struct Store {
    pool: SqlitePool,
}

/// An invitation.
#[derive(Clone)]
pub struct Invitation {
    /// Names it.
    pub id: B256,
    /// What was given to the invited person.
    pub code: Code,
    /// The office's words.
    pub note: String,
    /// Seconds of block time.
    pub made: u64,
    /// The last second in which it is good.
    pub expires: u64,
    /// When the office took it back.
    pub withdrawn: Option<u64>,
    /// The admission that was signed for it last.
    pub admission: Option<JoinRequest>,
}

impl Invitation {
    /// A new one.
    #[must_use]
    pub fn new(code: Code, note: String, made: u64, expires: u64) -> Self {
        Self { id: invitation::id(&code), code, note, made, expires, withdrawn: None, admission: None }
    }

    /// The account that was admitted, whether or not it may still join.
    #[must_use]
    pub fn account(&self) -> Option<Address> {
        self.admission.as_ref().map(|admission| admission.account)
    }
}

impl Store {
    /// Opens the database in `dir`, makes it where there is none, and brings it to this version.
    ///
    /// # Errors
    /// Where directory or file cannot be opened, or another version wrote it.
    pub async fn open(dir: &Path) -> Result<Self> {
        let steps = [(1, "registrar", include_str!("../migrations/0001_registrar.sql"))];
        Ok(Self { pool: store::open(dir, "registrar.db", &steps, 1).await? })
    }

    /// Closes the database; statements after this fail.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Keeps new invitations, all or none.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn put(&self, invitations: &[Invitation]) -> Result<()> {
        let mut transaction = self.pool.begin().await?;
        for invitation in invitations {
            sqlx::query("INSERT INTO invitations (id, code, note, made, expires) VALUES ($1, $2, $3, $4, $5)")
                .bind(invitation.id.as_slice())
                .bind(invitation.code.expose())
                .bind(&invitation.note)
                .bind(int(invitation.made))
                .bind(int(invitation.expires))
                .execute(&mut *transaction)
                .await?;
        }
        Ok(transaction.commit().await?)
    }

    /// The invitation of an id.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn get(&self, id: B256) -> Result<Option<Invitation>> {
        let row = sqlx::query("SELECT * FROM invitations WHERE id = $1").bind(id.as_slice());
        row.fetch_optional(&self.pool).await?.as_ref().map(invitation_of).transpose()
    }

    /// All invitations, the newest first.
    ///
    /// # Errors
    /// Where the database fails or is damaged.
    pub async fn all(&self) -> Result<Vec<Invitation>> {
        let rows = sqlx::query("SELECT * FROM invitations ORDER BY made DESC, id").fetch_all(&self.pool).await?;
        rows.iter().map(invitation_of).collect()
    }

    /// Takes an invitation back.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn withdraw(&self, id: B256, now: u64) -> Result<()> {
        sqlx::query("UPDATE invitations SET withdrawn = $2 WHERE id = $1 AND withdrawn IS NULL")
            .bind(id.as_slice())
            .bind(int(now))
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Keeps an admission that was signed, where the invitation still stands as it was `seen`; `false` where it does not: another
    /// application came first, or the office took it back meanwhile.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn keep(&self, seen: &Invitation, admission: &JoinRequest) -> Result<bool> {
        let before = seen.admission.as_ref().map(|admission| to_json("admission", admission)).transpose()?;
        let kept = sqlx::query(
            "UPDATE invitations SET admission = $2 WHERE id = $1 AND admission IS $3 AND withdrawn IS NULL",
        )
        .bind(seen.id.as_slice())
        .bind(to_json("admission", admission)?)
        .bind(before)
        .execute(&self.pool)
        .await?;
        Ok(kept.rows_affected() == 1)
    }

    /// Forgets the invitations that expired before `then`, seconds of block time, with their codes: no file holds them after this.
    ///
    /// # Errors
    /// Where the database fails, or another process holds its log open.
    pub async fn forget(&self, then: u64) -> Result<()> {
        let gone = sqlx::query("DELETE FROM invitations WHERE expires < $1").bind(int(then)).execute(&self.pool);
        if gone.await?.rows_affected() > 0 { store::checkpoint(&self.pool).await } else { Ok(()) }
    }
}

fn invitation_of(row: &SqliteRow) -> Result<Invitation> {
    let code = Code::read(row.try_get("code")?).map_err(|error| damaged("code", error))?;
    let withdrawn: Option<i64> = row.try_get("withdrawn")?;
    let admission: Option<&str> = row.try_get("admission")?;
    Ok(Invitation {
        id: hash(row, "id")?,
        code,
        note: row.try_get("note")?,
        made: get(row, "made")?,
        expires: get(row, "expires")?,
        withdrawn: withdrawn.map(|at| u64::try_from(at).map_err(|_| damaged("withdrawn", at))).transpose()?,
        admission: admission.map(|text| from_json("admission", text)).transpose()?,
    })
}
