//! Hashing and checking passwords with a bounded share of memory and processors. Not here: what a password must be like
//! (domain/password), whose hash it is and what follows from the verdict (the services).

use std::io;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::available_parallelism;
use std::time::Duration;

use argon2::Params;

use crate::domain::password::PlainPassword;
use pool::{Memory, Plan, Pool, Refused};
use stored::{Failed, SALT, Stored, TAG};

mod pool;
mod stored;
#[cfg(test)]
mod tests;

/// How passwords are hashed and how much of the machine that may take.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Memory of one hash in KiB, at most 256 MiB.
    pub memory_kib: u32,
    /// Passes over the memory. Memory times passes is at most 2 GiB.
    pub iterations: u32,
    /// Lanes of one hash, at most 64; computed one after the other.
    pub parallelism: u32,
    /// Hashes that are computed at the same time; `None` is one per core.
    pub workers: Option<NonZero<usize>>,
    /// Most requests that wait for a worker.
    pub queue: usize,
    /// After how much time without work a worker gives its memory back to the system.
    pub idle: Duration,
}

impl Default for Settings {
    /// The costs of the OWASP Password Storage Cheat Sheet.
    fn default() -> Self {
        Self {
            memory_kib: 19_456,
            iterations: 2,
            parallelism: 1,
            workers: None,
            queue: 128,
            idle: Duration::from_secs(10),
        }
    }
}

/// Why the hasher cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Costs that argon2 does not define, or beyond the limits of [`Settings`].
    #[error("password hashes of this memory, number of iterations and parallelism are not possible")]
    Costs,
    /// The system refuses a thread.
    #[error("no thread for password hashes: {0}")]
    Thread(#[from] io::Error),
}

/// Why no answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// Too many others wait. Nothing was computed.
    #[error("too many password hashes wait to be computed")]
    Busy {
        /// When the queue that is full now will have been worked off, in whole seconds.
        retry_after: Duration,
    },
    /// The computation broke down, memory ran out, or the service is shutting down.
    #[error("a password hash could not be computed")]
    Failed,
}

/// What became of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the password.
    Right {
        /// Whether the stored hash was made in another way than new ones and ought to be replaced now.
        rehash: bool,
    },
    /// It is not, or there is no password that it could be.
    Wrong,
}

/// Computes password hashes on threads of its own, so many at a time and no more.
///
/// Sign-ins beyond what the queue holds are turned away at once: 64 unbounded hashes would take gigabytes.
pub struct Hasher {
    pool: Pool,
    params: Params,
    decoy: Stored,
    retry_after: Duration,
    count: Arc<AtomicU64>,
}

impl Hasher {
    /// Starts the threads. They end when the hasher is dropped.
    ///
    /// # Errors
    /// [`StartError`] says what is wrong with the settings or the system.
    pub fn start(settings: &Settings) -> Result<Self, StartError> {
        let params = Params::new(settings.memory_kib, settings.iterations, settings.parallelism, Some(TAG))
            .map_err(|_| StartError::Costs)?;
        if !stored::is_bearable(&params) {
            return Err(StartError::Costs);
        }
        let workers = match settings.workers {
            Some(workers) => workers,
            None => available_parallelism()?,
        };
        let plan =
            Plan { workers: workers.get(), queue: settings.queue, keep: params.block_count(), idle: settings.idle };
        Ok(Self {
            pool: Pool::start(&plan)?,
            decoy: stored::decoy(&params),
            retry_after: time_to_work_off(&params, settings.queue, workers),
            params,
            count: Arc::default(),
        })
    }

    /// Makes the hash of a new password, as a PHC string. The salt must be random.
    ///
    /// # Errors
    /// [`HashError`]; a caller that goes away meanwhile costs nothing.
    pub async fn hash(&self, password: &PlainPassword, salt: [u8; SALT]) -> Result<String, HashError> {
        let (password, params) = (password.clone(), self.params.clone());
        self.compute(move |memory| stored::make(&params, &password, &salt, memory)).await
    }

    /// Checks a password against the stored hash of an account.
    ///
    /// `None` stands for an account that does not exist or has no password; it takes the same work as a hash of the present
    /// costs, and so does a hash that cannot be read. A hash of other costs, imported or from before a change of the
    /// settings, takes its own time until its owner has signed in once.
    ///
    /// # Errors
    /// [`HashError`]; a caller that goes away meanwhile costs nothing.
    pub async fn verify(&self, password: &PlainPassword, stored: Option<&str>) -> Result<Verdict, HashError> {
        let known = stored.and_then(|text| {
            Stored::read(text)
                .inspect_err(
                    |why| tracing::error!(%why, "a stored password hash cannot be checked: nobody can sign in with it"),
                )
                .ok()
        });
        let is_decoy = known.is_none();
        let stored = known.unwrap_or_else(|| self.decoy.clone());
        let rehash = !stored.is_current(&self.params);
        let password = password.clone();
        let is_right = self.compute(move |memory| stored.check(&password, memory)).await?;
        Ok(if is_right && !is_decoy { Verdict::Right { rehash } } else { Verdict::Wrong })
    }

    /// Number of hashes computed so far, for metrics and for tests that compare work.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// Number of requests that wait for a worker.
    #[must_use]
    pub fn queue_depth(&self) -> usize {
        self.pool.waiting()
    }

    /// Number of workers that hold memory; each holds as much as one hash takes.
    #[must_use]
    pub fn warm_workers(&self) -> usize {
        self.pool.warm()
    }

    async fn compute<T, F>(&self, work: F) -> Result<T, HashError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Memory) -> Result<T, Failed> + Send + 'static,
    {
        let count = Arc::clone(&self.count);
        let counted = move |memory: &mut Memory| {
            count.fetch_add(1, Ordering::Relaxed);
            work(memory)
        };
        match self.pool.run(counted).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(Failed)) | Err(Refused::Gone) => Err(HashError::Failed),
            Err(Refused::Full) => Err(HashError::Busy { retry_after: self.retry_after }),
        }
    }
}

/// A cautious guess from the costs alone: a slow core writes 1 MiB per millisecond.
fn time_to_work_off(params: &Params, queue: usize, workers: NonZero<usize>) -> Duration {
    let each = u64::from(params.m_cost()) * u64::from(params.t_cost()) / 1024;
    let rounds = queue.div_ceil(workers.get()) as u64;
    Duration::from_secs(each.saturating_mul(rounds).div_ceil(1000).clamp(1, 60))
}
