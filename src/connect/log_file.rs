//! A log file that keeps itself small: it rotates by size (first in, first out) and forgets by age.
//! What goes into it is decided in [`crate::connect::log`].

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use jiff::Timestamp;

/// Logs can tell who did what; only the service itself reads them.
const MODE: u32 = 0o600;

const DAY: Duration = Duration::from_hours(24);

/// Where the lines go and how long they stay.
#[derive(Clone, Debug)]
pub struct LogFileSettings {
    /// The file that is written; older ones get the endings `.1` (youngest), `.2` and so on.
    pub path: PathBuf,
    /// A line that would make the file longer goes into a new one. A single longer line is kept whole.
    pub max_bytes: u64,
    /// How many files there are at most, the written one included.
    pub max_files: u32,
    /// Files whose last line is older are removed by [`LogFile::tend`]; 0 keeps them until their turn comes.
    pub max_age_days: u32,
}

/// An open log file. Written through `&LogFile`; each write is one whole event.
#[derive(Debug)]
pub struct LogFile {
    settings: LogFileSettings,
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    file: File,
    length: u64,
    /// The time of the first line, as far as we know; `None` until [`LogFile::tend`] has told the time.
    begun: Option<SystemTime>,
}

impl LogFile {
    /// Opens the file, or creates it with mode 0600; its directory must exist.
    pub fn open(settings: LogFileSettings) -> io::Result<Self> {
        let mut current = open_file(&settings.path)?;
        if current.length > 0 {
            let metadata = current.file.metadata()?;
            current.begun = metadata.created().or_else(|_| metadata.modified()).ok();
        }
        Ok(Self { settings, current: Mutex::new(current) })
    }

    /// What is due by the clock, to be called about every hour (and after somebody moved the file away): opens the file
    /// anew if it is gone, begins a new one after a day when lines have a maximal age, removes files that are too old.
    /// So a line stays for at most `max_age_days` and one day more.
    pub fn tend(&self, now: Timestamp) -> io::Result<()> {
        let now = SystemTime::from(now);
        let mut current = self.lock();
        if is_gone(&current.file, &self.settings.path) {
            *current = open_file(&self.settings.path)?;
        }
        if self.settings.max_age_days == 0 {
            return Ok(());
        }
        let begun = *current.begun.get_or_insert(now);
        if current.length > 0 && age(begun, now) >= DAY {
            self.rotate(&mut current)?;
        }
        drop(current);
        self.remove_aged(now)
    }

    fn lock(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves every file one place on; the one in the last place goes.
    fn rotate(&self, current: &mut Current) -> io::Result<()> {
        let places = self.settings.max_files.max(1);
        for place in (0..places).rev() {
            let from = self.place(place);
            if place + 1 == places {
                unless_missing(fs::remove_file(from))?;
            } else {
                unless_missing(fs::rename(from, self.place(place + 1)))?;
            }
        }
        *current = open_file(&self.settings.path)?;
        Ok(())
    }

    fn remove_aged(&self, now: SystemTime) -> io::Result<()> {
        let longest = DAY.saturating_mul(self.settings.max_age_days);
        for place in 1..self.settings.max_files {
            let path = self.place(place);
            let last_line = match fs::metadata(&path) {
                Ok(metadata) => metadata.modified()?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            if age(last_line, now) > longest {
                unless_missing(fs::remove_file(path))?;
            }
        }
        Ok(())
    }

    fn place(&self, place: u32) -> PathBuf {
        if place == 0 {
            return self.settings.path.clone();
        }
        let mut name: OsString = self.settings.path.clone().into_os_string();
        name.push(format!(".{place}"));
        name.into()
    }
}

impl Write for &LogFile {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let mut current = self.lock();
        let length = u64::try_from(event.len()).unwrap_or(u64::MAX);
        if current.length > 0 && current.length.saturating_add(length) > self.settings.max_bytes {
            // A line in a file that is too long is better than no line: whatever hinders us here, write on.
            let _ = self.rotate(&mut current);
        }
        current.file.write_all(event)?;
        current.length = current.length.saturating_add(length);
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.lock().file.flush()
    }
}

fn open_file(path: &Path) -> io::Result<Current> {
    let file = OpenOptions::new().append(true).create(true).mode(MODE).open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_file() && metadata.permissions().mode() & 0o777 != MODE {
        file.set_permissions(Permissions::from_mode(MODE))?;
    }
    Ok(Current { length: metadata.len(), file, begun: None })
}

/// Whether the path no longer leads to the open file: removed, or moved by somebody else's rotation.
fn is_gone(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) != (named.dev(), named.ino()),
        _ => true,
    }
}

fn age(since: SystemTime, now: SystemTime) -> Duration {
    now.duration_since(since).unwrap_or_default()
}

fn unless_missing(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;
    use tempfile::TempDir;

    use super::*;

    fn log(directory: &TempDir, max_age_days: u32) -> LogFile {
        let path = directory.path().join("vestibule.log");
        LogFile::open(LogFileSettings { path, max_bytes: 20, max_files: 3, max_age_days }).unwrap()
    }

    fn write(log: &LogFile, line: &str) {
        let mut writer = log;
        writer.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// File names with their content, sorted.
    fn files(directory: &TempDir) -> Vec<(String, String)> {
        let mut files: Vec<_> = fs::read_dir(directory.path())
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| {
                (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap().replace('\n', " "))
            })
            .collect();
        files.sort();
        files
    }

    fn listed(files: &[(String, String)]) -> Vec<(&str, &str)> {
        files.iter().map(|(name, content)| (name.as_str(), content.as_str())).collect()
    }

    #[test]
    fn the_oldest_lines_go_first_and_no_line_is_cut() {
        let directory = TempDir::new().unwrap();
        let log = log(&directory, 0);
        for number in 1..=7 {
            write(&log, &format!("line {number}"));
        }
        write(&log, "a line that is longer than a file may be");
        assert_eq!(
            listed(&files(&directory)),
            [
                ("vestibule.log", "a line that is longer than a file may be "),
                ("vestibule.log.1", "line 7 "),
                ("vestibule.log.2", "line 5 line 6 "),
            ]
        );
    }

    #[test]
    fn every_file_is_for_the_owner_only() {
        let directory = TempDir::new().unwrap();
        fs::write(directory.path().join("vestibule.log"), "from elsewhere\n").unwrap();
        let log = log(&directory, 0);
        write(&log, "line 1");
        write(&log, "line 2");
        for entry in fs::read_dir(directory.path()).unwrap() {
            let metadata = entry.unwrap().metadata().unwrap();
            assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn it_goes_on_where_it_was_after_a_restart() {
        let directory = TempDir::new().unwrap();
        write(&log(&directory, 0), "line 1");
        write(&log(&directory, 0), "line 2");
        write(&log(&directory, 0), "line 3");
        assert_eq!(listed(&files(&directory)), [("vestibule.log", "line 3 "), ("vestibule.log.1", "line 1 line 2 ")]);
    }

    #[test]
    fn lines_are_forgotten_by_age() {
        let directory = TempDir::new().unwrap();
        let log = log(&directory, 7);
        let start = Timestamp::try_from(SystemTime::UNIX_EPOCH).unwrap();
        log.tend(start).unwrap();
        write(&log, "line 1");
        log.tend(start + 23.hours()).unwrap();
        assert_eq!(listed(&files(&directory)), [("vestibule.log", "line 1 ")]);
        log.tend(start + 24.hours()).unwrap();
        assert_eq!(listed(&files(&directory)), [("vestibule.log", ""), ("vestibule.log.1", "line 1 ")]);
        let old = directory.path().join("vestibule.log.1");
        let last_line = SystemTime::from(start + 24.hours());
        File::options().append(true).open(&old).unwrap().set_modified(last_line).unwrap();
        log.tend(start + (24 * 8).hours()).unwrap();
        assert!(old.exists(), "seven days old is not older than seven days");
        log.tend(start + (24 * 8 + 1).hours()).unwrap();
        assert_eq!(listed(&files(&directory)), [("vestibule.log", "")]);
    }

    #[test]
    fn removing_files_by_hand_does_no_harm() {
        let directory = TempDir::new().unwrap();
        let log = log(&directory, 0);
        for number in 1..=5 {
            write(&log, &format!("line {number}"));
        }
        fs::remove_file(directory.path().join("vestibule.log.1")).unwrap();
        for number in 6..=8 {
            write(&log, &format!("line {number}"));
        }
        fs::remove_file(directory.path().join("vestibule.log")).unwrap();
        log.tend(Timestamp::UNIX_EPOCH).unwrap();
        write(&log, "line 9");
        let files = files(&directory);
        assert_eq!(listed(&files).first(), Some(&("vestibule.log", "line 9 ")));
    }
}
