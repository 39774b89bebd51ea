//! Directories: against a real slapd of each test's own, and against what no server should do.

mod connector;
