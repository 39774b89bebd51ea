//! Remembered browsers as rows: those that sign in by themselves. What can be done with them is in `series.rs`.

pub use super::series::Rotation;

super::series::series_table!("remembered_browser");
