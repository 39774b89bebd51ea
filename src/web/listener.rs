//! The front door's socket: the accept loop, one HTTP/1.1 connection after another, and the drain at the end.
//! Lives here: limits of a connection and who gets in. Not here: TLS files ([`crate::web::tls`]), routes, request timeouts.

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::body::Body;
use http::{Request, Response};
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};
use tokio_rustls::TlsAcceptor;
use tower::{Service, ServiceExt, util::Oneshot};

use crate::web::listener_io::Lingering;

/// How long the loop rests when the system cannot give it another connection (`EMFILE`, `ENFILE`, `ENOBUFS`, `ENOMEM`).
/// A file descriptor gets free only when a connection ends; asking again at once would burn a core.
const ACCEPT_PAUSE: Duration = Duration::from_millis(250);

/// hyper refuses smaller connection buffers.
const SMALLEST_BUFFER: usize = 8192;

/// Who is at the other end of the connection: the last proxy, or the client itself where there is none.
/// Found in the extensions of every request. IPv4 clients of a dual-stack socket appear as IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Peer(pub SocketAddr);

/// Marks a request of HTTP/1.1 without `Host`, which is answered 400 (RFC 9112 section 3.2).
#[derive(Clone, Copy, Debug)]
pub(super) struct Hostless;

/// The limits of a listener.
#[derive(Clone, Copy, Debug)]
pub struct ListenerSettings {
    /// Address and port to listen on; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Connections that the kernel keeps waiting for us.
    pub backlog: u32,
    /// Connections served at once, at least 1; further ones wait in the backlog.
    pub max_connections: u32,
    /// From the first moment of waiting for a request to the end of its headers. So it also ends idle connections; it
    /// should be longer than a proxy keeps its idle connections to us, or the proxy may use one that we just closed.
    pub header_timeout: Duration,
    /// Request line and headers together; more is answered with 431 (RFC 6585 section 5).
    pub max_header_bytes: usize,
    /// From the TCP connection to the end of the TLS handshake.
    pub handshake_timeout: Duration,
    /// From the wish to stop to the end of the last request; what is unfinished then is cut.
    pub drain_timeout: Duration,
}

impl Default for ListenerSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            backlog: 1024,
            max_connections: 10_000,
            header_timeout: Duration::from_mins(1),
            max_header_bytes: 32 * 1024,
            handshake_timeout: Duration::from_secs(10),
            drain_timeout: Duration::from_secs(30),
        }
    }
}

/// The socket could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} (server.listen or server.internal_listen): {source}")]
pub struct ListenError {
    /// Where we wanted to listen.
    pub address: SocketAddr,
    /// What the system said.
    pub source: io::Error,
}

/// How a listener ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were cut because the drain timeout had passed.
    pub unfinished: usize,
}

/// A bound socket, ready to serve.
pub struct Listener {
    socket: TcpListener,
    settings: ListenerSettings,
    tls: Option<TlsAcceptor>,
}

impl Listener {
    /// Opens the socket. With `tls` every connection starts with a handshake, without it HTTP is plain.
    pub fn bind(settings: ListenerSettings, tls: Option<Arc<rustls::ServerConfig>>) -> Result<Self, ListenError> {
        let address = settings.listen;
        let socket = open(&settings).map_err(|source| ListenError { address, source })?;
        Ok(Self { socket, settings, tls: tls.map(TlsAcceptor::from) })
    }

    /// The address in use; tells the port when the system chose it.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Serves until `shutdown` resolves, then closes the socket, lets requests in flight finish and returns.
    pub async fn serve<S>(self, service: S, shutdown: impl Future<Output = ()>) -> Drained
    where
        S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
        S::Future: Send + 'static,
    {
        let Self { socket, settings, tls } = self;
        let slots = Arc::new(Semaphore::new(settings.max_connections as usize));
        let (phase, watcher) = watch::channel(Phase::Serving);
        let door = Door { protocol: protocol(&settings), tls, handshake_timeout: settings.handshake_timeout, service };
        tokio::select! {
            biased;
            () = shutdown => {}
            () = accept_all(&socket, &slots, |stream, peer, slot| {
                tokio::spawn(door.clone().admit(stream, peer, watcher.clone(), slot));
            }) => {}
        }
        drop(socket);
        phase.send_replace(Phase::Draining);
        // Every connection holds one slot: when all slots are back, every connection has ended.
        let all_ended = slots.acquire_many(settings.max_connections);
        let in_time = tokio::time::timeout(settings.drain_timeout, all_ended).await.is_ok();
        phase.send_replace(Phase::Ended);
        let unfinished =
            if in_time { 0 } else { (settings.max_connections as usize).saturating_sub(slots.available_permits()) };
        Drained { unfinished }
    }
}

/// What the connections are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
enum Phase {
    Serving,
    Draining,
    Ended,
}

fn open(settings: &ListenerSettings) -> io::Result<TcpListener> {
    let socket = if settings.listen.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A restart must not wait for the old process's connections in TIME_WAIT.
    socket.set_reuseaddr(true)?;
    // Accepted connections inherit both: answers leave at once, vanished peers are noticed.
    socket.set_nodelay(true)?;
    socket.set_keepalive(true)?;
    socket.bind(settings.listen)?;
    socket.listen(settings.backlog)
}

fn protocol(settings: &ListenerSettings) -> http1::Builder {
    let mut protocol = http1::Builder::new();
    protocol
        .timer(TokioTimer::new())
        .header_read_timeout(settings.header_timeout)
        .max_header_size(settings.max_header_bytes)
        .max_buf_size(settings.max_header_bytes.saturating_mul(2).max(SMALLEST_BUFFER));
    protocol
}

async fn accept_all(
    socket: &TcpListener,
    slots: &Arc<Semaphore>,
    mut admit: impl FnMut(TcpStream, Peer, OwnedSemaphorePermit),
) {
    // The semaphore is never closed, so the loop ends only by being dropped.
    while let Ok(slot) = Arc::clone(slots).acquire_owned().await {
        match socket.accept().await {
            Ok((stream, address)) => {
                // Inherited on Linux; set again for systems where it is not.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "cannot set TCP_NODELAY");
                }
                let peer = Peer(SocketAddr::new(address.ip().to_canonical(), address.port()));
                admit(stream, peer, slot);
            }
            Err(error) if concerns_one_connection(&error) => {
                tracing::debug!(%error, "a connection ended before it was accepted");
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections, trying again");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// The next `accept` may well succeed: accept(2) hands over errors of the connection that it was about to return.
fn concerns_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

#[derive(Clone)]
struct Door<S> {
    protocol: http1::Builder,
    tls: Option<TlsAcceptor>,
    handshake_timeout: Duration,
    service: S,
}

impl<S> Door<S>
where
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    /// The life of one connection. `slot` is given back when it ends.
    async fn admit(self, stream: TcpStream, peer: Peer, phase: watch::Receiver<Phase>, slot: OwnedSemaphorePermit) {
        let Self { protocol, tls, handshake_timeout, service } = self;
        let service = WithPeer { inner: service, peer };
        match tls {
            None => converse(&protocol, stream, service, phase).await,
            Some(tls) => match tokio::time::timeout(handshake_timeout, tls.accept(stream)).await {
                Ok(Ok(stream)) => converse(&protocol, stream, service, phase).await,
                Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
                Err(_) => tracing::debug!("TLS handshake took too long"),
            },
        }
        drop(slot);
    }
}

/// Requests and answers, until one side has enough.
async fn converse<I, S>(protocol: &http1::Builder, stream: I, service: WithPeer<S>, mut phase: watch::Receiver<Phase>)
where
    I: AsyncRead + AsyncWrite + Unpin + 'static,
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible> + Clone,
{
    let mut connection = std::pin::pin!(protocol.serve_connection(TokioIo::new(Lingering::new(stream)), service));
    let early = tokio::select! {
        biased;
        ended = connection.as_mut() => Some(ended),
        _ = phase.wait_for(|phase| *phase != Phase::Serving) => None,
    };
    let ended = if let Some(ended) = early {
        ended
    } else {
        connection.as_mut().graceful_shutdown();
        tokio::select! {
            biased;
            ended = connection => ended,
            _ = phase.wait_for(|phase| *phase == Phase::Ended) => Ok(()),
        }
    };
    if let Err(error) = ended {
        // Broken requests and vanished clients are the client's business; hyper has answered where it could.
        tracing::debug!(%error, "connection ended");
    }
}

/// Puts the [`Peer`] into each request; the only thing between hyper and the service.
struct WithPeer<S> {
    inner: S,
    peer: Peer,
}

impl<S> hyper::service::Service<Request<Incoming>> for WithPeer<S>
where
    S: Service<Request<Incoming>> + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Oneshot<S, Request<Incoming>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.peer);
        if request.version() == http::Version::HTTP_11 && !request.headers().contains_key(http::header::HOST) {
            request.extensions_mut().insert(Hostless);
        }
        self.inner.clone().oneshot(request)
    }
}
