//! What a client asks of a list (RFC 7644 §3.4.2, RFC 9865 §2).

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::scim::{
    cursor::{Cursor, QueryDigest},
    dialect::Profile,
    error::ScimError,
    filter::Filter,
    list_response::{DEFAULT_COUNT, MAX_COUNT},
    projection::Projection,
    schema::ResourceType,
    sort::Sort,
};

/// What a query asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct ListQuery {
    /// Which resources; `None` is all.
    pub filter: Option<Filter>,
    /// In which order; `None` is that of their creation.
    pub sort: Option<Sort>,
    /// Where the page begins.
    pub start: Start,
    /// How many at most, up to [`MAX_COUNT`]; 0 asks only how many there are.
    pub count: usize,
    /// Which of their attributes.
    pub projection: Projection,
}

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// At this resource, counted from 1.
    Index(u64),
    /// Where a cursor leads, or at the beginning of a list that is gone through by cursors.
    Cursor(Option<Cursor>),
}

impl ListQuery {
    /// Reads the query string of a URL, for one kind of resource or for both (`None`). Parameters
    /// that are not known are ignored: Entra ID has `aadOptscim062020` among them.
    ///
    /// # Errors
    ///
    /// [`ScimError::InvalidFilter`]; [`ScimError::InvalidValue`] for a number that is none, for an
    /// order that is none or for a parameter given twice; [`ScimError::InvalidCount`] beside a
    /// cursor. Whether a cursor is one of this query shows when it is opened.
    pub fn parse(
        query: &str,
        kind: Option<ResourceType>,
        profile: &Profile,
    ) -> Result<Self, ScimError> {
        Parameters::parse(query)?.query(kind, profile)
    }

    /// What makes two queries list the same resources in the same order: filter and sort.
    ///
    /// # Panics
    /// Never: filters have nothing in them that JSON cannot say.
    pub fn digest(&self) -> QueryDigest {
        let written = serde_json::to_vec(&(&self.filter, &self.sort));
        QueryDigest::of(&written.expect("a filter is written as JSON"))
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

/// The parameters of a query, as a URL or a body has them.
#[derive(Default)]
pub(in crate::scim) struct Parameters<'q> {
    filter: Option<Cow<'q, str>>,
    sort_by: Option<Cow<'q, str>>,
    sort_order: Option<Cow<'q, str>>,
    start_index: Option<Cow<'q, str>>,
    count: Option<Cow<'q, str>>,
    cursor: Option<Cow<'q, str>>,
    attributes: Option<Cow<'q, str>>,
    excluded_attributes: Option<Cow<'q, str>>,
}

impl<'q> Parameters<'q> {
    fn parse(query: &'q str) -> Result<Self, ScimError> {
        let mut read = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            read.take(&name, value)?;
        }
        Ok(read)
    }

    /// Takes the members of a body; null is as good as nothing. Lists are written as in a URL.
    pub(in crate::scim) fn from_members(
        members: &'q Map<String, Value>,
        profile: &Profile,
    ) -> Result<Self, ScimError> {
        let mut read = Self::default();
        for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
            if read.parameter(name).is_some() {
                read.take(name, text(name, value, profile)?)?;
            }
        }
        Ok(read)
    }

    fn take(&mut self, name: &str, value: Cow<'q, str>) -> Result<(), ScimError> {
        match self.parameter(name).map(|parameter| parameter.replace(value)) {
            Some(Some(_)) => Err(ScimError::InvalidValue(format!("{name} is given twice"))),
            _ => Ok(()),
        }
    }

    fn parameter(&mut self, name: &str) -> Option<&mut Option<Cow<'q, str>>> {
        Some(match name.to_ascii_lowercase().as_str() {
            "filter" => &mut self.filter,
            "sortby" => &mut self.sort_by,
            "sortorder" => &mut self.sort_order,
            "startindex" => &mut self.start_index,
            "count" => &mut self.count,
            "cursor" => &mut self.cursor,
            "attributes" => &mut self.attributes,
            "excludedattributes" => &mut self.excluded_attributes,
            _ => return None,
        })
    }

    pub(in crate::scim) fn query(
        &self,
        kind: Option<ResourceType>,
        profile: &Profile,
    ) -> Result<ListQuery, ScimError> {
        let filter = self.filter.as_deref().map(|text| Filter::parse(text, kind, profile));
        let sort_by = self.sort_by.as_deref().filter(|name| !name.is_empty());
        let sort = sort_by.map(|name| Sort::parse(name, self.sort_order.as_deref(), kind, profile));
        Ok(ListQuery {
            filter: filter.transpose()?,
            sort: sort.transpose()?,
            start: self.start()?,
            count: self.count()?,
            projection: self.projection(profile)?,
        })
    }

    fn start(&self) -> Result<Start, ScimError> {
        if let Some(cursor) = self.cursor.as_deref() {
            let cursor = Some(cursor).filter(|cursor| !cursor.is_empty());
            return Ok(Start::Cursor(cursor.map(Cursor::new)));
        }
        let index = number("startIndex", self.start_index.as_deref())?.unwrap_or(1);
        Ok(Start::Index(u64::try_from(index).unwrap_or(0).max(1)))
    }

    fn count(&self) -> Result<usize, ScimError> {
        let count = number("count", self.count.as_deref());
        let count = match (&self.cursor, count) {
            (Some(_), Err(error)) => Err(ScimError::InvalidCount(error.to_string())),
            (Some(_), Ok(Some(..0))) => {
                Err(ScimError::InvalidCount("count must not be negative".into()))
            }
            (_, count) => count,
        };
        let clamped = |count: i64| usize::try_from(count.max(0)).unwrap_or(MAX_COUNT);
        Ok(count?.map_or(DEFAULT_COUNT, |count| clamped(count).min(MAX_COUNT)))
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

/// The value of a body's member as a URL would have it.
fn text<'q>(name: &str, value: &'q Value, profile: &Profile) -> Result<Cow<'q, str>, ScimError> {
    let wrong = |what: &str| Err(ScimError::InvalidValue(format!("{name} must be {what}")));
    let numeric = ["startIndex", "count"].iter().any(|known| name.eq_ignore_ascii_case(known));
    let listed = name.to_ascii_lowercase().ends_with("attributes");
    match value {
        Value::Number(number) if numeric => Ok(number.to_string().into()),
        Value::Array(names) if listed => match names.iter().map(Value::as_str).collect() {
            Some::<Vec<_>>(names) => Ok(names.join(",").into()),
            None => wrong("a list of names"),
        },
        Value::String(text) if profile.loose_shapes || !(numeric || listed) => Ok(text.into()),
        _ if numeric => wrong("a number"),
        _ if listed => wrong("a list of names"),
        _ => wrong("text"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::dialect::ENTRA;

    fn parse(text: &str) -> Result<ListQuery, ScimError> {
        ListQuery::parse(text, Some(ResourceType::User), &ENTRA)
    }

    #[test]
    fn a_query_string_is_decoded_and_its_unknown_parameters_ignored() {
        let text = "aadOptscim062020&filter=userName+eq+%22%C3%A4+%2B+%26%22&x=y&startIndex=11\
            &SORTBY=name.familyName&sortOrder=descending&attributes=userName";

        let query = parse(text).unwrap();

        let filter = query.filter.unwrap();
        assert_eq!(filter.equalities().unwrap()[0].1, "ä + &");
        let sort = query.sort.unwrap();
        assert!(sort.path.is("name.familyName") && sort.descending);
        assert_eq!((query.start, query.count), (Start::Index(11), DEFAULT_COUNT));
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
            let query = parse(text).unwrap();

            assert_eq!((query.start, query.count), (Start::Index(start_index), count), "{text}");
        }
    }

    #[test]
    fn a_cursor_says_where_the_page_begins_and_its_absence_that_it_is_the_first() {
        let pages = [
            ("cursor", None, DEFAULT_COUNT),
            ("cursor=&count=10", None, 10),
            ("cursor=abc&startIndex=7&count=1000", Some(Cursor::new("abc")), MAX_COUNT),
        ];
        for (text, cursor, count) in pages {
            let query = parse(text).unwrap();

            assert_eq!((query.start, query.count), (Start::Cursor(cursor), count), "{text}");
        }
    }

    #[test]
    fn a_count_is_refused_by_its_own_name_only_beside_a_cursor() {
        for count in ["-1", "ten", "1.5", "-99999999999999999999"] {
            let beside = parse(&format!("cursor&count={count}"));
            let alone = parse(&format!("count={count}"));

            assert!(matches!(beside, Err(ScimError::InvalidCount(_))), "{count}");
            assert!(!matches!(alone, Err(ScimError::InvalidCount(_))), "{count}");
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
            "sortBy=userName&sortOrder=up",
            "sortBy=userName&sortBy=title",
            "sortBy=name",
            "cursor=a&cursor=b",
        ];
        for text in texts {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn queries_that_list_the_same_in_the_same_order_have_the_same_digest() {
        let digest = |text: &str| parse(text).unwrap().digest();
        let plain = "filter=userName+sw+%22a%22&sortBy=title";

        let same = "count=7&cursor=x&attributes=id&filter=USERNAME++SW+%22a%22\
            &sortby=TITLE&sortOrder=ascending";
        let others = [
            "sortBy=title",
            "filter=userName+sw+%22a%22",
            "filter=userName+sw+%22A%22&sortBy=title",
            "filter=userName+ew+%22a%22&sortBy=title",
            "filter=userName+sw+%22a%22&sortBy=nickName",
            "filter=userName+sw+%22a%22&sortBy=title&sortOrder=descending",
        ];

        assert_eq!(digest(same), digest(plain));
        for other in others {
            assert_ne!(digest(other), digest(plain), "{other}");
        }
    }
}
