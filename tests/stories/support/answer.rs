//! What came back.

use http::HeaderMap;
use serde_json::Value;

use super::form::{self, Form};

/// An HTTP answer, whole.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The address that answered.
    pub url: String,
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Where it leads, absolute.
    pub fn location(&self) -> Option<String> {
        let base = url::Url::parse(&self.url).unwrap();
        self.header("location").map(|location| base.join(location).unwrap().into())
    }

    /// The body, which must be JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| {
            panic!("{} answered no JSON ({error}): {}", self.url, self.body)
        })
    }

    /// What stands under the first `<h1>`.
    pub fn heading(&self) -> String {
        form::unescape(form::between(&self.body, "<h1>", "</h1>").unwrap_or_default())
    }

    /// The text of a page, its markup taken out.
    pub fn text(&self) -> String {
        without_markup(&self.body)
    }

    /// The reference number that a page shows.
    pub fn reference(&self) -> String {
        let (_, after) = self.body.split_once(r#"<div class="reference">"#).expect(&self.body);
        form::between(after, "<code>", "</code>").unwrap().to_owned()
    }

    /// The links of a page: their words, and where they lead.
    pub fn links(&self) -> Vec<(String, String)> {
        let links = self.body.split("<a ").skip(1).filter_map(|part| {
            let href = form::between(part, "href=\"", "\"")?;
            Some((without_markup(form::between(part, ">", "</a>")?), form::unescape(href)))
        });
        links.collect()
    }

    /// The forms of a page.
    pub fn forms(&self) -> Vec<Form> {
        form::read(&self.body)
    }

    /// Whether it sends on to another address.
    pub fn is_redirect(&self) -> bool {
        (300..400).contains(&self.status) && self.headers.contains_key("location")
    }
}

fn without_markup(html: &str) -> String {
    let shown = html.split('<').enumerate().map(|(number, part)| {
        if number == 0 { part } else { part.split_once('>').map_or("", |(_, text)| text) }
    });
    form::unescape(&shown.collect::<String>())
}
