//! The parameters of a request: a query or a form, none of them twice.

use super::aadsts::Aadsts;

/// Named values; an empty one counts as absent (RFC 6749 §3.1).
#[derive(Clone, Debug, Default)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// The parameters of a query string or an `application/x-www-form-urlencoded` body.
    pub(super) fn parse(text: &str) -> Result<Self, Aadsts> {
        let pairs: Vec<(String, String)> =
            url::form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        for (index, (name, _)) in pairs.iter().enumerate() {
            if pairs[..index].iter().any(|(earlier, _)| earlier == name) {
                return Err(Aadsts::duplicated(name));
            }
        }
        Ok(Self(pairs))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(present, _)| present == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    pub(super) fn owned(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    /// The value, or the refusal that names what is missing.
    pub(super) fn require(&self, name: &str) -> Result<&str, Aadsts> {
        self.get(name).ok_or_else(|| Aadsts::missing(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_that_comes_twice_is_refused_and_an_empty_one_absent() {
        let repeated = Parameters::parse("state=a&code=b&state=a");
        let empty = Parameters::parse("state=&scope=open+id%20x").unwrap();

        assert_eq!(repeated.unwrap_err(), Aadsts::duplicated("state"));
        assert_eq!((empty.get("state"), empty.get("scope")), (None, Some("open id x")));
    }
}
