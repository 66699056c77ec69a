//! Holds the databases of the services against `docs/data-model.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

/// Tables of a database, each with its columns.
type Tables = BTreeMap<String, BTreeSet<String>>;

/// What the page says of one table: a line for each group of its columns.
pub struct Documented {
    tables: Tables,
    lines: BTreeMap<String, String>,
}

impl Documented {
    /// Reads the section of a database, by the name of its file.
    ///
    /// # Errors
    /// Where the page or its section is missing, or a column stands in it twice.
    pub fn read(database: &str) -> Result<Self> {
        let page = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/data-model.md"));
        Self::parse(&std::fs::read_to_string(&page).with_context(|| page.display().to_string())?, database)
    }

    fn parse(page: &str, database: &str) -> Result<Self> {
        let heading = format!("`{database}`");
        let section = page.split("\n## ").find(|section| section.lines().next() == Some(&heading));
        let section = section.with_context(|| format!("docs/data-model.md has no section {heading}"))?;
        let mut found = Self { tables: Tables::new(), lines: BTreeMap::new() };
        for line in section.lines().filter(|line| line.starts_with("| `")) {
            let mut cells = line.trim_matches('|').split('|').map(str::trim);
            let table = cells.next().unwrap_or_default().trim_matches('`').to_owned();
            let columns = found.tables.entry(table.clone()).or_default();
            for column in cells.next().unwrap_or_default().split('`').skip(1).step_by(2) {
                anyhow::ensure!(columns.insert(column.to_owned()), "{database}: {table}.{column} stands there twice");
            }
            found.lines.entry(table).or_default().push_str(line);
        }
        Ok(found)
    }

    /// All that the page says of a table.
    #[must_use]
    pub fn of(&self, table: &str) -> &str {
        self.lines.get(table).map_or("", String::as_str)
    }

    /// What a database has and the page does not say, and the other way round.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn differences(&self, database: &Path) -> Result<Vec<String>> {
        let found = schema(database).await?;
        let names: BTreeSet<&String> = found.keys().chain(self.tables.keys()).collect();
        let none = BTreeSet::new();
        let mut differences = Vec::new();
        for table in names {
            let (real, said) = (found.get(table).unwrap_or(&none), self.tables.get(table).unwrap_or(&none));
            differences.extend(real.difference(said).map(|column| format!("{table}.{column} is not documented")));
            differences.extend(said.difference(real).map(|column| format!("{table}.{column} does not exist")));
        }
        Ok(differences)
    }
}

/// What SQLite and sqlx keep for themselves is left out.
async fn schema(database: &Path) -> Result<Tables> {
    let options = SqliteConnectOptions::new().filename(database).read_only(true);
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c
         WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite!_%' ESCAPE '!' AND t.name <> '_sqlx_migrations'",
    )
    .fetch_all(&pool)
    .await?;
    pool.close().await;
    let mut tables = Tables::new();
    for (table, column) in rows {
        tables.entry(table).or_default().insert(column);
    }
    Ok(tables)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# Title\n\n## `one.db`\n\n| table | columns | what |\n|---|---|---|\n| `t` | `a`, `b` | x |\n| `t` | `c` | y |\n| `gone` | `a` | z |\n\n## `two.db`\n\n| `u` | `a` | - |\n";

    #[tokio::test]
    async fn what_the_page_lacks_and_what_it_invents_are_differences() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("one.db");
        let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        let pool = SqlitePoolOptions::new().connect_with(options).await.unwrap();
        sqlx::raw_sql("CREATE TABLE t (a, b, d); CREATE TABLE new (x);").execute(&pool).await.unwrap();
        pool.close().await;
        let page = Documented::parse(PAGE, "one.db").unwrap();
        let wanted =
            ["gone.a does not exist", "new.x is not documented", "t.d is not documented", "t.c does not exist"];
        assert_eq!(page.differences(&path).await.unwrap(), wanted);
        assert!(page.of("t").contains("| y |") && page.of("u").is_empty());
    }

    #[test]
    fn a_section_that_is_missing_and_a_column_that_stands_twice_are_errors() {
        assert!(Documented::parse(PAGE, "three.db").is_err());
        assert!(Documented::parse("\n## `one.db`\n| `t` | `a`, `a` |", "one.db").is_err());
    }
}
