//! What opening a cookie, finding a session and judging a password cost alone. `cargo bench`; what a whole request costs is in `verify.sh`.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use criterion::{BatchSize, Criterion};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use uuid::Uuid;
use vestibule::connect::saml::{Asked, Expected, Peer, Service, receive};
use vestibule::domain::id::{AccountId, SessionId};
use vestibule::domain::password::{PlainPassword, Rules, Strength};
use vestibule::domain::session::{HandleHash, Lifetimes, Methods, Session};
use vestibule::domain::time::Timestamp;
use vestibule::service::core::fingerprint;
use vestibule::service::hasher::{Hasher, Settings};
use vestibule::service::key_ring::{KeyRing, SealingKey};
use vestibule::store::volatile::Volatile;
use vestibule::store::volatile::embedded::{Embedded, EmbeddedOptions};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const NAME: &str = "_vestibule_session";
const SESSIONS: u32 = 100_000;
const DAY: Duration = Duration::from_hours(24);

fn main() -> Result<(), Failure> {
    let mut criterion = Criterion::default().configure_from_args();
    // Before the store of sessions is there, whose threads go on working beside what is measured.
    saml(&mut criterion)?;
    cookies(&mut criterion)?;
    codes(&mut criterion)?;
    sessions(&mut criterion)?;
    passwords(&mut criterion)?;
    criterion.final_summary();
    Ok(())
}

/// A response with the seeds' clock; `benches/saml.sh` compares this with `xmlsec1 --verify` on the same message.
fn saml(criterion: &mut Criterion) -> Result<(), Failure> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/saml");
    let pem = std::fs::read_to_string(folder.join("keys/idp-rsa.cert.pem"))?;
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let peer = Peer::new("https://idp.example.org/saml", vec![STANDARD.decode(body)?])?;
    let base = "https://login.example.org/login/corp";
    let service = Service::new(&format!("{base}/metadata"), &format!("{base}/acs"), Vec::new(), false)?;
    let now = Timestamp::from_millis(1_772_366_400_000);
    let asked = Asked { id: "_request-1".to_owned(), at: now, force_authn: false, contexts: Vec::new() };
    let expected = Expected { now, request: Some(asked) };
    let mut group = criterion.benchmark_group("saml");
    for (name, file) in
        [("verify a response", "valid/response-signed.xml"), ("refuse a tampered one", "attacks/tampered-digest.xml")]
    {
        let message = STANDARD.encode(std::fs::read(folder.join(file))?);
        group.bench_function(name, |bencher| {
            bencher.iter(|| receive(&service, &peer, black_box(&message), &expected).is_ok());
        });
    }
    group.finish();
    Ok(())
}

fn ring(keys: u8) -> KeyRing {
    KeyRing::new((1..=keys).filter_map(|n| SealingKey::new(Uuid::from_bytes([n; 16]), &[n; 32])).collect())
}

/// What an app's code costs beyond the two statements: opening the sealed secret, and three time steps.
fn codes(criterion: &mut Criterion) -> Result<(), Failure> {
    let ring = ring(1);
    let sealed = ring.seal_bytes("authenticator.sealed", &[7; 20], [3; 12]).ok_or("no key")?;
    criterion.bench_function("second factor/an app's code, wrong", |bencher| {
        bencher.iter(|| {
            let secret = ring.open_bytes("authenticator.sealed", black_box(&sealed))?;
            totp_rs::Builder::new().with_secret(secret).with_skew(1).build().ok()?.check("000000", 1_795_284_300)
        });
    });
    Ok(())
}

fn cookies(criterion: &mut Criterion) -> Result<(), Failure> {
    let mut group = criterion.benchmark_group("cookie");
    let sealed = ring(1).seal(NAME, &[7; 32], [9; 12]).ok_or("an empty ring")?;
    // After nine rotations the key that sealed this cookie is the last of ten.
    for keys in [1, 10] {
        let ring = ring(keys);
        group.bench_function(format!("open, ring of {keys}"), |bencher| {
            bencher.iter(|| ring.open_handle(NAME, black_box(sealed.as_bytes())));
        });
    }
    let ring = ring(1);
    let mut forged = sealed.clone().into_bytes();
    forged.swap(30, 31);
    group.bench_function("refuse a forged one", |bencher| {
        bencher.iter(|| ring.open_handle(NAME, black_box(&forged)));
    });
    group.bench_function("refuse one of an unknown key", |bencher| {
        bencher.iter(|| ring.open_handle(NAME, black_box([b'A'; 86].as_slice())));
    });
    group.bench_function("seal", |bencher| {
        bencher.iter(|| ring.seal(NAME, black_box(&[7; 32]), [9; 12]));
    });
    group.finish();
    Ok(())
}

/// The handle of the session with this number; any 32 bytes that differ do.
fn hash(number: u32) -> HandleHash {
    fingerprint(&number.to_be_bytes())
}

fn session(number: u32) -> Session {
    let now = Timestamp::from_millis(1_700_000_000_000);
    Session {
        id: SessionId::new(Uuid::from_u128(u128::from(number))),
        account: AccountId::new(Uuid::from_u128(u128::from(number / 10))),
        created_at: now,
        authenticated_at: now,
        ends_at: now.after(DAY),
        last_seen_at: now,
        methods: Methods::PASSWORD,
        device: "Firefox on Linux".into(),
        network: "198.51.100.0/24".into(),
        remembered: None,
        source: None,
    }
}

async fn filled(folder: &std::path::Path) -> Result<Arc<Embedded>, Failure> {
    let lifetimes = Lifetimes { idle: DAY, absolute: DAY };
    let store = Arc::new(Embedded::open(&folder.join("sessions.db"), EmbeddedOptions::new(lifetimes)).await?);
    // Together, so that they share writes to the disk.
    for chunk in 0..SESSIONS / 500 {
        let open = |number| store.open_session(hash(number), session(number));
        futures_util::future::try_join_all((chunk * 500..(chunk + 1) * 500).map(open)).await?;
    }
    Ok(store)
}

fn sessions(criterion: &mut Criterion) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let runtime = Runtime::new()?;
    let store = runtime.block_on(filled(folder.path()))?;
    let mut group = criterion.benchmark_group(format!("session, one of {SESSIONS}"));
    let mut number = 0;
    group.bench_function("hash a handle", |bencher| bencher.iter(|| fingerprint(black_box(&[7; 32]))));
    group.bench_function("find it", |bencher| {
        let next = || {
            // A stride that visits all of them far apart, as browsers do.
            number = (number + 7919) % SESSIONS;
            hash(number)
        };
        bencher.iter_batched(next, |hash| store.hot_session(&hash), BatchSize::SmallInput);
    });
    group.bench_function("miss it", |bencher| bencher.iter(|| store.hot_session(black_box(&[0; 32]))));
    let Some(live) = store.hot_session(&hash(1)) else { return Err("an opened session is not in memory".into()) };
    group.bench_function("note a request", |bencher| {
        bencher.iter(|| store.touch(&hash(1), black_box(&live), Timestamp::from_millis(1_700_000_001_000)));
    });
    group.finish();
    runtime.block_on(store.close());
    Ok(())
}

/// A hash through our pool against the library's own, and the rules on the texts that cost them most.
fn passwords(criterion: &mut Criterion) -> Result<(), Failure> {
    let settings = Settings::default();
    let mut group = criterion.benchmark_group("password");
    let password = PlainPassword::typed("correct horse battery").map_err(|fault| format!("{fault:?}"))?;
    let params = Params::new(settings.memory_kib, settings.iterations, settings.parallelism, Some(32))?;
    let mut blocks = vec![Block::new(); params.block_count()];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    group.bench_function("hash, the library alone", |bencher| {
        bencher.iter(|| {
            let mut hash = [0; 32];
            argon2.hash_password_into_with_memory(b"correct horse battery", &[1; 16], &mut hash, &mut blocks)
        });
    });
    let runtime = Runtime::new()?;
    let hasher = Hasher::start(&settings)?;
    group.bench_function("check, unknown account", |bencher| {
        bencher.iter(|| runtime.block_on(hasher.verify(&password, None)));
    });
    let rules =
        Rules { min_length: 10, required_classes: Vec::new(), min_strength: Strength::Fair, refuse_common: true };
    for (what, text) in
        [("short", "p@$$w0rd1!".to_owned()), ("128 letters", "ab".repeat(64)), ("mixed", "4@8({6!|1$+7%2".repeat(9))]
    {
        let password = PlainPassword::typed(&text).map_err(|fault| format!("{fault:?}"))?;
        group.bench_function(format!("rules, {what}"), |bencher| {
            bencher.iter(|| rules.check(black_box(&password), &["anna", "anna@example.org", "Vestibule"]));
        });
    }
    group.finish();
    Ok(())
}
