//! PostgreSQL killed, stopped, restarted, far away: what is hot goes on, the rest is 503 and comes back by itself.

use super::{place, verifies};
use crate::support::postgres::Postgres;
use crate::support::program::{signs_in, tries_to_sign_in};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};

/// From the server's return to the first sign-in.
const RECOVERY: Duration = Duration::from_secs(5);

/// Asks until somebody gets in; every refusal on the way must be an honest one.
async fn recovers(address: SocketAddr) {
    let back = async {
        loop {
            match tries_to_sign_in(address, "anna").await.expect("an answer") {
                (303, _) => return,
                (503, head) => assert!(head.contains("retry-after:"), "{head}"),
                (status, head) => panic!("{status}: {head}"),
            }
        }
    };
    timeout(RECOVERY, back).await.expect("it comes back by itself");
}

async fn is_away_but_honest(address: SocketAddr, session: &str) {
    let begun = Instant::now();
    assert_eq!(verifies(address, session).await, 200, "a hot session needs no database");
    assert!(begun.elapsed() < Duration::from_secs(1), "and does not wait for one");
    let (status, head) = tries_to_sign_in(address, "anna").await.expect("an answer");
    assert_eq!(status, 503, "{head}");
    assert!(head.contains("retry-after:"), "{head}");
    assert_eq!(verifies(address, session).await, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_costs_no_session_and_comes_back_without_a_restart() {
    let server = Postgres::own();
    let place = place(&server.url(), "killed");
    place.makes_account("anna");
    let service = place.serves();
    let session = signs_in(service.address, "anna").await.expect("a session");
    assert_eq!(verifies(service.address, &session).await, 200);
    for round in 0..2 {
        server.does("kill");
        is_away_but_honest(service.address, &session).await;
        server.does("start");
        recovers(service.address).await;
        assert_eq!(verifies(service.address, &session).await, 200, "round {round}");
    }
    server.does("restart");
    recovers(service.address).await;
    assert!(service.stops_in_order().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_server_is_not_waited_for_and_goes_on() {
    let server = Postgres::own();
    let place = place(&server.url(), "paused");
    place.makes_account("anna");
    let service = place.serves();
    let session = signs_in(service.address, "anna").await.expect("a session");
    assert_eq!(verifies(service.address, &session).await, 200);
    server.does("pause");
    timeout(Duration::from_secs(20), is_away_but_honest(service.address, &session)).await.expect("within the limits");
    server.does("go");
    recovers(service.address).await;
    assert_eq!(verifies(service.address, &session).await, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_the_server_is_killed_under_load() {
    let server = Postgres::own();
    let place = place(&server.url(), "loaded");
    place.makes_account("anna");
    let service = place.serves();
    let mut acknowledged = 0_i64;
    for wanted in [1, 3] {
        let address = service.address;
        let mut people: tokio::task::JoinSet<_> = (0..8).map(|_| tries_to_sign_in(address, "anna")).collect();
        let mut opened = 0;
        while opened < wanted {
            let (status, head) = people.join_next().await.expect("somebody").expect("no panic").expect("an answer");
            assert!(status == 303 || status == 503, "{head}");
            opened += i64::from(status == 303);
        }
        server.does("kill");
        while let Some(rest) = people.join_next().await {
            let (status, head) = rest.expect("no panic").expect("an answer");
            assert!(status == 303 || status == 503, "{head}");
            opened += i64::from(status == 303);
        }
        acknowledged += opened;
        server.does("start");
        recovers(address).await;
        acknowledged += 1;
    }
    let mut conn = server.by_hand("loaded").await;
    let (audited,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM audit_event WHERE act = 'sign_in.succeeded'")
        .fetch_one(&mut conn)
        .await
        .expect("a count");
    assert!(audited >= acknowledged, "{audited} of {acknowledged}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_far_away_is_only_slow() {
    let server = Postgres::own();
    let port = far_away(server.port, Duration::from_millis(20)).await;
    let place = place(&Postgres::url_at(port), "far");
    place.makes_account("anna");
    let service = place.serves();
    let session = signs_in(service.address, "anna").await.expect("a session");
    assert_eq!(verifies(service.address, &session).await, 200);
}

/// A way to the server on which every piece takes its time; gives its port.
async fn far_away(port: u16, delay: Duration) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let here = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let Ok(far) = TcpStream::connect(("127.0.0.1", port)).await else { continue };
            let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
            tokio::spawn(carries(near_in, far_out, delay));
            tokio::spawn(carries(far_in, near_out, delay));
        }
    });
    here
}

async fn carries(mut from: impl AsyncReadExt + Unpin, mut to: impl AsyncWriteExt + Unpin, delay: Duration) {
    let mut piece = vec![0; 65_536];
    while let Ok(size) = from.read(&mut piece).await {
        tokio::time::sleep(delay).await;
        if size == 0 || to.write_all(&piece[..size]).await.is_err() {
            break;
        }
    }
}
