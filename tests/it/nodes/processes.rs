//! Two programs side by side: restarted one after the other, killed in the midst of writing, hearing of each other's changes.

use super::{ROOT_KEY, Stores, answers};
use crate::support::postgres::shared;
use crate::support::program::{Place, Service, asks, signs_in, signs_out};
use crate::support::redis::{RedisServer, until};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

const NOTICED: Duration = Duration::from_secs(1);

fn place(stores: &Stores, server: &str) -> Place {
    let place = Place::with(server, &stores.tables(""));
    let file = place.folder().join("vestibule.toml");
    let text = std::fs::read_to_string(&file).expect("a configuration");
    std::fs::write(&file, format!("secret_key = {ROOT_KEY:?}\n{text}")).expect("written");
    place
}

async fn ready(address: SocketAddr) -> u16 {
    asks(address, "GET /ready HTTP/1.1", "").await.map_or(0, |(status, ..)| status)
}

/// As a balancer: the first node that takes the request answers it.
async fn somebody_answers(nodes: [SocketAddr; 2], session: &str) -> u16 {
    match answers(nodes[0], session).await {
        0 => answers(nodes[1], session).await,
        status => status,
    }
}

/// Asks without a pause about sessions that are alive, until it is told to end; gives how often it asked.
fn load(nodes: [SocketAddr; 2], sessions: Vec<String>, end: &Arc<AtomicBool>) -> tokio::task::JoinHandle<usize> {
    let end = Arc::clone(end);
    tokio::spawn(async move {
        let mut asked = 0;
        while !end.load(Ordering::SeqCst) {
            for session in &sessions {
                for nodes in [nodes, [nodes[1], nodes[0]]] {
                    assert_eq!(somebody_answers(nodes, session).await, 200, "after {asked} answers");
                    asked += 1;
                }
            }
        }
        asked
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_are_restarted_one_after_the_other_and_nobody_notices() {
    let redis = RedisServer::start().await;
    let stores = Stores::of(shared(), &redis, "rolling");
    let places = [place(&stores, "stop_delay = \"1m\""), place(&stores, "stop_delay = \"1m\"")];
    places[0].makes_account("anna");
    let mut nodes: [Option<Service>; 2] = [Some(places[0].serves()), Some(places[1].serves())];
    let addresses = [0, 1].map(|number| nodes[number].as_ref().expect("it runs").address);
    let mut sessions = Vec::new();
    for address in addresses {
        sessions.push(signs_in(address, "anna").await.expect("a session"));
    }
    let end = Arc::new(AtomicBool::new(false));
    let people = load(addresses, sessions.clone(), &end);
    for number in [0, 1, 0] {
        let leaving = nodes[number].take().expect("it runs");
        assert_eq!(ready(leaving.address).await, 200);
        leaving.is_asked_to_stop();
        until("it says that it is leaving", async || ready(leaving.address).await == 503).await;
        // The balancer may not have asked yet: whoever comes is served.
        let late = signs_in(leaving.address, "anna").await.expect("a session");
        let stopped = tokio::task::spawn_blocking(move || leaving.stops_in_order());
        assert!(stopped.await.expect("no panic").success());
        let other = addresses[1 - number];
        assert_eq!((answers(other, &late).await, ready(other).await), (200, 200));
        nodes[number] = Some(places[number].serves());
        for session in sessions.iter().chain([&late]) {
            assert_eq!(answers(addresses[number], session).await, 200);
        }
        sessions.push(late);
    }
    end.store(true, Ordering::SeqCst);
    assert!(people.await.expect("everybody was let in") > 10);
    signs_out(addresses[0], &sessions[0]).await.expect("signed out");
    until("it has ended on both", async || {
        answers(addresses[0], &sessions[0]).await == 401 && answers(addresses[1], &sessions[0]).await == 401
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_a_node_is_killed_in_the_midst_of_writing() {
    let redis = RedisServer::start().await;
    let stores = Stores::of(shared(), &redis, "killed_node");
    let places = [place(&stores, ""), place(&stores, "")];
    places[0].makes_account("anna");
    let stays = places[1].serves();
    let mut acknowledged: Vec<String> = Vec::new();
    for wanted in 1..=4_usize {
        let dies = places[0].serves();
        for session in &acknowledged {
            assert_eq!(
                answers(dies.address, session).await,
                200,
                "it knows what was acknowledged before it was killed"
            );
        }
        let mut people: JoinSet<_> =
            [dies.address, stays.address].repeat(5).into_iter().map(|at| signs_in(at, "anna")).collect();
        let mut opened = 0;
        while opened < wanted {
            if let Some(session) = people.join_next().await.expect("somebody").expect("no panic") {
                acknowledged.push(session);
                opened += 1;
            }
        }
        dies.kills();
        let mut rest = 0;
        while let Some(one) = people.join_next().await {
            let one = one.expect("no panic");
            rest += usize::from(one.is_some());
            acknowledged.extend(one);
        }
        assert!(opened + rest >= 5, "those who came to the other node got in");
        for session in &acknowledged {
            assert_eq!(answers(stays.address, session).await, 200, "acknowledged by either");
        }
    }
    let mut conn = shared().by_hand("killed_node").await;
    let audited: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM audit_event WHERE act = 'sign_in.succeeded'")
        .fetch_one(&mut conn)
        .await
        .expect("a count");
    assert!(usize::try_from(audited).is_ok_and(|audited| audited >= acknowledged.len()), "{audited}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_is_noticed_by_every_node_within_a_second() {
    let redis = RedisServer::start().await;
    let stores = Stores::of(shared(), &redis, "noticed");
    let places = [place(&stores, ""), place(&stores, "")];
    places[0].makes_account("anna");
    let nodes = [places[0].serves(), places[1].serves()];
    let session = signs_in(nodes[0].address, "anna").await.expect("a session");
    let runs = |arguments: &[&str]| assert!(places[1].runs(arguments, "").status.success(), "{arguments:?}");
    let within = async |what: &str, holds: &dyn Fn(u16, &str) -> bool, head: &str| {
        let both = async || {
            for node in &nodes {
                let (status, head, body) = asks(node.address, head, "").await.expect("an answer");
                if !holds(status, &format!("{head}\n{body}")) {
                    return false;
                }
            }
            true
        };
        let took = until(what, both).await;
        assert!(took < NOTICED, "{what}: it took {took:?}");
    };
    let verify = format!("GET /verify HTTP/1.1\r\nCookie: {session}");
    let whoami = format!("GET /api/v1/session HTTP/1.1\r\nCookie: {session}");
    within("she is known", &|status, _| status == 200, &verify).await;
    runs(&["group", "create", "staff"]);
    runs(&["group", "add", "staff", "anna"]);
    within("her group", &|_, text| text.contains("staff"), &whoami).await;
    runs(&["rotate-keys"]);
    within("a new key", &|_, text| text.matches("\"kid\"").count() == 2, "GET /.well-known/jwks.json HTTP/1.1").await;
    within("the rotation signs nobody out", &|status, _| status == 200, &verify).await;
    runs(&["account", "lock", "anna"]);
    within("her lock", &|status, _| status == 401, &verify).await;
}
