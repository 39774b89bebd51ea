//! The pages as values; the templates beside this file show them, and escape everything.

use crate::identity::Person;
use crate::store::{Comment, Known, Package, Project, Status, TimeEntry};
use askama::Template;

/// What every page shows.
pub(crate) struct Frame {
    pub(crate) person: Person,
    /// Vestibule's page for signing out.
    pub(crate) sign_out: String,
    /// Vestibule's page about the account.
    pub(crate) account: String,
}

/// All projects.
#[derive(Template)]
#[template(path = "templates/projects.html")]
pub(crate) struct ProjectsPage {
    pub(crate) frame: Frame,
    pub(crate) projects: Vec<Project>,
}

/// One project.
#[derive(Template)]
#[template(path = "templates/project.html")]
pub(crate) struct ProjectPage {
    pub(crate) frame: Frame,
    pub(crate) project: Project,
    pub(crate) packages: Vec<Package>,
}

/// One work package.
#[derive(Template)]
#[template(path = "templates/package.html")]
pub(crate) struct PackagePage {
    pub(crate) frame: Frame,
    pub(crate) project: Project,
    pub(crate) package: Package,
    pub(crate) people: Vec<Known>,
    pub(crate) comments: Vec<Comment>,
    pub(crate) times: Vec<TimeEntry>,
}

impl PackagePage {
    fn is_assigned(&self, id: &str) -> bool {
        self.package.assignee_id.as_deref() == Some(id)
    }
}

/// How the application knows who is there.
#[derive(Template)]
#[template(path = "templates/me.html")]
pub(crate) struct MePage {
    pub(crate) frame: Frame,
    pub(crate) source: &'static str,
    /// `Remote-*` headers of this request, which nobody vouches for.
    pub(crate) plain: Vec<(String, String)>,
}

/// Something did not work.
#[derive(Template)]
#[template(path = "templates/problem.html")]
pub(crate) struct ProblemPage<'a> {
    pub(crate) title: &'a str,
    pub(crate) text: &'a str,
}

impl Package {
    fn spent(&self) -> String {
        span(self.minutes)
    }
}

impl TimeEntry {
    fn spent(&self) -> String {
        span(self.minutes)
    }
}

/// Minutes as hours and minutes.
fn span(minutes: i64) -> String {
    format!("{}:{:02} h", minutes / 60, minutes % 60)
}
