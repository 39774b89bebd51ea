//! Projects, work packages, comments and time: reads a form, asks the store, shows a page.

use crate::App;
use crate::identity::Person;
use crate::pages::{PackagePage, ProjectPage, ProjectsPage};
use crate::store::Status;
use crate::web::{broken, frame, problem, see_other, show};
use axum::extract::{Form, Path, State};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use std::sync::Arc;

/// Longest text that is kept, in characters.
const LONGEST: usize = 4000;

#[derive(Deserialize)]
pub(crate) struct Named {
    name: String,
}

#[derive(Deserialize)]
pub(crate) struct Written {
    text: String,
}

#[derive(Deserialize)]
pub(crate) struct Spent {
    minutes: i64,
    note: String,
}

#[derive(Deserialize)]
pub(crate) struct Changed {
    status: Status,
    assignee: String,
}

/// `GET /`
pub(crate) async fn all(State(app): State<Arc<App>>, person: Person) -> Result<Response, Response> {
    let projects = app.store.projects().await.map_err(|error| broken(&error))?;
    Ok(show(&ProjectsPage { projects, frame: frame(&app, person) }))
}

/// `POST /projects`
pub(crate) async fn add(
    State(app): State<Arc<App>>,
    _person: Person,
    Form(form): Form<Named>,
) -> Result<Response, Response> {
    let id = app.store.add_project(said(&form.name).ok_or_else(unsaid)?).await.map_err(|error| broken(&error))?;
    Ok(see_other(&format!("/projects/{id}")))
}

/// `GET /projects/{id}`
pub(crate) async fn one(
    State(app): State<Arc<App>>,
    person: Person,
    Path(id): Path<i64>,
) -> Result<Response, Response> {
    let project = app.store.project(id).await.map_err(|error| broken(&error))?;
    let packages = app.store.packages(id).await.map_err(|error| broken(&error))?;
    Ok(show(&ProjectPage { project, packages, frame: frame(&app, person) }))
}

/// `POST /projects/{id}/packages`
pub(crate) async fn add_package(
    State(app): State<Arc<App>>,
    person: Person,
    Path(id): Path<i64>,
    Form(form): Form<Named>,
) -> Result<Response, Response> {
    let id = app
        .store
        .add_package(id, said(&form.name).ok_or_else(unsaid)?, &person)
        .await
        .map_err(|error| broken(&error))?;
    Ok(see_other(&format!("/packages/{id}")))
}

/// `GET /packages/{id}`
pub(crate) async fn package(
    State(app): State<Arc<App>>,
    person: Person,
    Path(id): Path<i64>,
) -> Result<Response, Response> {
    let read = async {
        let package = app.store.package(id).await?;
        Ok(PackagePage {
            project: app.store.project(package.project).await?,
            people: app.store.people().await?,
            comments: app.store.comments(id).await?,
            times: app.store.times(id).await?,
            frame: frame(&app, person),
            package,
        })
    };
    Ok(show(&read.await.map_err(|error| broken(&error))?))
}

/// `POST /packages/{id}`
pub(crate) async fn change_package(
    State(app): State<Arc<App>>,
    _person: Person,
    Path(id): Path<i64>,
    Form(form): Form<Changed>,
) -> Result<Response, Response> {
    let assignee = Some(form.assignee.as_str()).filter(|id| !id.is_empty());
    app.store.change_package(id, form.status, assignee).await.map_err(|error| broken(&error))?;
    Ok(see_other(&format!("/packages/{id}")))
}

/// `POST /packages/{id}/comments`
pub(crate) async fn add_comment(
    State(app): State<Arc<App>>,
    person: Person,
    Path(id): Path<i64>,
    Form(form): Form<Written>,
) -> Result<Response, Response> {
    app.store.add_comment(id, &person, said(&form.text).ok_or_else(unsaid)?).await.map_err(|error| broken(&error))?;
    Ok(see_other(&format!("/packages/{id}")))
}

/// `POST /packages/{id}/time`
pub(crate) async fn add_time(
    State(app): State<Arc<App>>,
    person: Person,
    Path(id): Path<i64>,
    Form(form): Form<Spent>,
) -> Result<Response, Response> {
    if !(1..=1440).contains(&form.minutes) {
        return Err(problem(StatusCode::BAD_REQUEST, "Not kept", "Time is at least a minute and at most a day."));
    }
    app.store
        .add_time(id, &person, form.minutes, said(&form.note).ok_or_else(unsaid)?)
        .await
        .map_err(|error| broken(&error))?;
    Ok(see_other(&format!("/packages/{id}")))
}

/// Text that says something and is not too long.
fn said(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty() && text.chars().count() <= LONGEST)
}

fn unsaid() -> Response {
    problem(StatusCode::BAD_REQUEST, "Not kept", "Write something, and at most 4,000 characters.")
}
