//! OpenID Connect Core 1.0, relying party: values and checks, without I/O.
