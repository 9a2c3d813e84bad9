//! The words and values that a filter is made of.

use crate::scim::{error::ScimError, filter::parser::invalid};

/// What of a filter is still to be read.
pub(super) struct Text<'t> {
    rest: &'t str,
}

impl<'t> Text<'t> {
    pub(super) const fn new(text: &'t str) -> Self {
        Self { rest: text }
    }

    pub(super) const fn rest(&self) -> &'t str {
        self.rest
    }

    pub(super) fn starts_with(&self, symbol: char) -> bool {
        self.rest.starts_with(symbol)
    }

    /// Text in quotation marks, with the escapes of JSON.
    pub(super) fn quoted(&mut self) -> Result<String, ScimError> {
        let mut escaped = false;
        let end = self.rest.char_indices().skip(1).find(|&(_, c)| {
            let closes = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            closes
        });
        let (end, _) = end.ok_or_else(|| invalid("the filter lacks a closing quotation mark"))?;
        let text: String = serde_json::from_str(self.take(end + 1))
            .map_err(|_| invalid("text in a filter is written as in JSON"))?;
        // No database keeps a text with a NUL, and PostgreSQL takes none to compare with.
        if text.contains('\0') {
            return Err(invalid("text in a filter has no U+0000"));
        }
        Ok(text)
    }

    /// A value without quotation marks.
    pub(super) fn unquoted(&mut self) -> &'t str {
        self.take_until(|c| c.is_whitespace() || ")]".contains(c))
    }

    /// A name or an operator.
    pub(super) fn word(&mut self) -> &'t str {
        self.take_until(|c| c.is_whitespace() || "()[]\"".contains(c))
    }

    /// Takes a word that stands alone.
    pub(super) fn keyword(&mut self, keyword: &str) -> bool {
        let before = self.rest;
        self.skip_spaces();
        let found = self.word().eq_ignore_ascii_case(keyword);
        if !found {
            self.rest = before;
        }
        found
    }

    pub(super) fn symbol(&mut self, symbol: char) -> bool {
        let rest = self.rest.strip_prefix(symbol);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    pub(super) fn at_end_of_expression(&self) -> bool {
        let rest = self.rest.trim_start();
        let word = rest.split(|c: char| c.is_whitespace() || c == '(').next().unwrap_or_default();
        rest.is_empty()
            || rest.starts_with(')')
            || ["and", "or"].iter().any(|keyword| word.eq_ignore_ascii_case(keyword))
    }

    pub(super) fn skip_spaces(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take_until(&mut self, ends: impl Fn(char) -> bool) -> &'t str {
        self.take(self.rest.find(ends).unwrap_or(self.rest.len()))
    }

    fn take(&mut self, bytes: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        taken
    }
}
