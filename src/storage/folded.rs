//! Comparison without regard to case.

/// A text in which only the case of letters is gone, so that equal ones are one name.
///
/// Letter by letter (Unicode's simple lower case), so what follows a letter never changes it; a
/// Greek final sigma is a sigma. Nothing else is made equal: `ß` is not `ss`, `ı` is not `i`.
pub(super) fn folded(text: &str) -> String {
    let lower = text.chars().flat_map(char::to_lowercase);
    lower.map(|letter| if letter == 'ς' { 'σ' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_takes_the_case_of_letters_and_nothing_else() {
        for (one, other) in
            [("ÉMILE", "émile"), ("ΟΔΟΣ", "οδος"), ("Οδοσ", "ΟΔΟς"), ("ДАНА@x", "дана@X")]
        {
            assert_eq!(folded(one), folded(other), "{one} {other}");
        }
        for (one, other) in [("admın", "admin"), ("straße", "STRASSE"), ("é", "e"), ("a ", "a")]
        {
            assert_ne!(folded(one), folded(other), "{one} {other}");
        }
    }
}
