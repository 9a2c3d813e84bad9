//! `/Users` (RFC 7644 §3.3 to §3.6).

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path, Payload},
};

use crate::{
    domain::{account::Account, id::AccountId},
    http::{
        State,
        error::ScimFault,
        extract::scim_caller::ScimCaller,
        scim::{
            is_unchanged, json, may_write, object, profile, resource, start_index, user_answer,
        },
    },
    scim::{
        list_response::ListResponse,
        patch::Patch,
        query::{ListQuery, parse_projection},
        schema::ResourceType,
        user::User,
    },
};

/// `GET /Users`: everybody, or whom a filter names.
pub async fn list(
    state: Data<State>,
    caller: ScimCaller,
    request: HttpRequest,
) -> Result<HttpResponse, ScimFault> {
    let kind = Some(ResourceType::User);
    let query = ListQuery::parse(request.query_string(), kind, profile(&caller.connector))?;
    let start_index = start_index(&query);
    let directory = caller.directory(&state);
    let page = directory.list_users(query.filter.as_ref(), start_index, query.count as u64).await?;
    let base_url = caller.base_url(&state);
    let resources = page
        .accounts
        .into_iter()
        .map(|account| resource(&base_url, account, &query.projection))
        .collect();
    let answer = ListResponse::new(page.total, start_index, resources);
    Ok(json(HttpResponse::Ok(), &answer))
}

/// `POST /Users`.
pub async fn create(
    state: Data<State>,
    caller: ScimCaller,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ScimFault> {
    let profile = profile(&caller.connector);
    let projection = parse_projection(request.query_string(), profile)?;
    let user = User::parse(object(payload).await?, profile)?;
    let account = caller.directory(&state).create_user(user).await?;
    Ok(user_answer(HttpResponse::Created(), &caller.base_url(&state), account, &projection))
}

/// `GET /Users/{id}`.
pub async fn show(
    state: Data<State>,
    caller: ScimCaller,
    request: HttpRequest,
    id: Path<(String, String)>,
) -> Result<HttpResponse, ScimFault> {
    let projection = parse_projection(request.query_string(), profile(&caller.connector))?;
    let account = caller.directory(&state).find_user(account_id(&id.1)?).await?;
    if is_unchanged(&request, account.version) {
        return Ok(HttpResponse::NotModified().finish());
    }
    Ok(user_answer(HttpResponse::Ok(), &caller.base_url(&state), account, &projection))
}

/// `PUT /Users/{id}`.
pub async fn replace(
    state: Data<State>,
    caller: ScimCaller,
    request: HttpRequest,
    id: Path<(String, String)>,
    payload: Payload,
) -> Result<HttpResponse, ScimFault> {
    let profile = profile(&caller.connector);
    let projection = parse_projection(request.query_string(), profile)?;
    let user = User::parse(object(payload).await?, profile)?;
    let expects = |account: &Account| may_write(&request, account.version);
    let directory = caller.directory(&state);
    let account = directory.replace_user(account_id(&id.1)?, &user, expects).await?;
    Ok(user_answer(HttpResponse::Ok(), &caller.base_url(&state), account, &projection))
}

/// `PATCH /Users/{id}` (RFC 7644 §3.5.2).
pub async fn patch(
    state: Data<State>,
    caller: ScimCaller,
    request: HttpRequest,
    id: Path<(String, String)>,
    payload: Payload,
) -> Result<HttpResponse, ScimFault> {
    let profile = profile(&caller.connector);
    let projection = parse_projection(request.query_string(), profile)?;
    let patch = Patch::parse(&object(payload).await?, profile)?;
    let expects = |account: &Account| may_write(&request, account.version);
    let directory = caller.directory(&state);
    let account = directory.patch_user(account_id(&id.1)?, &patch, expects).await?;
    Ok(user_answer(HttpResponse::Ok(), &caller.base_url(&state), account, &projection))
}

/// `DELETE /Users/{id}`.
pub async fn delete(
    state: Data<State>,
    caller: ScimCaller,
    request: HttpRequest,
    id: Path<(String, String)>,
) -> Result<HttpResponse, ScimFault> {
    let expects = |account: &Account| may_write(&request, account.version);
    caller.directory(&state).delete_user(account_id(&id.1)?, expects).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// What is not one of our identifiers is nobody's.
fn account_id(text: &str) -> Result<AccountId, ScimFault> {
    let not_found = || ScimFault::NotFound("There is no user with that id.".to_owned());
    text.parse().map_err(|_| not_found())
}
