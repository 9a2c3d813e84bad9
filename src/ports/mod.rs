//! What the stories need from outside: traits only.

pub mod authorities;
