//! How much a synchronisation may take away without being asked.

use super::Settings;

/// How much may be taken away at once without being asked: more looks like a fault of the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guard {
    /// People.
    pub people: u32,
    /// Per cent of those there are.
    pub percent: u32,
}

impl Default for Guard {
    fn default() -> Self {
        Self { people: 25, percent: 20 }
    }
}

/// Whether something may be taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is little enough, or nothing.
    Fine,
    /// It is much, and the operator confirmed it.
    Confirmed,
    /// It is much: not done without confirmation.
    Refused,
}

impl Verdict {
    /// Whether it is carried out.
    #[must_use]
    pub const fn passes(self) -> bool {
        !matches!(self, Self::Refused)
    }

    /// As in plans.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Confirmed => "confirmed",
            Self::Refused => "refused",
        }
    }
}

impl Settings {
    /// Whether `leaving` of `all` may leave. One person may, unless nobody would be left: people do leave one by one.
    #[must_use]
    pub fn verdict(&self, leaving: usize, all: usize) -> Verdict {
        let Guard { people, percent } = self.guard;
        let share = leaving.saturating_mul(100) > all.saturating_mul(percent as usize);
        let much = leaving > people as usize || (share && (leaving > 1 || leaving >= all));
        match (leaving > 0 && much, self.confirmed) {
            (false, _) => Verdict::Fine,
            (true, true) => Verdict::Confirmed,
            (true, false) => Verdict::Refused,
        }
    }
}
