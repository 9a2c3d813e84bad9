//! Lists of users and groups: pages, filters, orders.
//!
//! # Why
//!
//! What an index answers is answered where the caller stands. What must be looked through row by
//! row is left to the scanners, who have threads of their own and a second.

use rusqlite::{Connection, Row, ToSql, params_from_iter, types::ValueRef};

use super::{
    SqliteStore,
    columns::Count,
    conditions::{self, Values},
    directory::Directory,
    functions,
};
use crate::{
    ports::{
        NotDone,
        query::{Page, Query, Start, TooCostly},
    },
    scim::{
        schema::ResourceType,
        sort::{Key, Sort},
    },
    storage::filter_sql::{self, Source},
};

/// How the rows of a directory become what is listed.
pub(super) struct Reading<T> {
    /// The columns, with a comma between each two.
    pub(super) columns: &'static str,
    /// Reads them.
    pub(super) read: fn(&Row<'_>) -> rusqlite::Result<T>,
}

impl SqliteStore {
    /// The part of a directory that a query asks for.
    pub(super) async fn query<T: Send + 'static>(
        &self,
        doing: &'static str,
        directory: Directory,
        query: &Query,
        reading: Reading<T>,
    ) -> Result<Page<T>, NotDone<TooCostly>> {
        if query.filter.is_none() && query.sort.is_none() {
            let page = self.read(doing, |connection| {
                in_one_view(connection, |connection| page(connection, &directory, query, &reading))
            });
            return Ok(page?);
        }
        let keys = query.filter.as_ref().and_then(|f| filter_sql::keys(f, directory.kind));
        let few = keys.as_ref().is_some_and(|keys| filter_sql::name_few(keys, directory.kind));
        let selection = Selection::new(directory, query.clone(), keys.as_deref());
        let answer = move |connection: &Connection| {
            in_one_view(connection, |connection| selection.page(connection, &reading))
        };
        if few { Ok(self.read(doing, answer)?) } else { self.scanners.scan(doing, answer).await }
    }
}

/// Several questions about one state of things.
fn in_one_view<T>(
    connection: &Connection,
    questions: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let transaction = connection.unchecked_transaction()?;
    questions(&transaction)
}

/// A page of all there are, in the order in which they came.
fn page<T>(
    connection: &Connection,
    directory: &Directory,
    query: &Query,
    reading: &Reading<T>,
) -> rusqlite::Result<Page<T>> {
    let total = directory.total(connection)?;
    let begin = match query.start {
        Start::Offset(offset) => directory.begin_after(connection, offset)?,
        Start::After(position) => Some((position.saturating_add(1), 0)),
    };
    let Some((from, skipped)) = begin else { return Ok(Page { total, ..Page::default() }) };
    let sql = format!(
        "SELECT {}, position FROM {} WHERE organization_id = ? AND connector_id = ?
             AND position >= ? ORDER BY position LIMIT ? OFFSET ?",
        reading.columns,
        directory.table()
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let key: [&dyn ToSql; 5] = [
        &directory.organization_id,
        &directory.connector_id,
        &Count(from),
        &Count(query.limit),
        &Count(skipped),
    ];
    let (mut items, mut last) = (Vec::new(), None);
    let mut rows = statement.query(key)?;
    while let Some(row) = rows.next()? {
        items.push((reading.read)(row)?);
        last = Some(row.get::<_, Count>("position")?.0);
    }
    let remaining = match (last, query.start) {
        (Some(last), _) => directory.remaining_after(connection, last)?,
        (None, Start::Offset(offset)) => total.saturating_sub(offset),
        (None, Start::After(position)) => directory.remaining_after(connection, position)?,
    };
    Ok(Page { total, remaining, items, position: last })
}

/// What a query with a filter or an order looks at.
struct Selection {
    directory: Directory,
    query: Query,
    sql: String,
    values: Values,
    sorted_by: Option<Source>,
}

/// Where the values stand that a list is ordered by. Nothing is ordered by rows of another table.
fn ordered_by(sort: &Sort, kind: ResourceType) -> Source {
    let source = Source::of(&sort.path, kind);
    if source.is_rows() { Source::Attributes } else { source }
}

/// Where a row stands.
struct Place {
    rowid: i64,
    position: u64,
}

impl Selection {
    fn new(directory: Directory, query: Query, keys: Option<&[filter_sql::Key]>) -> Self {
        let mut values: Values =
            vec![Box::new(directory.organization_id), Box::new(directory.connector_id)];
        let sorted_by = query.sort.as_ref().map(|sort| ordered_by(sort, directory.kind));
        let columns = sorted_by.map_or("NULL", functions::columns);
        let mut sql =
            format!("SELECT rowid, position, {columns} FROM {} AS one WHERE ", directory.table());
        // The signs keep SQLite from going through the whole list for a few rows.
        let order = if let Some(keys) = keys {
            let candidates = conditions::candidates(&directory, keys, &mut values);
            sql += &format!(
                "+organization_id = ?1 AND +connector_id = ?2 AND rowid IN ({candidates})"
            );
            "+position"
        } else {
            sql += "organization_id = ?1 AND connector_id = ?2";
            "position"
        };
        if let Some(filter) = &query.filter {
            let condition = conditions::condition(filter, directory.kind, &mut values);
            sql += &format!(" AND {condition}");
        }
        sql += &format!(" ORDER BY {order}");
        Self { directory, query, sql, values, sorted_by }
    }

    fn page<T>(&self, connection: &Connection, reading: &Reading<T>) -> rusqlite::Result<Page<T>> {
        let chosen = match &self.query.sort {
            None => self.in_their_order(connection)?,
            Some(sort) => self.in_order(connection, sort)?,
        };
        let sql =
            format!("SELECT {} FROM {} WHERE rowid = ?", reading.columns, self.directory.table());
        let mut statement = connection.prepare_cached(&sql)?;
        let mut item = |place: Place| statement.query_row([place.rowid], reading.read);
        let position = chosen.items.last().filter(|_| self.query.sort.is_none());
        let position = position.map(|place| place.position);
        let items = chosen.items.into_iter().map(&mut item).collect::<Result<_, _>>()?;
        Ok(Page { total: chosen.total, remaining: chosen.remaining, items, position })
    }

    /// Those of the page, and how many there are; no others are kept.
    fn in_their_order(&self, connection: &Connection) -> rusqlite::Result<Page<Place>> {
        let mut page = Page::default();
        self.each(connection, |place, _| {
            page.total += 1;
            let begun = match self.query.start {
                Start::Offset(offset) => page.total > offset,
                Start::After(position) => place.position > position,
            };
            if begun && (page.items.len() as u64) < self.query.limit {
                page.items.push(place);
            } else if begun {
                page.remaining += 1;
            }
            Ok(())
        })?;
        Ok(page)
    }

    fn in_order(&self, connection: &Connection, sort: &Sort) -> rusqlite::Result<Page<Place>> {
        let mut found: Vec<(Option<Key>, Place)> = Vec::new();
        self.each(connection, |place, row| {
            found.push((self.key(sort, row)?, place));
            Ok(())
        })?;
        // Those that are equal stay in the order in which they came.
        found.sort_by(|(one, _), (other, _)| sort.compare(one.as_ref(), other.as_ref()));
        let total = found.len() as u64;
        let Start::Offset(offset) = self.query.start else {
            return Ok(Page { total, remaining: total, ..Page::default() });
        };
        let at_most = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let after = found.into_iter().map(|(_, place)| place).skip(at_most(offset));
        let items: Vec<_> = after.take(at_most(self.query.limit)).collect();
        let remaining = total.saturating_sub(offset).saturating_sub(items.len() as u64);
        Ok(Page { total, remaining, items, position: None })
    }

    fn key(&self, sort: &Sort, row: &Row<'_>) -> rusqlite::Result<Option<Key>> {
        let Some(source) = self.sorted_by else { return Ok(None) };
        let column = |place| row.get_ref(2 + place).unwrap_or(ValueRef::Null);
        let part = functions::part(self.directory.kind, source, column)?;
        Ok(sort.key(&part))
    }

    fn each(
        &self,
        connection: &Connection,
        mut found: impl FnMut(Place, &Row<'_>) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        let mut statement = connection.prepare_cached(&self.sql)?;
        let mut rows = statement.query(params_from_iter(&self.values))?;
        while let Some(row) = rows.next()? {
            let Count(position) = row.get(1)?;
            found(Place { rowid: row.get(0)?, position }, row)?;
        }
        Ok(())
    }
}
