//! How Redis lets us in: passwords, users of little power, encryption; and whom we do not trust with sessions.

use super::options;
use crate::store_volatile::{Outcome, START, account, family, key, opened, seconds, session};
use crate::support::redis::{RedisServer, free_port};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::path::Path;
use vestibule::store::volatile::redis::{Address, Login, Redis, RedisError, RedisOptions, Tls};
use vestibule::store::volatile::{Shelf, Volatile};

/// What docs/operate/redis.md gives our user.
const RULES: &str = include_str!("../../../../docs/operate/redis.md");

fn login(username: &str, password: &str) -> Login {
    Login { username: Some(username.to_owned()), password: Some(password.to_owned().into()) }
}

/// Why a store cannot be opened, in words.
async fn refusal(options: RedisOptions) -> String {
    Redis::open(options).await.err().map_or_else(|| "it opened".to_owned(), |error| error.to_string())
}

#[tokio::test]
async fn the_user_that_the_manual_makes_may_do_all_that_is_needed_and_no_more() -> Outcome {
    let server = RedisServer::start().await;
    let rule = RULES.lines().find(|line| line.starts_with("ACL SETUSER vestibule ")).ok_or("the manual has no rule")?;
    let words: Vec<_> = rule.split(' ').collect();
    assert!(server.tells(&words).contains("OK"), "{rule}");
    let password = words.iter().find_map(|word| word.strip_prefix('>')).ok_or("a password")?;
    let store =
        Redis::open(RedisOptions { login: login("vestibule", password), ..options(vec![server.address()]) }).await?;
    let mut one = session(1, account(1));
    one.remembered = Some(family(1));
    store.open_session(key(1), one).await?;
    opened(&store, account(1), [2, 3, 4]).await?;
    let live = store.session(&key(2)).await?.ok_or("there")?;
    store.touch(&key(2), &live, seconds(61));
    store.sweep(seconds(62)).await?;
    assert_eq!(store.sessions_of(account(1), START).await?.len(), 4);
    assert_eq!(store.count_sessions(START).await?, 4);
    assert!(store.end_handle(&key(2)).await?);
    assert_eq!(store.end_family(family(1)).await?, 1);
    assert_eq!(store.end_sessions(account(1), None).await?, 2);
    assert!(store.put(Shelf::Attempt, key(1), vec![1], seconds(60), START).await?);
    assert!(store.replace(Shelf::Attempt, &key(1), &[1], vec![2]).await?);
    assert_eq!(store.take(Shelf::Attempt, &key(1), START).await?, Some(vec![2]));
    let one = [super::super::counters::charge(1, 2, 60)];
    store.admit(&one, START).await?;
    store.refund(&one).await?;
    store.forget(&one).await?;
    store.ready().await?;
    let by_hand = |words: &[&str]| server.tells(&[&["--user", "vestibule", "--pass", password], words].concat());
    assert!(by_hand(&["SET", "other:key", "1"]).contains("NOPERM"), "another one's key");
    assert!(by_hand(&["FLUSHALL"]).contains("NOPERM") && by_hand(&["CONFIG", "GET", "*"]).contains("NOPERM"));
    Ok(())
}

#[tokio::test]
async fn a_wrong_password_is_told_without_the_password() -> Outcome {
    let server = RedisServer::with(&["--requirepass", "the right one"]).await;
    let with = |password: &str| RedisOptions {
        login: Login { username: None, password: Some(password.to_owned().into()) },
        ..options(vec![server.address()])
    };
    let told = refusal(with("hunter2")).await;
    assert!(told.contains("user or password is refused") && !told.contains("hunter2"), "{told}");
    assert!(refusal(options(vec![server.address()])).await.starts_with("Redis at 127.0.0.1:"));
    Redis::open(with("the right one")).await?;
    Ok(())
}

#[tokio::test]
async fn a_replica_and_a_silent_address_are_refused_at_the_start() -> Outcome {
    let master = RedisServer::start().await;
    let replica = RedisServer::with(&["--replicaof", "127.0.0.1", &master.port().to_string()]).await;
    let refused = Redis::open(options(vec![replica.address()])).await.err();
    assert!(matches!(refused, Some(RedisError::Replica(_))), "{refused:?}");
    let nobody = Address { host: "127.0.0.1".to_owned(), port: free_port() };
    assert!(refusal(options(vec![nobody.clone()])).await.contains(&nobody.to_string()));
    // The master is found among several.
    let store = Redis::open(options(vec![nobody, replica.address(), master.address()])).await?;
    opened(&store, account(1), [1]).await
}

/// A certificate for a name, by an authority of our own; both in files.
fn certificates(folder: &Path, name: &str) -> Outcome<Vec<u8>> {
    let mut authority = CertificateParams::new(vec![])?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    let keys = KeyPair::generate()?;
    let certificate = CertificateParams::new(vec![name.to_owned()])?.signed_by(&keys, &authority)?;
    std::fs::write(folder.join("redis.pem"), certificate.pem())?;
    std::fs::write(folder.join("redis.key"), keys.serialize_pem())?;
    std::fs::write(folder.join("ca.pem"), authority.pem())?;
    Ok(authority.pem().into_bytes())
}

#[tokio::test]
async fn an_encrypted_redis_is_believed_only_with_a_certificate_of_our_authority() -> Outcome {
    let folder = tempfile::tempdir()?;
    let authority = certificates(folder.path(), "localhost")?;
    let file = |name: &str| folder.path().join(name).to_str().map(str::to_owned).ok_or("UTF-8");
    let port = free_port().to_string();
    let server = RedisServer::with(&[
        "--tls-port",
        &port,
        "--tls-cert-file",
        &file("redis.pem")?,
        "--tls-key-file",
        &file("redis.key")?,
        "--tls-ca-cert-file",
        &file("ca.pem")?,
        "--tls-auth-clients",
        "no",
    ])
    .await;
    let named = |host: &str| Address { host: host.to_owned(), ..server.address() };
    let with = |host: &str, authorities: Vec<u8>| RedisOptions {
        tls: Some(Tls { authorities: Some(authorities) }),
        ..options(vec![named(host)])
    };
    let store = Redis::open(with("localhost", authority.clone())).await?;
    opened(&store, account(1), [1]).await?;
    assert!(store.hot_session(&key(1)).is_some());
    let other = certificates(tempfile::tempdir()?.path(), "localhost")?;
    for (why, refused) in
        [("another authority", with("localhost", other)), ("another name", with("127.0.0.1", authority))]
    {
        let told = refusal(refused).await;
        assert!(told.to_lowercase().contains("certificate"), "{why}: {told}");
    }
    Ok(())
}
