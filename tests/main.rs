//! One test binary; modules mirror addresses.

mod words;
