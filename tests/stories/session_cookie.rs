//! The session cookie is read in two ways, which must agree: actix-session's, around the pages that
//! begin or end a session, and our own everywhere else.

use jiff::SignedDuration;
use percent_encoding::{
    NON_ALPHANUMERIC, percent_decode_str, percent_encode_byte, utf8_percent_encode,
};
use portico::simulator::Person;

use crate::support::{Ask, Browser, Organization, SESSION, Service};

/// What each reader thinks of the same `Cookie` headers.
#[derive(Debug, PartialEq, Eq)]
struct Verdicts {
    ours: bool,
    actix_session: bool,
}

/// Somebody who signs in again and again.
struct Scene {
    service: Service,
    acme: Organization,
    ada: Person,
    browser: Browser,
}

impl Scene {
    async fn begin() -> Self {
        let service = Service::start().await;
        let acme = service.organization("acme").await;
        let ada = acme.has_person("ada", &["Admin"]);
        acme.provision().await;
        let browser = service.browser();
        Self { service, acme, ada, browser }
    }

    /// Signs in, and asks both readers about what `headers` makes of the cookie's value.
    ///
    /// actix-session takes a cookie away that it accepted, when the session is signed out of.
    async fn judge(&mut self, headers: &dyn Fn(&str) -> Vec<String>) -> Verdicts {
        // Nobody signs in as often within a minute.
        self.service.advance(SignedDuration::from_mins(1));
        let page = self.browser.sign_in(&self.acme, &self.ada).await;
        assert_eq!(page.status, 200, "{}", page.body);
        let headers = headers(self.browser.cookie(SESSION).unwrap());
        let with = |ask: Ask| headers.iter().fold(ask, |ask, text| ask.header("cookie", text));
        let session = self.service.ask(with(Ask::get("/session"))).await;
        let signed_out = self.service.ask(with(Ask::post("/logout?local=true"))).await;
        Verdicts {
            ours: session.status == 200,
            actix_session: signed_out.headers.contains_key("set-cookie"),
        }
    }
}

fn alone(value: &str) -> Vec<String> {
    vec![format!("{SESSION}={value}")]
}

fn decoded(value: &str) -> String {
    percent_decode_str(value).decode_utf8().unwrap().into_owned()
}

/// The value with another character at a place.
fn altered(value: &str, place: usize) -> String {
    let mut bytes = decoded(value).into_bytes();
    bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
    utf8_percent_encode(&String::from_utf8(bytes).unwrap(), NON_ALPHANUMERIC).to_string()
}

type Forgery = (&'static str, bool, Box<dyn Fn(&str) -> Vec<String>>);

fn forgery(
    name: &'static str,
    accepted: bool,
    headers: impl Fn(&str) -> Vec<String> + 'static,
) -> Forgery {
    (name, accepted, Box::new(headers))
}

#[tokio::test]
async fn both_readers_accept_the_same_values() {
    let mut scene = Scene::begin().await;
    let all_escaped = |v: &str| utf8_percent_encode(&decoded(v), NON_ALPHANUMERIC).to_string();
    let wholly_escaped = |v: &str| decoded(v).bytes().map(percent_encode_byte).collect::<String>();

    for (name, accepted, headers) in [
        forgery("as sent", true, alone),
        forgery("nothing escaped", true, |v| alone(&decoded(v))),
        forgery("all but letters escaped", true, move |v| alone(&all_escaped(v))),
        forgery("everything escaped", true, move |v| alone(&wholly_escaped(v))),
        forgery("escapes in lower case", true, |v| {
            alone(&v.replace("%2B", "%2b").replace("%3D", "%3d"))
        }),
        forgery("escaped twice", false, |v| alone(&v.replace('%', "%25"))),
        forgery("signature altered", false, |v| alone(&altered(v, 0))),
        forgery("signature altered within", false, |v| alone(&altered(v, 30))),
        forgery("value altered", false, |v| alone(&altered(v, 44))),
        forgery("value altered at its end", false, |v| alone(&altered(v, 86))),
        forgery("cut by one", false, |v| alone(&v[..v.len() - 1])),
        forgery("one more", false, |v| alone(&format!("{v}x"))),
        forgery("signature alone", false, |v| alone(&decoded(v)[..44])),
        forgery("value alone", false, |v| alone(&decoded(v)[44..])),
        forgery("value before signature", false, |v| {
            let whole = decoded(v);
            alone(&format!("{}{}", &whole[44..], &whole[..44]))
        }),
        forgery("empty", false, |_| alone("")),
        forgery("short", false, |_| alone("x")),
        forgery("10 kB", false, |v| alone(&format!("{v}{}", "A".repeat(10_000)))),
        forgery("not UTF-8", false, |v| alone(&format!("{v}%ff"))),
        forgery("with a NUL", false, |v| alone(&format!("{v}%00"))),
        forgery("in quotation marks", true, |v| alone(&format!("\"{v}\""))),
        forgery("in one quotation mark", false, |v| alone(&format!("\"{v}"))),
        forgery("behind a space", true, |v| alone(&format!(" {v}"))),
        forgery("base64 without padding", false, |v| alone(&decoded(v).replacen('=', "", 1))),
        forgery("base64url", false, |v| {
            let whole = decoded(v);
            let (signature, value) = whole.split_at(44);
            alone(&format!("{}~{value}", &signature[..43]))
        }),
    ] {
        let verdicts = scene.judge(&*headers).await;

        let expected = Verdicts { ours: accepted, actix_session: accepted };
        assert_eq!(verdicts, expected, "{name}");
    }
}

#[tokio::test]
async fn both_readers_find_the_same_cookie_among_others() {
    let mut scene = Scene::begin().await;
    let one = |text: String| vec![text];

    for (name, accepted, headers) in [
        forgery("none", false, |_| Vec::new()),
        forgery("between others", true, move |v| one(format!("a=b; {SESSION}={v}; c=d"))),
        forgery("without spaces", true, move |v| one(format!("a=b;{SESSION}={v};c=d"))),
        forgery("with spaces around", true, move |v| one(format!("a=b;   {SESSION}={v}  ; c=d"))),
        forgery("before an equals sign in space", true, move |v| one(format!("{SESSION} = {v}"))),
        forgery("behind empty ones", true, move |v| one(format!(";; ; a=; {SESSION}={v};"))),
        forgery("in a header of its own", true, |v| vec!["a=b".into(), format!("{SESSION}={v}")]),
        forgery("under another name", false, move |v| one(format!("portico-sessions={v}"))),
        forgery("under a longer name", false, move |v| one(format!("x{SESSION}={v}"))),
        forgery("under a name in capitals", false, move |v| one(format!("Portico-Session={v}"))),
        forgery("under the name for https", false, move |v| one(format!("__Host-{SESSION}={v}"))),
        forgery("in another's value", false, move |v| one(format!("a={SESSION}={v}"))),
        forgery("twice the same", true, move |v| one(format!("{SESSION}={v}; {SESSION}={v}"))),
        forgery("before rubbish", true, move |v| one(format!("{SESSION}={v}; {SESSION}=x"))),
        forgery("behind rubbish", false, move |v| one(format!("{SESSION}=x; {SESSION}={v}"))),
        forgery("behind an empty one", false, move |v| one(format!("{SESSION}=; {SESSION}={v}"))),
    ] {
        let verdicts = scene.judge(&*headers).await;

        let expected = Verdicts { ours: accepted, actix_session: accepted };
        assert_eq!(verdicts, expected, "{name}");
    }
}

#[tokio::test]
async fn a_neighbour_that_is_no_cookie_costs_nobody_the_session() {
    let mut scene = Scene::begin().await;

    for neighbour in ["rubbish", "=rubbish", "a=%ff", "\u{e9}=1"] {
        let verdicts = scene.judge(&|v| vec![format!("{neighbour}; {SESSION}={v}")]).await;

        assert!(verdicts.ours, "{neighbour}");
    }
}

#[tokio::test]
async fn a_name_in_disguise_is_not_the_cookies_name() {
    let mut scene = Scene::begin().await;

    for name in ["portico%2Dsession", "%70ortico-session"] {
        let verdicts = scene.judge(&|v| vec![format!("{name}={v}")]).await;

        assert!(!verdicts.ours, "{name}");
    }
}
