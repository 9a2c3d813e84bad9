//! Lists of users and groups: pages, filters, orders.
//!
//! # Why
//!
//! What an index answers is one statement. What must be looked through row by row comes part by
//! part, in one view of the database; few do that at once, and each for some seconds: so nobody
//! else waits for it.

use std::time::Duration;

use deadpool_postgres::GenericClient;
use tokio::time;
use tokio_postgres::{IsolationLevel, types::ToSql};

use super::{
    PostgresStore, Values,
    columns::{Columns, Count},
    directory::{self, Directory},
    failure::Failure,
    filters::{self, Bound, Listed, Test},
    query as ask, within,
};
use crate::{
    ports::{
        NotDone, Unavailable,
        query::{Page, Query, Start, TooCostly},
    },
    scim::sort::{Key, Sort},
    storage::filter_sql::{self, Source},
};

/// How long one list may be looked through.
const LONGEST: Duration = Duration::from_secs(3);

/// How many lists are looked through at once.
pub(super) const AT_ONCE: usize = 2;

/// Rows that come at once.
const PART: u64 = 2_000;

impl PostgresStore {
    /// The part of a directory that a query asks for.
    pub(super) async fn list<T: Listed>(
        &self,
        doing: &'static str,
        directory: Directory,
        query: &Query,
    ) -> Result<Page<T>, NotDone<TooCostly>> {
        if query.filter.is_none() && query.sort.is_none() {
            return Ok(self.page(doing, directory, query).await?);
        }
        let kind = directory.kind;
        let keys = query.filter.as_ref().and_then(|filter| filter_sql::keys(filter, kind));
        let few = keys.as_ref().is_some_and(|keys| filter_sql::name_few(keys, kind));
        let selection = Selection::of::<T>(directory, query, keys.as_deref(), few);
        let listed = if few {
            self.few(&selection).await
        } else {
            match time::timeout(LONGEST, self.look_through(&selection)).await {
                Ok(listed) => listed,
                Err(_) => return Err(NotDone::Refused(TooCostly)),
            }
        };
        Ok(listed.map_err(Unavailable::while_doing(doing))?)
    }

    /// A page of all there are, in the order in which they came.
    async fn page<T: Listed>(
        &self,
        doing: &'static str,
        directory: Directory,
        query: &Query,
    ) -> Result<Page<T>, Unavailable> {
        let (place, start) = match query.start {
            Start::Offset(offset) => (directory::after_offset(directory.kind), offset),
            Start::After(position) => (directory::after_position(directory.kind), position),
        };
        let sql = format!(
            "{place}
             SELECT place.total, place.before, page.*
             FROM place LEFT JOIN LATERAL
                 (SELECT position, {} FROM {}
                  WHERE organization_id = $1 AND connector_id = $2
                      AND position >= place.beginning
                  ORDER BY position LIMIT $4 OFFSET place.skipped) AS page ON true
             ORDER BY page.position",
            T::COLUMNS,
            directory::table(directory.kind)
        );
        let Directory { organization_id, connector_id, .. } = directory;
        let values: &Values<'_> =
            &[&organization_id, &connector_id, &Count(start), &Count(query.limit)];
        let rows = self.all(doing, &sql, values, |columns| {
            let bounds = (columns.read::<Count>()?.0, columns.read::<Count>()?.0);
            let position = columns.read::<Option<Count>>()?;
            let item = match position {
                Some(Count(position)) => Some((position, T::read(columns)?)),
                None => None,
            };
            Ok((bounds, item))
        });
        let (bounds, items): (Vec<_>, Vec<_>) = rows.await?.into_iter().unzip();
        let (total, before) = bounds.first().copied().unwrap_or_default();
        let mut page = Page { total, ..Page::default() };
        for (position, item) in items.into_iter().flatten() {
            page.position = Some(position);
            page.items.push(item);
        }
        page.remaining = total.saturating_sub(before).saturating_sub(page.items.len() as u64);
        Ok(page)
    }

    /// What an index answers.
    async fn few<T: Listed>(&self, selection: &Selection<'_>) -> Result<Page<T>, Failure> {
        within(async {
            let client = self.client().await?;
            let mut found = Vec::new();
            selection
                .part(&client, -1, u64::MAX, |key, position, item: T| {
                    found.push((key, position, item));
                })
                .await?;
            Ok(selection.cut(found))
        })
        .await
    }

    /// What must be looked through row by row.
    async fn look_through<T: Listed>(&self, selection: &Selection<'_>) -> Result<Page<T>, Failure> {
        let _turn = self.scans.acquire().await.map_err(Failure::damaged)?;
        let mut client = self.client().await?;
        let view = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead);
        let view = view.read_only(true).start().await?;
        let (mut found, mut last) = (Vec::new(), -1);
        loop {
            let mut kept = |key, position, _: T| found.push((key, position, position));
            match selection.part(&view, last, PART, &mut kept).await? {
                Some(reached) => last = reached,
                None => break,
            }
        }
        let chosen = selection.cut(found);
        let items = selection.items(&view, &chosen.items).await?;
        view.commit().await?;
        let Page { total, remaining, position, .. } = chosen;
        Ok(Page { total, remaining, items, position })
    }
}

/// What a query with a filter or an order looks at.
struct Selection<'q> {
    directory: Directory,
    query: &'q Query,
    sql: String,
    values: Bound,
    test: Option<Test>,
    sorted_by: Option<(&'q Sort, Source)>,
}

impl<'q> Selection<'q> {
    fn of<T: Listed>(
        directory: Directory,
        query: &'q Query,
        keys: Option<&[filter_sql::Key]>,
        whole: bool,
    ) -> Self {
        let kind = directory.kind;
        let mut values: Bound =
            vec![Box::new(directory.organization_id), Box::new(directory.connector_id)];
        let candidates = match keys {
            Some(keys) => filters::candidates(kind, keys, &mut values),
            None => "true".to_owned(),
        };
        let test = query.filter.as_ref().map(|filter| Test::of(filter, kind, &mut values));
        let sorted_by = query.sort.as_ref().map(|sort| (sort, Source::of(&sort.path, kind)));
        // What the list is ordered by is never found in rows of another table.
        let sorted_by =
            sorted_by.map(|(sort, by)| (sort, if by.is_rows() { Source::Attributes } else { by }));
        let needs_attributes = whole
            || test.as_ref().is_some_and(|test| test.needs_attributes)
            || matches!(sorted_by, Some((_, Source::Attributes | Source::Schemas)));
        // Most of a row is its attributes.
        let columns = if needs_attributes {
            T::COLUMNS.to_owned()
        } else {
            T::COLUMNS.replace("attributes", "'{}'::json AS attributes")
        };
        let of_test = test.iter().flat_map(|test| test.columns.iter().cloned());
        let columns = std::iter::once(columns).chain(of_test).collect::<Vec<_>>().join(", ");
        let (after, limit) = (values.len() + 1, values.len() + 2);
        let sql = format!(
            "SELECT position, {columns} FROM {} AS one
             WHERE one.organization_id = $1 AND one.connector_id = $2 AND {candidates}
                 AND one.position > ${after}::bigint
             ORDER BY one.position LIMIT ${limit}",
            directory::table(kind)
        );
        Self { directory, query, sql, values, test, sorted_by }
    }

    /// Hands over those that match among the next so many, and tells where they end; nothing if
    /// there are no more.
    async fn part<T: Listed>(
        &self,
        client: &impl GenericClient,
        after: i64,
        limit: u64,
        mut found: impl FnMut(Option<Key>, u64, T),
    ) -> Result<Option<i64>, Failure> {
        let limit = Count(limit);
        let mut values: Vec<&(dyn ToSql + Sync)> =
            self.values.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect();
        values.extend([&after as &(dyn ToSql + Sync), &limit]);
        let rows = ask(client, &self.sql, &values).await?;
        let mut last = None;
        for row in &rows {
            let mut columns = Columns::of(row);
            let position: i64 = columns.read()?;
            let item = T::read(&mut columns)?;
            let holds = match &self.test {
                Some(test) => test.holds(&item, &mut columns)?,
                None => true,
            };
            if holds {
                let key = self.sorted_by.and_then(|(sort, by)| sort.key(&item.part(by)));
                found(key, u64::try_from(position).map_err(Failure::damaged)?, item);
            }
            last = Some(position);
        }
        Ok(last.filter(|_| rows.len() as u64 == limit.0))
    }

    /// The page of what was found, in the order in which it came.
    fn cut<I>(&self, mut found: Vec<(Option<Key>, u64, I)>) -> Page<I> {
        let total = found.len() as u64;
        if let Some((sort, _)) = self.sorted_by {
            // Those that are equal stay in the order in which they came.
            found.sort_by(|(one, ..), (other, ..)| sort.compare(one.as_ref(), other.as_ref()));
        }
        let skipped = match (self.query.start, self.sorted_by) {
            (Start::Offset(offset), _) => usize::try_from(offset).unwrap_or(usize::MAX),
            (Start::After(_), Some(_)) => {
                return Page { total, remaining: total, ..Page::default() };
            }
            (Start::After(after), None) => found.partition_point(|(_, at, _)| *at <= after),
        };
        let limit = usize::try_from(self.query.limit).unwrap_or(usize::MAX);
        let (mut items, mut position) = (Vec::new(), None);
        for (_, at, item) in found.into_iter().skip(skipped).take(limit) {
            position = self.sorted_by.is_none().then_some(at);
            items.push(item);
        }
        let before = total.min(skipped as u64);
        Page { total, remaining: total - before - items.len() as u64, items, position }
    }

    /// Those at these positions, in their order.
    async fn items<T: Listed>(
        &self,
        client: &impl GenericClient,
        positions: &[u64],
    ) -> Result<Vec<T>, Failure> {
        let sql = format!(
            "SELECT {} FROM unnest($3::bigint[]) WITH ORDINALITY AS wanted (position, place)
             JOIN {} USING (position)
             WHERE organization_id = $1 AND connector_id = $2 ORDER BY place",
            T::COLUMNS,
            directory::table(self.directory.kind)
        );
        let Directory { organization_id, connector_id, .. } = &self.directory;
        let positions: Vec<Count> = positions.iter().copied().map(Count).collect();
        let rows = ask(client, &sql, &[organization_id, connector_id, &positions]).await?;
        rows.iter().map(|row| T::read(&mut Columns::of(row))).collect()
    }
}
