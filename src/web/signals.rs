//! What the operating system asks of the process. What is then done is decided in `app.rs`.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The wish that the process ends: SIGTERM (service supervisors) or SIGINT (Ctrl-C).
#[derive(Debug)]
pub struct Termination {
    terminate: Signal,
    interrupt: Signal,
}

impl Termination {
    /// From here on neither signal ends the process by itself.
    pub fn watch() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for the next such signal and tells its name.
    pub async fn requested(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// The wish that files are read again: SIGHUP.
#[derive(Debug)]
pub struct Hangup(Signal);

impl Hangup {
    /// From here on the signal does not end the process by itself.
    pub fn watch() -> io::Result<Self> {
        Ok(Self(signal(SignalKind::hangup())?))
    }

    /// Waits for the next such signal.
    pub async fn requested(&mut self) {
        // `None` would mean that the runtime no longer hears signals; then none will come.
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}
