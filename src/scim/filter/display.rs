//! Filters written out.

use std::fmt;

use crate::scim::{
    attribute_path::AttributePath,
    filter::{Comparison, Filter},
};

/// As a client writes it; read again it is the same filter.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(parts) => joined(f, parts, " and "),
            Self::Or(parts) => joined(f, parts, " or "),
            Self::Not(part) => write!(f, "not ({part})"),
            Self::Present(path) => {
                name(f, path)?;
                f.write_str(" pr")
            }
            Self::Compare(Comparison { path, operator, value, .. }) => {
                name(f, path)?;
                write!(f, " {} {value}", operator.as_str())
            }
        }
    }
}

/// Groups stand in parentheses, wherever they stand: what they are does not hang on precedence.
fn joined(f: &mut fmt::Formatter<'_>, parts: &[Filter], between: &str) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(between)?;
        }
        match part {
            Filter::And(_) | Filter::Or(_) => write!(f, "({part})")?,
            _ => write!(f, "{part}")?,
        }
    }
    Ok(())
}

/// The path with what stands in its brackets.
fn name(f: &mut fmt::Formatter<'_>, path: &AttributePath) -> fmt::Result {
    let Some(filter) = &path.filter else { return write!(f, "{path}") };
    let attribute = AttributePath { sub_attribute: None, ..path.clone() };
    write!(f, "{attribute}[{filter}]")?;
    path.sub_attribute.as_ref().map_or(Ok(()), |sub| write!(f, ".{sub}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::dialect::{ENTRA, STRICT};

    #[test]
    fn a_filter_is_written_as_clients_write_it() {
        let filters = [
            (r#"USERNAME EQ "A""#, r#"userName eq "A""#),
            ("not(title PR)and active ne FALSE", "not (title pr) and active ne false"),
            (r#"a pr or b pr and c co "\u0041\"""#, r#"a pr or (b pr and c co "A\"")"#),
            (
                r#"emails[Type eq work AND not (value ew "x")].value pr"#,
                r#"emails[type eq "work" and not (value ew "x")].value pr"#,
            ),
            (r#"emails[type eq "work"]"#, r#"emails[type eq "work"] pr"#),
            ("urn:contoso:employee:Level ge 7.50", "urn:contoso:employee:Level ge \"7.50\""),
            (
                "manager eq null",
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq null",
            ),
        ];
        for (text, expected) in filters {
            let filter = Filter::parse(text, None, &ENTRA).unwrap();

            assert_eq!(filter.to_string(), expected, "{text}");
            assert_eq!(Filter::parse(expected, None, &ENTRA), Ok(filter), "{text}");
        }
    }

    #[test]
    fn the_deepest_filter_goes_through_serde() {
        let deep = format!(
            "{}emails[type eq \"a\" or (value pr and not (type pr))]{}",
            "title pr or userName pr and not (".repeat(17),
            ")".repeat(17)
        );
        let filter = Filter::parse(&deep, None, &STRICT).unwrap();

        let text = serde_json::to_string(&filter).unwrap();

        assert_eq!(serde_json::from_str::<Filter>(&text).unwrap(), filter);
    }
}
