//! What is generated from the source is up to date. With `BLESS=1` in the environment the files are written anew.

use std::{fs, io, path::Path};

use vestibule::config::reference;

#[test]
fn the_example_configuration_is_up_to_date() -> io::Result<()> {
    same("config/vestibule.toml", &reference::example())
}

#[test]
fn the_configuration_reference_is_up_to_date() -> io::Result<()> {
    same("docs/reference/configuration.md", &reference::document())
}

#[expect(clippy::disallowed_methods, reason = "a test is told by the environment to write instead of to compare")]
fn same(file: &str, fresh: &str) -> io::Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("BLESS").is_some_and(|value| value == "1") {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        return fs::write(&path, fresh);
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    let line = 1 + kept.lines().zip(fresh.lines()).take_while(|(kept, fresh)| kept == fresh).count();
    assert!(kept == fresh, "{file} is stale from line {line} on; write it anew: BLESS=1 cargo test --test generated");
    Ok(())
}
