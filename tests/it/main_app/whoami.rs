//! Vestibule is asked whose session the browser's cookie is.

use super::{MainApp, SECRET, Street};
use crate::support::PASSWORD;
use crate::support::program::{asks, signs_in, signs_out};
use std::process::{Command, Stdio};

fn whoami(street: &Street) -> MainApp {
    let file = street.place.folder().join("secret");
    street.main_app(&["--mode", "whoami", "--secret-file", file.to_str().expect("UTF-8")])
}

/// Follows a redirect to the sign-in page; gives the session cookie and where the person is sent.
async fn signs_in_at(street: &Street, location: &str) -> (String, String) {
    let path = location.strip_prefix(&street.vestibule()).expect("Vestibule's address");
    let address = street.service.address;
    let (status, head, page) = asks(address, &format!("GET {path} HTTP/1.1"), "").await.expect("an answer");
    assert_eq!(status, 200);
    let csrf = head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).expect("a cookie");
    let csrf = csrf.split(';').next().expect("a pair");
    let hidden = |name: &str| {
        let rest = page.split(&format!("name=\"{name}\" value=\"")).nth(1).expect("a field");
        rest.split('"').next().expect("a value").to_owned()
    };
    let fields = [
        ("csrf", hidden("csrf")),
        ("return_to", hidden("return_to").replace("&#38;", "&")),
        ("username", "anna".to_owned()),
        ("password", PASSWORD.to_owned()),
    ];
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
    let head = format!("POST /login HTTP/1.1\r\nCookie: {csrf}\r\n{}", super::FORM);
    let (status, head, _) = asks(address, &head, &body).await.expect("an answer");
    assert_eq!(status, 303, "{head}");
    let line = |mark: &str| head.lines().find_map(|line| line.strip_prefix(mark)).expect("a header").to_owned();
    let session = line("set-cookie: _vestibule_session=");
    let session = session.split(';').next().expect("a value");
    (format!("Cookie: _vestibule_session={session}"), line("location: "))
}

#[tokio::test]
async fn a_stranger_signs_in_comes_back_works_and_is_gone_after_signing_out() {
    let street = Street::opens();
    let app = whoami(&street);
    let stranger = app.gets("/projects/1?x=a%26b", &["Remote-User: anna", "Remote-Account-Id: 1"]).await;
    assert_eq!(stranger.status, 303);
    assert!(!stranger.body.contains("anna"), "a name that anybody could write opens nothing");
    let (session, back) = signs_in_at(&street, stranger.location()).await;
    assert_eq!(back, format!("{}/projects/1?x=a%26b", app.origin()), "back to the page asked for");
    // Cookies that are none of Vestibule's business stand around it.
    let session = session.replace("Cookie: ", "Cookie: theme=dark; ");
    let cookie = [session.as_str()];
    assert_eq!(app.gets("/projects/1", &cookie).await.status, 404, "signed in, and there is no such project yet");

    let home = app.gets("/", &cookie).await;
    assert_eq!(home.status, 200);
    assert!(home.body.contains("Hello, anna"), "{}", home.body);
    assert!(home.body.contains(&format!("{}/logout", street.vestibule())));
    let project = app.posts("/projects", &cookie, "name=House").await;
    assert_eq!((project.status, project.location()), (303, "/projects/1"));
    let package = app.posts("/projects/1/packages", &cookie, "name=Roof").await;
    assert_eq!((package.status, package.location()), (303, "/packages/1"));
    assert_eq!(app.posts("/packages/1/comments", &cookie, "text=It+leaks").await.status, 303);
    assert_eq!(app.posts("/packages/1/time", &cookie, "minutes=95&note=Measured").await.status, 303);
    let shown = app.gets("/packages/1", &cookie).await.body;
    for text in ["House", "Roof", "by anna", "It leaks", "Measured", "1:35 h"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    let me = shown.split("<option value=\"").filter_map(|rest| rest.split('"').next()).find(|id| id.len() == 36);
    let change = format!("status=in_progress&assignee={}", me.expect("somebody to assign"));
    assert_eq!(app.posts("/packages/1", &cookie, &change).await.status, 303);
    let listed = app.gets("/projects/1", &cookie).await.body;
    assert!(listed.contains("In progress") && listed.contains("by anna, for anna"), "{listed}");

    let bare = session.replace("Cookie: theme=dark; ", "");
    signs_out(street.service.address, &bare).await.expect("signed out");
    let after = app.gets("/", &cookie).await;
    assert_eq!(after.status, 303, "the next request already");
    assert!(after.location().starts_with(&format!("{}/login?return_to=", street.vestibule())));
    let late = app.posts("/projects", &cookie, "name=Late").await;
    assert!(late.status == 303 && late.location().contains("/login?"), "{}", late.head);
}

#[tokio::test]
async fn hostile_text_is_text_and_forms_of_other_sites_do_nothing() {
    let street = Street::opens();
    let app = whoami(&street);
    let session = signs_in(street.service.address, "anna").await.expect("a session");
    let session = format!("Cookie: {session}");
    let cookie = [session.as_str()];
    let hostile = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E";
    for (path, body) in [
        ("/projects", format!("name={hostile}")),
        ("/projects/1/packages", format!("name={hostile}")),
        ("/packages/1/comments", format!("text={hostile}")),
        ("/packages/1/time", format!("minutes=1&note={hostile}")),
    ] {
        assert_eq!(app.posts(path, &cookie, &body).await.status, 303);
    }
    for path in ["/", "/projects/1", "/packages/1"] {
        let page = app.gets(path, &cookie).await;
        assert_eq!(page.status, 200);
        assert!(!page.body.contains("<script"), "{path}: {}", page.body);
        assert!(page.body.contains("&#60;script&#62;"), "{path}: {}", page.body);
        assert!(page.head.contains("content-security-policy: default-src 'none'"), "{}", page.head);
    }
    let me = app.gets("/me", &[&session, "Remote-User: <b>mallory</b>"]).await.body;
    assert!(me.contains("<dt>Username</dt><dd>anna</dd>"), "{me}");
    assert!(me.contains("&#60;b&#62;mallory") && !me.contains("<b>mallory"), "{me}");

    let vestibule = format!("Origin: {}", street.vestibule());
    for origin in ["Origin: https://evil.example", "Origin: null", "X-No-Origin: 1", vestibule.as_str()] {
        let refused = app.asks("POST /projects", &[&session, origin, super::FORM], "name=Foreign").await;
        assert_eq!(refused.status, 403, "{origin}");
    }
    assert!(!app.gets("/", &cookie).await.body.contains("Foreign"));
    for body in ["minutes=0&note=x", "minutes=-5&note=x", "minutes=9999&note=x", "minutes=1&note=++"] {
        assert_eq!(app.posts("/packages/1/time", &cookie, body).await.status, 400, "{body}");
    }
    assert_eq!(app.posts("/packages/1", &cookie, "status=new&assignee=nobody").await.status, 400);
    assert_eq!(app.posts("/packages/99/comments", &cookie, "text=x").await.status, 400);
}

#[tokio::test]
async fn trouble_with_vestibule_logs_nobody_out() {
    let street = Street::opens();
    let app = whoami(&street);
    let session = signs_in(street.service.address, "anna").await.expect("a session");
    let cookie = format!("Cookie: {session}");
    assert_eq!(app.gets("/", &[&cookie]).await.status, 200);
    let Street { place, service, tasks } = street;
    service.kills();
    let silent = app.gets("/", &[&cookie]).await;
    assert_eq!((silent.status, silent.location()), (503, ""));
    let street = Street { service: place.serves(), place, tasks };
    assert_eq!(app.gets("/", &[&cookie]).await.status, 200, "the session was never touched");

    drop(app);
    std::fs::write(street.place.folder().join("secret"), "some other secret of thirty-two characters")
        .expect("written");
    let app = whoami(&street);
    let wrong = app.gets("/", &[&cookie]).await;
    assert_eq!((wrong.status, wrong.location()), (500, ""), "a wrong secret is the operator's to mend, not a sign-out");
    assert!(!wrong.body.contains("secret of thirty-two") && !wrong.body.contains("anna"), "{}", wrong.body);
}

/// The program in a page of `docs/integrate/`.
fn documented(page: &str, language: &str) -> String {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/integrate").join(page);
    let text = std::fs::read_to_string(file).expect("a page");
    let code = text.split(&format!("```{language}\n")).nth(1).and_then(|rest| rest.split("```").next());
    let code = code.expect("a program");
    assert!(code.lines().count() <= 40, "{page}");
    code.to_owned()
}

/// As the pages say: the secret and both addresses come from the environment.
fn started(mut command: Command, street: &Street) -> std::process::Child {
    command.stderr(Stdio::null()).env("APP_SECRET", SECRET).env("VESTIBULE", street.vestibule());
    command.env("PORT", street.tasks.port().to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
    command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

async fn greets_who_is_there(page: &str, street: &Street, app: &MainApp, session: &str) {
    let stranger = app.gets("/a?b=c", &["Remote-User: anna"]).await;
    assert_eq!(stranger.status, 303, "{page}");
    let back = format!("return_to=http%3A%2F%2Flocalhost%3A{}%2Fa%3Fb%3Dc", street.tasks.port());
    assert!(stranger.location().ends_with(&back), "{page}: {}", stranger.location());
    let known = app.gets("/", &[&format!("Cookie: a=b; {session}")]).await;
    assert_eq!((known.status, known.body.contains("Hello, anna")), (200, true), "{page}: {}", known.body);
    assert_eq!(app.gets("/", &["Cookie: _vestibule_session=invented"]).await.status, 303, "{page}");
}

/// The programs in `docs/integrate/`, as they stand there.
#[tokio::test]
async fn the_documented_programs_greet_who_is_there() {
    let street = Street::opens();
    let session = signs_in(street.service.address, "anna").await.expect("a session");
    for (page, language, program) in [
        ("whoami-python.md", "python", "python3"),
        ("whoami-node.md", "js", "node"),
        ("whoami-ruby.md", "ruby", "ruby"),
    ] {
        let mut command = Command::new(program);
        command.arg("-");
        let app = MainApp::reads(started(command, &street), street.tasks, &documented(page, language));
        greets_who_is_there(page, &street, &app, &session).await;
    }
}

/// The same in Go, which is compiled first.
#[tokio::test]
async fn the_documented_go_program_greets_who_is_there() {
    let street = Street::opens();
    let session = signs_in(street.service.address, "anna").await.expect("a session");
    let page = "whoami-go.md";
    std::fs::write(street.place.folder().join("hello.go"), documented(page, "go")).expect("written");
    let mut compiler = Command::new("go");
    compiler.current_dir(street.place.folder()).args(["build", "-o", "hello", "hello.go"]);
    let built = compiler.output().unwrap_or_else(|error| panic!("go is missing: {error}"));
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let command = Command::new(street.place.folder().join("hello"));
    let app = MainApp::reads(started(command, &street), street.tasks, "");
    greets_who_is_there(page, &street, &app, &session).await;
}
