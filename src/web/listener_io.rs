//! The closing manners of a connection: a lingering close (RFC 9112 section 9.6).
//! Without it a client that is still sending (a huge header, an unread body) gets a TCP reset that destroys our answer.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Sleep,
};

/// A client that has not closed by then is reset.
const LINGER_TIME: Duration = Duration::from_secs(2);
/// A client that has sent more than this after our answer is reset.
const LINGER_BYTES: usize = 8 * 1024 * 1024;
const CHUNK: usize = 8 * 1024;

/// A connection that, when it is shut down, says that it has nothing more to say and then reads what still arrives
/// until the client closes, within limits of time and size.
#[derive(Debug)]
pub struct Lingering<T> {
    inner: T,
    peer_closed: bool,
    linger: Option<Linger>,
}

#[derive(Debug)]
struct Linger {
    deadline: Pin<Box<Sleep>>,
    budget: usize,
}

impl<T> Lingering<T> {
    /// Wraps a connection whose first byte is still to come.
    pub fn new(stream: T) -> Self {
        Self { inner: stream, peer_closed: false, linger: None }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Lingering<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.inner).poll_read(cx, buf))?;
        this.peer_closed |= buf.filled().len() == before && buf.remaining() > 0;
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let linger = match &mut this.linger {
            Some(linger) => linger,
            none => {
                ready!(Pin::new(&mut this.inner).poll_shutdown(cx))?;
                if this.peer_closed {
                    return Poll::Ready(Ok(()));
                }
                let deadline = Box::pin(tokio::time::sleep(LINGER_TIME));
                none.insert(Linger { deadline, budget: LINGER_BYTES })
            }
        };
        if linger.deadline.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        let mut chunk = [0; CHUNK];
        loop {
            let mut buf = ReadBuf::new(&mut chunk);
            // Whatever the client's side does now, our part of the conversation was complete.
            let closed = ready!(Pin::new(&mut this.inner).poll_read(cx, &mut buf)).is_err() || buf.filled().is_empty();
            linger.budget = linger.budget.saturating_sub(buf.filled().len());
            if closed || linger.budget == 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write_vectored(cx, bufs)
    }
}
