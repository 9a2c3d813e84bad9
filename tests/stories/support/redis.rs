//! The Redis of the stories.

use portico::domain::secret::Secret;

/// The Redis that all stories keep their sessions in, where `PORTICO_TEST_SESSIONS` is `redis`, and
/// a part of it.
pub fn shared() -> Option<(String, String)> {
    if std::env::var("PORTICO_TEST_SESSIONS").as_deref() != Ok("redis") {
        return None;
    }
    let url = std::env::var("PORTICO_TEST_REDIS").expect("PORTICO_TEST_REDIS names a Redis");
    Some((url, format!("story:{}:", Secret::generate().expose())))
}
