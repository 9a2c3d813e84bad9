//! The forms of our own pages and the simulator's, read as far as a browser without scripts does.

/// A form and what it would send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// The address, as written.
    pub action: String,
    /// `get` or `post`.
    pub method: String,
    /// Every `input` and `button` with a name: a hidden one with its value, others with what stands
    /// in them.
    pub fields: Vec<(String, String)>,
    /// The names of buttons; only the one that is pressed is sent.
    buttons: Vec<String>,
}

impl Form {
    /// Whether it has a field of that name.
    pub fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(found, _)| found == name)
    }

    /// What is sent when `filled` is typed, or pressed, into it.
    pub fn filled(&self, filled: &[(&str, &str)]) -> Vec<(String, String)> {
        let kept = self.fields.iter().filter(|(name, _)| {
            !self.buttons.contains(name) && !filled.iter().any(|(typed, _)| typed == name)
        });
        let typed = filled.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        kept.cloned().chain(typed).collect()
    }
}

pub fn read(page: &str) -> Vec<Form> {
    page.split("<form").skip(1).map(|part| form(part.split("</form>").next().unwrap())).collect()
}

fn form(text: &str) -> Form {
    let (head, inside) = text.split_once('>').unwrap();
    let elements = |name: &str| -> Vec<String> {
        inside.split(name).skip(1).map(|rest| rest.split('>').next().unwrap().to_owned()).collect()
    };
    let (inputs, buttons) = (elements("<input"), elements("<button"));
    let named =
        |tag: &String| Some((attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default()));
    Form {
        action: attribute(head, "action").unwrap_or_default(),
        method: attribute(head, "method").unwrap_or_else(|| "get".to_owned()),
        fields: inputs.iter().chain(&buttons).filter_map(named).collect(),
        buttons: buttons.iter().filter_map(|tag| attribute(tag, "name")).collect(),
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    between(tag, &format!(" {name}=\""), "\"").map(unescape)
}

pub fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    text.split_once(before)?.1.split_once(after).map(|(inside, _)| inside)
}

/// Character references undone: the five that every template engine writes, and numbers.
pub fn unescape(text: &str) -> String {
    let mut parts = text.split('&');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (reference, rest) = part.split_once(';').expect("a reference ends");
        plain.push(character(reference));
        plain.push_str(rest);
    }
    plain
}

fn character(reference: &str) -> char {
    let number = match reference {
        "amp" => return '&',
        "lt" => return '<',
        "gt" => return '>',
        "quot" => return '"',
        "apos" => return '\'',
        other => other.strip_prefix('#').unwrap(),
    };
    let code = match number.strip_prefix('x') {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => number.parse(),
    };
    char::from_u32(code.unwrap()).unwrap()
}
