//! A bounded queue before a few threads, each with memory of its own. Knows nothing of passwords.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use argon2::Block;
use tokio::sync::oneshot;

/// Blocks that are reserved at least, one more than 32 MiB. glibc keeps freed chunks for itself up to a size that follows the
/// largest one freed, but never beyond 32 MiB (mallopt(3), `M_MMAP_THRESHOLD`): what is larger goes back to the system at once.
/// Reserving is free, as only pages that were written to take up memory.
const LEAST_RESERVED: usize = 32 * 1024 + 1;

/// Threads that work off a queue in order of arrival.
pub(super) struct Pool {
    shared: Arc<Shared>,
}

/// How a pool is made.
pub(super) struct Plan {
    /// Number of threads.
    pub(super) workers: usize,
    /// Most jobs that may wait.
    pub(super) queue: usize,
    /// Blocks that a worker keeps between jobs; what a job needs beyond is given back after it.
    pub(super) keep: usize,
    /// After how much time without work a worker gives its memory back.
    pub(super) idle: Duration,
}

/// Why a job was not done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Too many others wait.
    Full,
    /// The job broke down, or the pool is shutting down.
    Gone,
}

impl Pool {
    /// Starts the threads. They end when the pool is dropped, each after the job that it is at.
    ///
    /// # Errors
    /// The system refuses a thread; those already started end.
    pub(super) fn start(plan: &Plan) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            changed: Condvar::new(),
            queue: plan.queue,
            keep: plan.keep,
            idle: plan.idle,
        });
        let pool = Self { shared };
        for number in 0..plan.workers {
            let shared = Arc::clone(&pool.shared);
            thread::Builder::new().name(format!("hash-{number}")).spawn(move || shared.work())?;
        }
        Ok(pool)
    }

    /// Has a thread do `work`. A caller that drops this future before a thread came to its job takes the job along.
    ///
    /// # Errors
    /// [`Refused`] says why it was not done.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, Refused>
    where
        T: Send + 'static,
        F: FnOnce(&mut Memory) -> T + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.shared.submit(Box::new(Task { reply, work }))?;
        answer.await.map_err(|_| Refused::Gone)
    }

    /// Number of jobs that wait, abandoned ones included.
    pub(super) fn waiting(&self) -> usize {
        self.shared.lock().waiting.len()
    }

    /// Number of threads that hold memory at present.
    pub(super) fn warm(&self) -> usize {
        self.shared.lock().warm
    }

    /// Blocks the thread until no worker holds memory.
    #[cfg(test)]
    pub(super) fn wait_until_cold(&self) {
        let state = self.shared.lock();
        drop(self.shared.changed.wait_while(state, |state| state.warm > 0).unwrap());
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.closed = true;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        self.shared.changed.notify_all();
        drop(waiting);
    }
}

/// The memory that one worker hashes in.
#[derive(Default)]
pub(super) struct Memory {
    blocks: Vec<Block>,
}

impl Memory {
    /// `count` blocks with any content; `None` when the system has no memory left.
    pub(super) fn blocks(&mut self, count: usize) -> Option<&mut [Block]> {
        if self.blocks.len() < count {
            self.release();
            self.blocks.try_reserve_exact(count.max(LEAST_RESERVED)).ok()?;
            self.blocks.resize(count, Block::new());
        }
        self.blocks.get_mut(..count)
    }

    fn release(&mut self) {
        self.blocks = Vec::new();
    }

    fn is_held(&self) -> bool {
        self.blocks.capacity() > 0
    }
}

trait Job: Send {
    fn is_abandoned(&self) -> bool;

    /// Does the work. What it returns hands the answer over, once the worker has cleared up.
    fn run(self: Box<Self>, memory: &mut Memory) -> Box<dyn FnOnce()>;
}

struct Task<T, F> {
    reply: oneshot::Sender<T>,
    work: F,
}

impl<T: Send + 'static, F: FnOnce(&mut Memory) -> T + Send> Job for Task<T, F> {
    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn run(self: Box<Self>, memory: &mut Memory) -> Box<dyn FnOnce()> {
        let Self { reply, work } = *self;
        let answer = work(memory);
        // An error means that the caller went away meanwhile: nobody misses the answer.
        Box::new(move || drop(reply.send(answer)))
    }
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    queue: usize,
    keep: usize,
    idle: Duration,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Box<dyn Job>>,
    warm: usize,
    closed: bool,
}

impl Shared {
    /// A panic while the lock is held cannot leave the state half-changed: each change is one statement.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn submit(&self, job: Box<dyn Job>) -> Result<(), Refused> {
        let mut state = self.lock();
        if state.waiting.len() >= self.queue {
            // Whoever opens and drops connections must not keep the others out.
            state.waiting.retain(|job| !job.is_abandoned());
        }
        if state.waiting.len() >= self.queue {
            return Err(Refused::Full);
        }
        state.waiting.push_back(job);
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    fn work(&self) {
        let mut memory = Memory::default();
        while let Some(job) = self.next(&mut memory) {
            let was_held = memory.is_held();
            // A job that panics would take its thread along, and with it a share of all later sign-ins.
            let outcome = catch_unwind(AssertUnwindSafe(|| job.run(&mut memory)));
            if memory.blocks.len() > self.keep {
                memory.release();
            }
            self.note(was_held, memory.is_held());
            if let Ok(hand_over) = outcome {
                hand_over();
            } else {
                tracing::error!("the computation of a password hash broke down");
            }
        }
    }

    /// The next job that somebody waits for; `None` when the pool is closed. Gives the memory back when none comes for long.
    fn next(&self, memory: &mut Memory) -> Option<Box<dyn Job>> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            while let Some(job) = state.waiting.pop_front() {
                if !job.is_abandoned() {
                    return Some(job);
                }
            }
            let nothing_to_do = |state: &mut State| state.waiting.is_empty() && !state.closed;
            if !memory.is_held() {
                state = self.changed.wait_while(state, nothing_to_do).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let (woken, timeout) = self
                .changed
                .wait_timeout_while(state, self.idle, nothing_to_do)
                .unwrap_or_else(PoisonError::into_inner);
            state = woken;
            if timeout.timed_out() {
                drop(state);
                memory.release();
                self.note(true, false);
                state = self.lock();
            }
        }
    }

    fn note(&self, was_held: bool, is_held: bool) {
        match (was_held, is_held) {
            (false, true) => self.lock().warm += 1,
            (true, false) => {
                self.lock().warm -= 1;
                self.changed.notify_all();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
#[path = "pool_tests.rs"]
mod tests;
