//! What is outside: mail servers, log files.
