//! What the service itself says about a resource (RFC 7643 §3.1).

use jiff::Timestamp;
use serde_json::{Value, json};

/// What the service itself says about a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceMeta {
    /// The resource's `id`, stable for ever.
    pub id: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub last_modified: Timestamp,
    /// Which writing of it this is; the `ETag` is made of it.
    pub version: u64,
    /// Its absolute URL.
    pub location: String,
}

impl ResourceMeta {
    /// The value of `meta`.
    pub fn to_value(&self, resource_type: &str) -> Value {
        json!({
            "resourceType": resource_type,
            "created": date_time(self.created),
            "lastModified": date_time(self.last_modified),
            "location": self.location,
            "version": etag(self.version),
        })
    }
}

/// The weak entity tag of a version: `W/"7"` (RFC 7644 §3.14).
pub fn etag(version: u64) -> String {
    format!("W/\"{version}\"")
}

/// Whether an `If-Match` or `If-None-Match` header names the version: `*`, or a list of tags of
/// which one is it. Weak and strong tags count the same (RFC 9110 §8.8.3.2).
pub fn etag_matches(header: &str, version: u64) -> bool {
    let strong = format!("\"{version}\"");
    header.trim() == "*"
        || header.split(',').any(|tag| {
            let tag = tag.trim();
            tag.strip_prefix("W/").unwrap_or(tag) == strong
        })
}

/// UTC with milliseconds, as Microsoft's examples have it.
fn date_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_names_a_version_by_its_tag_or_by_any() {
        let headers = [
            ("W/\"7\"", true),
            ("\"7\"", true),
            ("*", true),
            ("\"6\", W/\"7\"", true),
            ("W/\"70\"", false),
            ("7", false),
            ("", false),
        ];
        for (header, expected) in headers {
            assert_eq!(etag_matches(header, 7), expected, "{header}");
        }
    }
}
