//! HTTP: pages and main-app endpoints. A handler extracts, asks one service, responds.
pub mod assets;
pub mod page;
