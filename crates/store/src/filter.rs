//! The conditions of a list, put together from constant pieces.
//!
//! An optional filter that is left out of the text, rather than switched off by a NULL in it, leaves the
//! database free to use an index for the ones that are there.

use crate::{Conn, Param, StoreError};

/// Conditions and the values of their placeholders.
#[derive(Debug, Clone)]
pub(crate) struct Conditions {
    sql: String,
    values: Vec<Param>,
}

impl Conditions {
    /// Begins with a condition whose placeholders `$1`, `$2`, … are these values.
    pub(crate) fn new(first: &'static str, values: Vec<Param>) -> Self {
        Self {
            sql: first.to_owned(),
            values,
        }
    }

    /// Adds a condition, in which each `?` stands for the next of `values`.
    pub(crate) fn and(&mut self, piece: &'static str, values: Vec<Param>) {
        self.sql.push_str(" AND (");
        self.fill(piece, values);
        self.sql.push(')');
    }

    /// Adds that `column` is one of some words; of none when there are none to choose from.
    pub(crate) fn and_one_of(&mut self, column: &'static str, words: impl IntoIterator<Item = Param>) {
        self.sql.push_str(" AND ");
        self.sql.push_str(column);
        self.sql.push_str(" IN (NULL");
        for word in words {
            self.fill(", ?", vec![word]);
        }
        self.sql.push(')');
    }

    fn fill(&mut self, piece: &'static str, values: Vec<Param>) {
        let mut values = values.into_iter();
        for (index, part) in piece.split('?').enumerate() {
            if index > 0 {
                self.values.extend(values.next());
                self.sql.push('$');
                self.sql.push_str(&self.values.len().to_string());
            }
            self.sql.push_str(part);
        }
    }

    /// `SELECT … WHERE` these conditions, then `rest`, in which each `?` stands for the next of `values`.
    pub(crate) fn select(
        mut self,
        select: &str,
        rest: &'static str,
        values: Vec<Param>,
    ) -> (String, Vec<Param>) {
        self.sql.push(' ');
        self.fill(rest, values);
        (format!("{select} WHERE {}", self.sql), self.values)
    }

    /// How many rows of `from` fulfil the conditions, after a `WITH` that may be empty.
    pub(crate) async fn count(
        &self,
        conn: &mut Conn,
        with: &'static str,
        from: &'static str,
    ) -> Result<i64, StoreError> {
        let sql = format!("{with} SELECT COUNT(*) FROM {from} WHERE {}", self.sql);
        let rows: Vec<(i64,)> = conn.fetch_all_built(sql, self.values.clone()).await?;
        Ok(rows.first().map_or(0, |(count,)| *count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params;

    #[test]
    fn placeholders_are_counted() {
        let mut conditions = Conditions::new("a = $1", params!["x"]);
        conditions.and("b > ? OR c = ?", params![1_i64, 2_i64]);
        conditions.and_one_of("d", params!["y", "z"]);
        let (sql, values) = conditions.select("SELECT 1 FROM t", "ORDER BY e LIMIT ?", params![5_i64]);
        assert_eq!(
            sql,
            "SELECT 1 FROM t WHERE a = $1 AND (b > $2 OR c = $3) AND d IN (NULL, $4, $5) ORDER BY e LIMIT $6"
        );
        assert_eq!(values.len(), 6);
    }
}
