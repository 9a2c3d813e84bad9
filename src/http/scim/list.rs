//! Lists of resources, asked for in the address or in a body (RFC 7644 §3.4.2, RFC 9865).

use actix_web::{HttpResponse, web::Payload};

use super::{LONGEST_BODY, answer, request::ScimRequest, walks::Walk};
use crate::{
    http::error::ScimFault,
    ports::query::{self, Page},
    scim::{
        cursor::{Cursor, List, Position},
        list_response::ListResponse,
        query::{ListQuery, Start},
        schema::ResourceType,
        search_request,
    },
    service::provisioning::Resource,
};

/// `GET`: the resources of a kind, or of every kind, that a query asks for.
pub async fn get(scim: ScimRequest, kind: Option<ResourceType>) -> Result<HttpResponse, ScimFault> {
    let query = ListQuery::parse(scim.query(), kind, scim.profile())?;
    list(&scim, kind, query).await
}

/// `POST …/.search`: the same with the query in the body.
pub async fn search(
    scim: ScimRequest,
    kind: Option<ResourceType>,
    payload: Payload,
) -> Result<HttpResponse, ScimFault> {
    let body = scim.object(payload, LONGEST_BODY).await?;
    let query = search_request::parse(&body, kind, scim.profile())?;
    list(&scim, kind, query).await
}

async fn list(
    scim: &ScimRequest,
    kind: Option<ResourceType>,
    query: ListQuery,
) -> Result<HttpResponse, ScimFault> {
    let list = List { connector_id: scim.connector().id, kind, query: query.digest() };
    let answered = match &query.start {
        Start::Index(index) => by_index(scim, &list, &query, *index).await?,
        Start::Cursor(cursor) => by_cursor(scim, &list, &query, cursor.as_ref()).await?,
    };
    Ok(answer::json(HttpResponse::Ok(), &answered))
}

/// The page that begins at an index.
///
/// Who asks for the page after the one before gets it from where that one ended, so that what
/// was deleted meanwhile makes nobody be skipped; the total is counted from there too.
async fn by_index(
    scim: &ScimRequest,
    list: &List,
    query: &ListQuery,
    index: u64,
) -> Result<ListResponse, ScimFault> {
    let walk = Walk { list: *list, client: scim.client().to_owned() };
    let (walks, now) = (&scim.state().walks, scim.now());
    let known = walks.position(&walk, index, now).filter(|_| query.sort.is_none());
    let start = known.map_or(query::Start::Offset(index - 1), query::Start::After);
    let page = ask(scim, list.kind, query, start).await?;
    let length = page.items.len() as u64;
    if let Some(position) = page.position.filter(|_| length > 0) {
        walks.remember(walk, index + length, position, now);
    }
    let total = if known.is_some() { index - 1 + length + page.remaining } else { page.total };
    let resources = answer::resources(scim, page.items, &query.projection).await?;
    Ok(ListResponse::new(total, index, resources))
}

/// The page that a cursor leads to.
async fn by_cursor(
    scim: &ScimRequest,
    list: &List,
    query: &ListQuery,
    cursor: Option<&Cursor>,
) -> Result<ListResponse, ScimFault> {
    let key = &scim.state().cursor_key;
    let position = match cursor {
        None => Position::Offset(0),
        Some(cursor) => key.open(cursor, list, scim.now())?,
    };
    let start = match position {
        Position::After(position) => query::Start::After(position),
        Position::Offset(offset) => query::Start::Offset(offset),
    };
    let page = ask(scim, list.kind, query, start).await?;
    let next = match (page.position, position) {
        (Some(end), _) => Position::After(end),
        (None, Position::Offset(offset)) => Position::Offset(offset + page.items.len() as u64),
        (None, position) => position,
    };
    let next = (page.remaining > 0).then(|| key.seal(list, next, scim.now()));
    let total = page.total;
    let resources = answer::resources(scim, page.items, &query.projection).await?;
    Ok(ListResponse::by_cursor(Some(total), next, None, resources))
}

async fn ask(
    scim: &ScimRequest,
    kind: Option<ResourceType>,
    query: &ListQuery,
    start: query::Start,
) -> Result<Page<Resource>, ScimFault> {
    let query = query::Query {
        filter: query.filter.clone(),
        sort: query.sort.clone(),
        start,
        limit: query.count as u64,
    };
    Ok(scim.directory().list(kind, &query).await?)
}
