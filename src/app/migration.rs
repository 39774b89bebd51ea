//! Commands that deal with databases as wholes: bringing one up to date, copying one. They open no stores.

use super::{mapping, serve};
use crate::cli::{self, Bar, CopyStore, Failure, Migrate};
use crate::config::Config;
use crate::config::database::DatabaseUrl;
use crate::store::Place;
use crate::store::copy::copy;
use crate::store::database::{migrate as bring_up, missing_migrations};

pub(super) async fn migrate(config: &Config, options: Migrate) -> Result<(), Failure> {
    let place = mapping::database(config);
    if let Place::File(_) = place {
        super::make_folder(config)?;
    }
    let missing = missing_migrations(&place).await?;
    if options.check {
        return cli::checked(&missing);
    }
    bring_up(&place).await?;
    cli::migrated(&missing);
    Ok(())
}

pub(super) async fn copy_store(mut config: Config, options: CopyStore) -> Result<(), Failure> {
    let DatabaseUrl::File(from) = options.from else {
        return Err("--from must be a SQLite file, as in sqlite:///var/lib/vestibule/vestibule.db".into());
    };
    let from = config.data_dir.join(from);
    if options.to.is_some() {
        config.database.url = options.to;
    }
    let Place::Server(to) = mapping::database(&config) else {
        return Err("the target must be PostgreSQL: give --to, or set database.url".into());
    };
    if !from.is_file() {
        return Err(format!("cannot copy from {}: there is no such file", from.display()).into());
    }
    // A service that goes on writing there would be copied in part.
    let _alone = serve::locked(&from.with_extension("serve-lock"))?;
    let mut bar = Bar::new();
    let copied = copy(&from, &to, &mut |table, done, total| bar.show(table, done, total)).await;
    bar.end();
    let lines: Vec<_> = copied?.into_iter().map(|one| (one.table, one.rows, one.hash)).collect();
    cli::copied(&lines);
    Ok(())
}
