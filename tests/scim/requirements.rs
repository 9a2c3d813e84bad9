//! Which test holds which requirement of the RFCs.

use std::collections::BTreeSet;

use crate::sources;

/// Every normative requirement of RFC 7642, 7643 and 7644 by its RFC, section and line in the
/// RFC's text, with its level.
const REQUIREMENTS: &str = include_str!("requirements.txt");

/// Which tests of some files hold which requirements.
pub struct Coverage {
    /// The files.
    pub texts: &'static [&'static str],
    /// Each test, and what it holds.
    pub tests: &'static [(&'static str, &'static [&'static str])],
    /// What no test here holds, and why.
    pub not_ours: &'static [(&'static str, &'static str)],
}

impl Coverage {
    /// Fails unless every requirement of these RFCs is held or explained, and every test is named.
    pub fn check(&self, rfcs: &[&str]) {
        let identifiers = REQUIREMENTS.lines().map(|line| line.split(' ').next().unwrap());
        let required: BTreeSet<&str> =
            identifiers.filter(|id| rfcs.iter().any(|rfc| id.starts_with(rfc))).collect();
        let held: BTreeSet<&str> =
            self.tests.iter().flat_map(|(_, held)| held.iter().copied()).collect();
        let explained: BTreeSet<&str> = self.not_ours.iter().map(|(id, _)| *id).collect();
        let known: BTreeSet<&str> = held.union(&explained).copied().collect();

        let unheld: Vec<_> = required.difference(&known).collect();
        let unknown: Vec<_> = known.difference(&required).collect();
        let twice: Vec<_> = held.intersection(&explained).collect();
        let unexplained: Vec<_> = self
            .not_ours
            .iter()
            .filter(|(_, why)| !why.starts_with("not ours, because "))
            .collect();
        let named: BTreeSet<String> =
            self.tests.iter().map(|(name, _)| (*name).to_owned()).collect();
        let texts = self.texts.iter().copied();
        let written: BTreeSet<String> = texts.flat_map(sources::tests_in).collect();

        assert!(required.len() > 50, "{required:?}");
        assert!(unheld.is_empty(), "held by no test: {unheld:#?}");
        assert!(unknown.is_empty(), "no requirement: {unknown:#?}");
        assert!(twice.is_empty(), "held and explained: {twice:#?}");
        assert!(unexplained.is_empty(), "{unexplained:#?}");
        assert_eq!(named, written);
    }
}
