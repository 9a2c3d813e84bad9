//! Queries and their answers (RFC 7644 §3.4.2).

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::scim::{dialect::Profile, error::ScimError, filter::Filter, projection::Projection};

/// The schema of the message that answers a query.
pub const LIST_RESPONSE_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// How many resources a page has where the client does not say.
pub const DEFAULT_COUNT: usize = 100;

/// How many resources a page has at most.
pub const MAX_COUNT: usize = 200;

/// A page of resources.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListResponse {
    schemas: [&'static str; 1],
    total_results: u64,
    start_index: u64,
    items_per_page: usize,
    #[serde(rename = "Resources")]
    resources: Vec<Value>,
}

impl ListResponse {
    /// The page that begins at `start_index` (1 is the first) of `total_results` resources.
    pub fn new(total_results: u64, start_index: u64, resources: Vec<Map<String, Value>>) -> Self {
        let resources: Vec<_> = resources.into_iter().map(Value::Object).collect();
        Self {
            schemas: [LIST_RESPONSE_SCHEMA],
            total_results,
            start_index,
            items_per_page: resources.len(),
            resources,
        }
    }
}

/// What a query asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct ListQuery {
    /// Which resources; `None` is all.
    pub filter: Option<Filter>,
    /// The first of the page, counted from 1.
    pub start_index: u64,
    /// How many at most, up to [`MAX_COUNT`]; 0 asks only how many there are.
    pub count: usize,
    /// Which of their attributes.
    pub projection: Projection,
}

impl ListQuery {
    /// Reads the query string of a URL. Parameters that are not known are ignored: Entra ID has
    /// `aadOptscim062020` among them.
    ///
    /// # Errors
    ///
    /// [`ScimError::InvalidFilter`]; [`ScimError::InvalidValue`] for a number that is none or for
    /// a parameter given twice.
    pub fn parse(query: &str, profile: &Profile) -> Result<Self, ScimError> {
        let parameters = Parameters::parse(query)?;
        let filter = parameters.filter.as_deref().map(|text| Filter::parse(text, profile));
        let start_index = number("startIndex", parameters.start_index.as_deref())?;
        let count = number("count", parameters.count.as_deref())?;
        Ok(Self {
            filter: filter.transpose()?,
            start_index: start_index.map_or(1, |index| u64::try_from(index).unwrap_or(0).max(1)),
            count: count.map_or(DEFAULT_COUNT, |count| {
                usize::try_from(count.max(0)).unwrap_or(MAX_COUNT).min(MAX_COUNT)
            }),
            projection: parameters.projection(profile)?,
        })
    }
}

/// The projection that the query string of a URL asks for; a request for one resource reads
/// nothing else of it.
///
/// # Errors
///
/// As [`Projection::parse`]; [`ScimError::InvalidValue`] for a parameter given twice.
pub fn parse_projection(query: &str, profile: &Profile) -> Result<Projection, ScimError> {
    Parameters::parse(query)?.projection(profile)
}

#[derive(Default)]
struct Parameters<'q> {
    filter: Option<Cow<'q, str>>,
    start_index: Option<Cow<'q, str>>,
    count: Option<Cow<'q, str>>,
    attributes: Option<Cow<'q, str>>,
    excluded_attributes: Option<Cow<'q, str>>,
}

impl<'q> Parameters<'q> {
    fn parse(query: &'q str) -> Result<Self, ScimError> {
        let mut read = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let parameter = match name.to_ascii_lowercase().as_str() {
                "filter" => &mut read.filter,
                "startindex" => &mut read.start_index,
                "count" => &mut read.count,
                "attributes" => &mut read.attributes,
                "excludedattributes" => &mut read.excluded_attributes,
                _ => continue,
            };
            if parameter.replace(value).is_some() {
                return Err(ScimError::InvalidValue(format!("{name} is given twice")));
            }
        }
        Ok(read)
    }

    fn projection(&self, profile: &Profile) -> Result<Projection, ScimError> {
        let excluded = self.excluded_attributes.as_deref();
        Projection::parse(self.attributes.as_deref(), excluded, profile)
    }
}

/// A number of any size, cut to what fits.
fn number(name: &str, text: Option<&str>) -> Result<Option<i64>, ScimError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ScimError::InvalidValue(format!("{name} must be a whole number")));
    }
    let beyond = if text.starts_with('-') { i64::MIN } else { i64::MAX };
    Ok(Some(text.parse().unwrap_or(beyond)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::dialect::ENTRA;

    #[test]
    fn an_empty_list_is_what_entras_test_connection_wants_to_see() {
        let list = serde_json::to_value(ListResponse::new(0, 1, Vec::new())).unwrap();

        let expected = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": 0, "Resources": [], "startIndex": 1, "itemsPerPage": 0,
        });
        assert_eq!(list, expected);
    }

    #[test]
    fn a_query_string_is_decoded_and_its_unknown_parameters_ignored() {
        let text =
            "aadOptscim062020&filter=userName+eq+%22%C3%A4+%2B+%26%22&sortBy=x&startIndex=11";

        let query = ListQuery::parse(text, &ENTRA).unwrap();

        let filter = query.filter.unwrap();
        assert_eq!(filter.equalities().unwrap()[0].1, "ä + &");
        assert_eq!((query.start_index, query.count), (11, DEFAULT_COUNT));
    }

    #[test]
    fn page_numbers_are_clamped() {
        let pages = [
            ("", 1, DEFAULT_COUNT),
            ("startIndex=0&count=5", 1, 5),
            ("startIndex=-3&count=-1", 1, 0),
            ("count=0", 1, 0),
            ("count=&startindex=2", 2, DEFAULT_COUNT),
            (
                "startIndex=99999999999999999999&count=99999999999999999999",
                i64::MAX as u64,
                MAX_COUNT,
            ),
        ];
        for (text, start_index, count) in pages {
            let query = ListQuery::parse(text, &ENTRA).unwrap();

            assert_eq!((query.start_index, query.count), (start_index, count), "{text}");
        }
    }

    #[test]
    fn a_query_that_could_be_misread_is_refused() {
        let texts = [
            "filter=",
            "filter=x",
            "count=ten",
            "count=1.5",
            "startIndex=+-1",
            "count=1&count=2",
            "filter=userName+eq+%22a%22&filter=userName+pr",
        ];
        for text in texts {
            assert!(ListQuery::parse(text, &ENTRA).is_err(), "{text}");
        }
    }
}
