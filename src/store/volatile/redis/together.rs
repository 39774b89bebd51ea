//! Values that are asked for in the same moment are asked for together: one message, one wait, one wake-up for all of them.
//!
//! A question for one value costs the server less than what surrounds it: two system calls here, two there, a timer, three
//! wake-ups. With many requests at once those are shared; a request that comes alone waits for nobody.

use super::link::{Link, is_the_end};
use super::sessions::AT_ONCE;
use redis::{ErrorKind, Pipeline, RedisResult, Value};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;
use tokio::task::yield_now;

/// A key, and who wants to know its value.
type Question = (Vec<u8>, oneshot::Sender<RedisResult<Value>>);

/// Questions that have not left yet.
#[derive(Default)]
pub(super) struct Waiting(Mutex<Vec<Question>>);

impl Waiting {
    /// Adds a question. True for the first: who asks it has them sent.
    fn add(&self, question: Question) -> bool {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push(question);
        waiting.len() == 1
    }

    fn take(&self) -> Vec<Question> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Link {
    /// The value of a key, asked for together with all others that are wanted in this moment.
    pub(super) async fn value(self: &Arc<Self>, key: Vec<u8>) -> RedisResult<Value> {
        let (tell, told) = oneshot::channel();
        if self.waiting().add((key, tell)) {
            // A task of its own: whoever came first may leave, the others want to know all the same.
            tokio::spawn(Arc::clone(self).ask_for_the_waiting());
        }
        told.await.unwrap_or_else(|_| Err((ErrorKind::Io, "the question was not asked").into()))
    }

    async fn ask_for_the_waiting(self: Arc<Self>) {
        // Requests that are being read in this moment come first: they may have questions too.
        yield_now().await;
        let mut rest = self.waiting().take();
        while !rest.is_empty() {
            let later = rest.split_off(rest.len().min(AT_ONCE));
            self.ask_for(std::mem::replace(&mut rest, later)).await;
        }
    }

    async fn ask_for(&self, questions: Vec<Question>) {
        let mut commands = Pipeline::with_capacity(questions.len());
        for (key, _) in &questions {
            commands.cmd("GET").arg(key);
        }
        match self.ask_all(&commands).await {
            Ok(values) => {
                for ((_, tell), value) in questions.into_iter().zip(values) {
                    let answer = value.extract_error();
                    if answer.as_ref().is_err_and(is_the_end) {
                        self.lose();
                    }
                    // Who has left meanwhile does not want to know any more.
                    drop(tell.send(answer));
                }
            }
            Err(error) => questions.into_iter().for_each(|(_, tell)| drop(tell.send(Err(error.clone())))),
        }
    }
}
