//! An application behind the real nginx with the file of `examples/`, as people meet it.

use crate::PASSWORD;
use crate::program::Place;
use crate::servers::{Addresses, Kind, Proxy, free_address};
use crate::stage::Stage;
use crate::webdriver::Browser;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Greets whom the proxy names; runs as long as the tests.
fn application() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("an address");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || greets(&stream));
        }
    });
    address
}

fn greets(mut stream: &TcpStream) -> Option<()> {
    let mut lines = BufReader::new(stream).lines();
    loop {
        let (mut path, mut user) = (String::new(), String::new());
        loop {
            let line = lines.next()?.ok()?;
            match line.split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("remote-user") => value.clone_into(&mut user),
                None if line.is_empty() => break,
                None => line.split(' ').nth(1)?.clone_into(&mut path),
                Some(_) => (),
            }
        }
        let page = format!("<!doctype html><title>Tasks</title><h1>Tasks of {user}</h1><p>{path}");
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nCache-Control: no-store";
        write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{page}", page.len()).ok()?;
    }
}

/// nginx with the file of `examples/`, which asks the service of a stage.
pub(crate) fn tasks_behind_nginx(stage: &Stage, proxy: SocketAddr, app: SocketAddr) -> Proxy {
    let vestibule = stage.url("").trim_start_matches("http://localhost:").parse().expect("a port");
    // Browsers send a host's cookies to all its ports; with host names of their own it takes https and `cookie_domain`.
    let at = Addresses { proxy, vestibule: ([127, 0, 0, 1], vestibule).into(), app, name: "localhost" };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(Kind::Nginx.starts(&at))
}

/// The example application, which believes the signed token of the proxy; killed when dropped.
pub(crate) struct Tasks {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Tasks {
    /// Starts it for people who come through `proxy`.
    pub(crate) fn starts(stage: &Stage, proxy: SocketAddr) -> Self {
        let program = Path::new(env!("CARGO_BIN_EXE_vestibule")).with_file_name("examples").join("main_app");
        assert!(program.is_file(), "{} is missing: cargo build --example main_app", program.display());
        let address = free_address();
        let mut command = Command::new(program);
        command.args(["--mode", "headers", "--audience", "tasks", "--vestibule", &stage.url("")]);
        command.args(["--listen", &address.to_string(), "--own-url", &format!("http://localhost:{}", proxy.port())]);
        command.arg("--data").arg(stage.place.folder().join("main_app")).env_remove("MAIN_APP_SECRET");
        let mut child = command.stdout(Stdio::piped()).spawn().expect("started");
        let mut lines = BufReader::new(child.stdout.take().expect("an output")).lines();
        let first = lines.next().expect("a line").expect("text");
        assert!(first.starts_with("The example application is running on http://localhost:"), "{first}");
        Self { child, address }
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn the_application_greets_whoever_signed_in_and_refuses_them_after_signing_out() {
    let proxy = free_address();
    let host = format!("localhost:{}", proxy.port());
    let place = Place::with(
        "trusted_proxies = [\"127.0.0.1\"]",
        &format!("[[application]]\nslug = \"tasks\"\nhosts = [\"{host}\"]\n"),
    );
    place.makes_account("anna");
    let stage = Stage::serves(place);
    let _nginx = tasks_behind_nginx(&stage, proxy, application());
    let browser = Browser::new();
    let board = format!("http://{host}/board?week=12");
    browser.goes(&board);
    browser.arrives(&stage.url("/login"));
    stage.fills_login(&browser, "anna", PASSWORD);
    browser.arrives(&format!("http://{host}/board"));
    assert_eq!(browser.url(), board, "back where it began");
    assert_eq!(browser.text(), "Tasks of anna\n/board?week=12");
    browser.goes(&stage.url("/logout"));
    browser.clicks("main button");
    browser.arrives(&stage.url("/logout/done"));
    browser.goes(&board);
    browser.arrives(&stage.url("/login"));
    assert!(!browser.text().contains("Tasks of"), "{}", browser.text());
    browser.goes_back();
    assert!(!browser.text().contains("Tasks of"), "{}", browser.text());
}
