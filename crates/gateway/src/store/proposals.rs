//! What is asked of the chain once for each proposal.

use alloy::primitives::B256;
use rochdale_chain::gov::{House, Words};

use super::{Store, StoreError, from_json, to_json};

fn name(house: House) -> &'static str {
    match house {
        House::Member => "member",
        House::Token => "token",
    }
}

impl Store {
    /// What a proposal would change, and its quorum, as far as they were kept.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn proposal(&self, house: House, id: B256) -> Result<(Option<Words>, Option<u128>), StoreError> {
        let row: Option<(Option<String>, Option<String>)> =
            sqlx::query_as("SELECT words, quorum FROM proposals WHERE house = $1 AND id = $2")
                .bind(name(house))
                .bind(id.as_slice())
                .fetch_optional(&self.pool)
                .await?;
        let Some((words, quorum)) = row else { return Ok((None, None)) };
        let words = words.map(|words| from_json("a proposal's words", &words)).transpose()?;
        Ok((words, quorum.and_then(|quorum| quorum.parse().ok())))
    }

    /// Keeps what a proposal would change; what was kept before stays.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn keep_words(&self, house: House, id: B256, words: &Words) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO proposals (house, id, words) VALUES ($1, $2, $3)
             ON CONFLICT (house, id) DO UPDATE SET words = COALESCE(words, excluded.words)",
        )
        .bind(name(house))
        .bind(id.as_slice())
        .bind(to_json("a proposal's words", words)?)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Keeps a proposal's quorum.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn keep_quorum(&self, house: House, id: B256, quorum: u128) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO proposals (house, id, quorum) VALUES ($1, $2, $3)
             ON CONFLICT (house, id) DO UPDATE SET quorum = excluded.quorum",
        )
        .bind(name(house))
        .bind(id.as_slice())
        .bind(quorum.to_string())
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
