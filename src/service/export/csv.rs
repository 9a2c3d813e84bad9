//! Lines of comma-separated values (RFC 4180), and what a spreadsheet would run of them.

use std::borrow::Cow;

/// One line of a file: cells in quotes where they need some, and CR LF at its end.
pub(super) fn record<Cell: AsRef<str>>(cells: impl IntoIterator<Item = Cell>) -> String {
    let cells = cells.into_iter().map(|cell| quoted(cell.as_ref()).into_owned());
    let mut line = cells.collect::<Vec<_>>().join(",");
    line.push_str("\r\n");
    line
}

/// The text, with an apostrophe before it where a spreadsheet would run it.
///
/// It can be taken away again: before a text that begins with apostrophes and would run without
/// them stands one more. No other text is changed, such as *'s-Gravenhage* or +49 30 901820.
pub(super) fn guarded(text: &str) -> Cow<'_, str> {
    if runs(text.trim_start_matches('\'')) { format!("'{text}").into() } else { text.into() }
}

/// Whether a spreadsheet would take the text for a formula and not for what it says.
///
/// Behind a sign, digits with what stands between those of a telephone number are none: at worst
/// they are added up.
pub(super) fn runs(text: &str) -> bool {
    let mut rest = text.chars();
    match rest.next() {
        // Wide letters count as narrow ones where Japanese is spoken.
        Some('=' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠') => true,
        Some('+' | '-') => !rest.all(stands_in_a_telephone_number),
        _ => false,
    }
}

/// Digits, what divides them, and the letters of *ext* before an extension.
fn stands_in_a_telephone_number(character: char) -> bool {
    character.is_ascii_digit() || " ().,/#-extEXT".contains(character)
}

fn quoted(cell: &str) -> Cow<'_, str> {
    let spaced = cell.starts_with(' ') || cell.ends_with(' ');
    if spaced || cell.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", cell.replace('"', "\"\"")).into()
    } else {
        cell.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_quoted_where_it_must_be() {
        let long = "x".repeat(100_000);
        let cells = [
            ("Alice", "Alice"),
            ("", ""),
            ("Example, Alice", "\"Example, Alice\""),
            ("\"Al\" Example", "\"\"\"Al\"\" Example\""),
            ("\"", "\"\"\"\""),
            ("Main Street 1\r\nSpringfield", "\"Main Street 1\r\nSpringfield\""),
            ("a\nb", "\"a\nb\""),
            (" a ", "\" a \""),
            ("a;b\tc", "a;b\tc"),
            ("Zoë 李 🙂", "Zoë 李 🙂"),
            (&long, &long),
        ];
        for (cell, written) in cells {
            assert_eq!(record([cell, "z"]), format!("{written},z\r\n"), "{cell}");
        }
    }

    #[test]
    fn what_a_spreadsheet_would_run_is_guarded_and_nothing_else_is_touched() {
        let running = [
            "=1+1",
            "=cmd|'/C calc'!A0",
            "@SUM(A1:A9)",
            "+cmd|'/C calc'!A0",
            "-2+3+cmd|'/C calc'!A0",
            "+HYPERLINK(\"https://evil.example\")",
            "-A1",
            "\t=1",
            "\r=1",
            "\n=1",
            "＝1+1",
            "'=1+1",
            "''=1+1",
        ];
        let harmless = [
            "",
            "'",
            "-",
            "'s-Gravenhage",
            "+49 (30) 901820-15",
            "+1 555 0100 ext. 5",
            "-5.5",
            "a=b",
            " =1+1",
            "alice@acme.example",
            "1-2",
        ];
        for text in running {
            assert_eq!(guarded(text), format!("'{text}"));
        }
        for text in harmless {
            assert_eq!(guarded(text), text);
        }
    }

    #[test]
    fn a_guard_is_told_from_an_apostrophe_of_the_texts_own() {
        let unguarded = |text: &str| match text.strip_prefix('\'') {
            Some(rest) if runs(rest.trim_start_matches('\'')) => rest.to_owned(),
            _ => text.to_owned(),
        };

        for text in ["=x", "'=x", "''=x", "'x", "x", "", "'", "+49", "'+49", "'@x"] {
            assert_eq!(unguarded(&guarded(text)), text);
        }
    }
}
