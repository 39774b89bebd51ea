//! Which server has which key: one master, the one that Sentinels name, or the nodes of a Cluster by slot. Asks the right one,
//! and finds the new one when things have moved.
//!
//! When servers are looked for, and connections made anew, is `keeper`.

use super::connect::{Connector, in_words};
use super::keys::slot;
use super::layout;
use super::link::Link;
use super::options::{Address, RedisError, RedisOptions, Topology};
use crate::store::volatile::Unavailable;
use redis::{Cmd, ErrorKind, Pipeline, ServerErrorKind, Value};
use std::sync::Arc;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

/// How often a question is asked again because the key has moved.
const MOVES: usize = 4;

/// The servers as they are known now.
#[derive(Default)]
pub(super) struct Routes {
    pub(super) links: Vec<Arc<Link>>,
    /// Last slot of each range in ascending order, and whose it is; empty when one has them all.
    pub(super) ranges: Vec<(u16, Option<Arc<Link>>)>,
    /// Every slot has a server that is connected.
    pub(super) complete: bool,
}

/// All servers.
pub(super) struct Servers {
    options: Arc<RedisOptions>,
    connector: Connector,
    routes: watch::Sender<Arc<Routes>>,
    /// Told when servers have to be looked for.
    pub(super) look: Arc<Notify>,
}

impl Routes {
    fn of(&self, key: &[u8]) -> Option<&Arc<Link>> {
        if self.ranges.is_empty() {
            return self.links.first();
        }
        let slot = slot(key);
        let at = self.ranges.partition_point(|(last, _)| *last < slot);
        self.ranges.get(at).and_then(|(_, link)| link.as_ref())
    }

    fn at(&self, address: &Address) -> Option<&Arc<Link>> {
        self.links.iter().find(|link| link.address() == address && !link.is_lost())
    }
}

impl Servers {
    /// Servers that are not looked for yet.
    pub(super) fn new(options: Arc<RedisOptions>, connector: Connector, look: Arc<Notify>) -> Self {
        Self { options, connector, routes: watch::Sender::default(), look }
    }

    /// Whether there are several masters: then no script can see two keys.
    pub(super) fn is_cluster(&self) -> bool {
        self.options.topology == Topology::Cluster
    }

    /// All connections.
    pub(super) fn links(&self) -> Vec<Arc<Link>> {
        self.routes.borrow().links.clone()
    }

    /// Whether every key has a server now.
    pub(super) fn complete(&self) -> bool {
        let routes = self.routes.borrow();
        routes.complete && !routes.links.is_empty() && routes.links.iter().all(|link| !link.is_lost())
    }

    /// Looks for the servers and takes them from now on. Connections that are still good are kept.
    pub(super) async fn find(&self) -> Result<(), RedisError> {
        let known = Arc::clone(&self.routes.borrow());
        let found = match &self.options.topology {
            Topology::Single => self.single(&known).await?,
            Topology::Sentinel { master } => self.by_sentinel(master, &known).await?,
            Topology::Cluster => self.cluster(&known).await?,
        };
        let found = Arc::new(found);
        for link in &known.links {
            if !found.links.iter().any(|other| Arc::ptr_eq(link, other)) {
                link.lose();
            }
        }
        self.routes.send_replace(found);
        Ok(())
    }

    /// Ends all connections; nothing is answered any more.
    pub(super) fn leave(&self) {
        for link in &self.routes.send_replace(Arc::default()).links {
            link.lose();
        }
    }

    async fn connected(&self, address: &Address, known: &Routes) -> Result<Arc<Link>, RedisError> {
        match known.at(address) {
            Some(link) => Ok(Arc::clone(link)),
            None => self.connector.master(address).await.map(Arc::new),
        }
    }

    async fn single(&self, known: &Routes) -> Result<Routes, RedisError> {
        let mut trouble = RedisError::NoAddress;
        for address in &self.options.addresses {
            match self.connected(address, known).await {
                Ok(link) => return Ok(Routes { links: vec![link], ranges: Vec::new(), complete: true }),
                Err(error) => trouble = error,
            }
        }
        Err(trouble)
    }

    async fn by_sentinel(&self, master: &str, known: &Routes) -> Result<Routes, RedisError> {
        let mut why = "none was asked".to_owned();
        for sentinel in &self.options.addresses {
            match self.master_by(sentinel, master).await {
                Ok(Some(address)) => match self.connected(&address, known).await {
                    Ok(link) => return Ok(Routes { links: vec![link], ranges: Vec::new(), complete: true }),
                    Err(error) => why = error.to_string(),
                },
                Ok(None) => why = format!("{sentinel} does not know it"),
                Err(error) => why = format!("{sentinel}: {}", in_words(&error)),
            }
        }
        Err(RedisError::NoMaster { master: master.to_owned(), why })
    }

    async fn master_by(&self, sentinel: &Address, master: &str) -> redis::RedisResult<Option<Address>> {
        let mut guide = self.connector.guide(sentinel, true).await?;
        let question = redis::cmd("SENTINEL").arg("GET-MASTER-ADDR-BY-NAME").arg(master).to_owned();
        let answer = guide.send_packed_command(&question).await.and_then(Value::extract_error)?;
        let told: Option<(String, u16)> = redis::from_redis_value(answer)?;
        Ok(told.map(|(host, port)| Address { host, port }))
    }

    async fn cluster(&self, known: &Routes) -> Result<Routes, RedisError> {
        let mut why = "none was asked".to_owned();
        let nodes = known.links.iter().map(|link| link.address()).chain(&self.options.addresses);
        for address in nodes {
            match self.layout_by(address, known).await {
                Ok(ranges) if !ranges.is_empty() => return self.routes_of(ranges, known).await,
                Ok(_) => why = format!("{address} knows of no slots"),
                Err(error) => why = format!("{address}: {}", in_words(&error)),
            }
        }
        Err(RedisError::NoLayout(why))
    }

    async fn layout_by(&self, node: &Address, known: &Routes) -> redis::RedisResult<Vec<layout::Range>> {
        let question = redis::cmd("CLUSTER").arg("SLOTS").to_owned();
        let answer = if let Some(link) = known.at(node) {
            link.ask(&question).await?
        } else {
            let mut guide = self.connector.guide(node, false).await?;
            guide.send_packed_command(&question).await.and_then(Value::extract_error)?
        };
        Ok(layout::read(&answer, node))
    }

    /// What cannot be connected to leaves a hole: the rest goes on.
    async fn routes_of(&self, ranges: Vec<layout::Range>, known: &Routes) -> Result<Routes, RedisError> {
        let mut routes = Routes { complete: layout::covers_all(&ranges), ..Routes::default() };
        let mut trouble = None;
        for range in ranges {
            let link = match routes.at(&range.master).map(Arc::clone) {
                Some(link) => Some(link),
                None => match self.connected(&range.master, known).await {
                    Ok(link) => Some(link),
                    Err(error) => {
                        trouble = Some(error);
                        routes.complete = false;
                        None
                    }
                },
            };
            if let Some(link) = link.as_ref().filter(|link| !routes.links.iter().any(|other| Arc::ptr_eq(link, other)))
            {
                routes.links.push(Arc::clone(link));
            }
            if range.first > 0 && routes.ranges.last().is_none_or(|(last, _)| *last < range.first - 1) {
                routes.ranges.push((range.first - 1, None));
            }
            routes.ranges.push((range.last, link));
        }
        match trouble {
            Some(error) if routes.links.is_empty() => Err(error),
            _ => Ok(routes),
        }
    }

    /// The connection that a key is asked by now.
    pub(super) fn link(&self, key: &[u8]) -> Result<Arc<Link>, Unavailable> {
        let routes = self.routes.borrow();
        routes.of(key).filter(|link| !link.is_lost()).cloned().ok_or_else(|| Unavailable("Redis is away".to_owned()))
    }

    /// Asks whoever has the key.
    pub(super) async fn ask(&self, key: &[u8], command: &Cmd) -> Result<Value, Unavailable> {
        self.attempt(key, command).await.map_err(|error| unavailable(&error))
    }

    /// Asks whoever has the key for a change; with replicas that must have it, waits for them.
    pub(super) async fn change(&self, key: &[u8], command: &Cmd) -> Result<Value, Unavailable> {
        let value = self.ask(key, command).await?;
        self.replicated(key).await?;
        Ok(value)
    }

    /// Waits until as many replicas as are asked for have what this connection changed.
    ///
    /// # Errors
    /// [`Unavailable`] when they do not: the change is made, and a fail-over may undo it.
    pub(super) async fn replicated(&self, key: &[u8]) -> Result<(), Unavailable> {
        let wanted = self.options.replicas;
        if wanted == 0 {
            return Ok(());
        }
        let patience = u64::try_from(self.options.timeout.as_millis() / 2).unwrap_or(u64::MAX);
        let answer = self.ask(key, redis::cmd("WAIT").arg(wanted).arg(patience)).await?;
        match answer {
            Value::Int(have) if have >= i64::from(wanted) => Ok(()),
            _ => Err(Unavailable(format!("fewer than {wanted} replicas of Redis have the change"))),
        }
    }

    /// Asks whoever has the key, and follows it where it has moved.
    pub(super) async fn attempt(&self, key: &[u8], command: &Cmd) -> redis::RedisResult<Value> {
        let mut link = self.link(key).map_err(away)?;
        let mut asking = false;
        for _ in 0..MOVES {
            let error = match Self::once(&link, command, asking).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            asking = false;
            if error.kind() == ErrorKind::Server(ServerErrorKind::Ask) {
                let Some(other) = self.redirected(&error) else { return Err(error) };
                link = other;
                asking = true;
            } else if is_moving(&error) {
                self.found_anew().await;
                link = self.link(key).map_err(away)?;
            } else {
                return Err(error);
            }
        }
        Err(away(Unavailable("the key keeps moving".to_owned())))
    }

    async fn once(link: &Link, command: &Cmd, asking: bool) -> redis::RedisResult<Value> {
        if !asking {
            return link.ask(command).await;
        }
        let mut both = Pipeline::with_capacity(2);
        both.add_command(redis::cmd("ASKING")).add_command(command.clone());
        let answer = link.ask_all(&both).await?.pop();
        answer.unwrap_or(Value::Nil).extract_error()
    }

    fn redirected(&self, error: &redis::RedisError) -> Option<Arc<Link>> {
        let (host, port) = error.redirect_node()?.0.rsplit_once(':')?;
        let address = Address { host: host.to_owned(), port: port.parse().ok()? };
        self.routes.borrow().at(&address).cloned()
    }

    /// Has the servers looked for, and waits until it is done, or for as long as an answer may take.
    async fn found_anew(&self) {
        let mut changed = self.routes.subscribe();
        self.look.notify_one();
        // Whether it was found shows in the next answer.
        let _ = timeout(self.options.timeout, changed.changed()).await;
    }
}

/// Whether another server has to be asked, or the same one later.
pub(super) fn is_moving(error: &redis::RedisError) -> bool {
    use ServerErrorKind::{Ask, ClusterDown, MasterDown, Moved, ReadOnly, TryAgain};
    let ErrorKind::Server(kind) = error.kind() else { return false };
    matches!(kind, Ask | ClusterDown | MasterDown | Moved | ReadOnly | TryAgain)
}

fn away(why: Unavailable) -> redis::RedisError {
    (ErrorKind::Io, "Redis cannot be asked", why.0).into()
}

/// An answer that was none.
pub(super) fn unavailable(error: &redis::RedisError) -> Unavailable {
    Unavailable(in_words(error))
}
