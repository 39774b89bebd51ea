//! Measurements, not tests: `cargo test --lib measure_ -- --ignored --nocapture --test-threads 1` prints them (Linux).

use std::thread::{scope, spawn};

use argon2::{Algorithm, Argon2, Block, Version};

use super::*;

const REQUESTS: usize = 64;

/// Resident memory in KiB.
fn resident(field: &str) -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "a measurement is about real time")]
fn per_second(work: impl FnOnce()) -> f64 {
    let begin = std::time::Instant::now();
    work();
    f64::from(u32::try_from(REQUESTS).unwrap()) / begin.elapsed().as_secs_f64()
}

/// The library's own rate: the same number of threads, each with memory of its own.
fn bare(params: &Params, threads: usize) -> f64 {
    per_second(|| {
        scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
                    let mut blocks = vec![Block::new(); params.block_count()];
                    for _ in 0..REQUESTS / threads {
                        argon2
                            .hash_password_into_with_memory(b"correct horse", &[1; 16], &mut [0; 32], &mut blocks)
                            .unwrap();
                    }
                });
            }
        });
    })
}

fn ours(runtime: &tokio::runtime::Runtime, hasher: &Arc<Hasher>) -> f64 {
    let password = PlainPassword::typed("correct horse").unwrap();
    per_second(|| {
        runtime.block_on(async {
            let requests: Vec<_> = (0..REQUESTS)
                .map(|_| {
                    let (hasher, password) = (Arc::clone(hasher), password.clone());
                    tokio::spawn(async move { hasher.verify(&password, None).await.unwrap() })
                })
                .collect();
            for request in requests {
                request.await.unwrap();
            }
        });
    })
}

#[test]
#[ignore = "a measurement"]
fn measure_hasher() {
    let hasher =
        Arc::new(Hasher::start(&Settings { idle: Duration::from_millis(500), ..Settings::default() }).unwrap());
    let threads = available_parallelism().unwrap().get();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    // Otherwise the threads' own arenas would count as the hasher's.
    spawn(|| ()).join().unwrap();
    println!("before {} KiB", resident("VmRSS"));
    for round in 0..5 {
        let rate = ours(&runtime, &hasher);
        let busy = resident("VmRSS");
        hasher.pool.wait_until_cold();
        let after = resident("VmRSS");
        println!(
            "round {round}: {rate:.1}/s, after the last answer {busy} KiB, released {after} KiB, peak {} KiB",
            resident("VmHWM")
        );
    }
    for _ in 0..5 {
        let (bare, ours) = (bare(&hasher.params, threads), ours(&runtime, &hasher));
        println!("library {bare:.1}/s, hasher {ours:.1}/s, ratio {:.2}", ours / bare);
    }
}

#[test]
#[ignore = "a measurement"]
fn measure_rules() {
    use crate::domain::password::{Rules, Strength};
    let rules =
        Rules { min_length: 10, required_classes: Vec::new(), min_strength: Strength::Fair, refuse_common: true };
    for text in [
        "correct horse battery".to_owned(),
        "a".repeat(128),
        "ab".repeat(64),
        "4@8({6!|1$+7%2".repeat(9),
        "p@$$w0rd1!".repeat(12),
        "İ1".repeat(64),
        "0123456789qwertyuiop".repeat(6),
    ] {
        let password = PlainPassword::typed(&text).unwrap();
        let _ = rules.check(&password, &["anna"]);
        let rate = per_second(|| {
            let _ = rules.check(&password, &["anna", "anna@example.org", "Vestibule"]);
        });
        println!("{:.1} ms {text}", 64_000.0 / rate);
    }
}
