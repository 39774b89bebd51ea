//! Browsers that need no second factor for a while, as rows. What can be done with them is in `series.rs`.

super::series::series_table!("remembered_device");
