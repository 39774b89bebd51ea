//! How many argon2id hashes the library makes in a second: arguments are threads, hashes, KiB, passes. Each thread keeps
//! its memory, as our hasher does; nothing else is done.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use std::time::Instant;

fn main() -> Result<(), argon2::Error> {
    let numbers: Vec<u32> = std::env::args().skip(1).filter_map(|number| number.parse().ok()).collect();
    let [threads, hashes, memory, passes] = numbers[..] else {
        eprintln!("usage: argon2_rate THREADS HASHES KIB PASSES");
        std::process::exit(2);
    };
    let params = Params::new(memory, passes, 1, Some(32))?;
    let start = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let share = hashes / threads + u32::from(thread < hashes % threads);
            let params = params.clone();
            scope.spawn(move || {
                let mut blocks = vec![Block::new(); params.block_count()];
                let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
                for _ in 0..share {
                    let mut hash = [0; 32];
                    argon2
                        .hash_password_into_with_memory(b"correct horse", &[1; 16], &mut hash, &mut blocks)
                        .expect("a hash");
                    std::hint::black_box(hash);
                }
            });
        }
    });
    println!("{:.2}", f64::from(hashes) / start.elapsed().as_secs_f64());
    Ok(())
}
