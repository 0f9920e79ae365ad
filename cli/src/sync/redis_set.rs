//! Redis and Valkey: the members of a set.
//!
//! The server is asked to say when the set changes by client tracking (`CLIENT TRACKING`), which Redis has since version 6
//! and every Valkey. Unlike keyspace notifications it needs no setting of the server, comes by the connection that the set
//! is read by, and tells of every way in which a key can change: expiry, eviction and `FLUSHALL` as well. A server that
//! does not let this user track is read from time to time instead.

use std::borrow::Cow;
use std::time::Duration;

use anyhow::{bail, Context, Result};
use redis::aio::MultiplexedConnection;
use redis::{
    cmd, AsyncConnectionConfig, Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, ProtocolVersion, PushInfo,
    PushKind, RedisConnectionInfo, TlsCertificates,
};
use tokio::sync::mpsc;
use tokio::time::{interval_at, Instant, Interval, MissedTickBehavior};

use super::address::RedisAddress;
use super::credentials::Credentials;
use super::elements::{Element, Place};

/// A server that does not accept a connection in this time is not there.
const PATIENCE: Duration = Duration::from_secs(5);
/// A set of millions takes a while.
const PATIENCE_WITH_ANSWERS: Duration = Duration::from_secs(60);
/// So often it is asked whether the server is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// A connection to a server.
pub struct RedisSet {
    connection: MultiplexedConnection,
    set: Vec<u8>,
    pushed: mpsc::UnboundedReceiver<PushInfo>,
    keep_alive: Interval,
    next_reading: Interval,
    /// Why the server does not tell of changes, if it does not.
    pub not_told: Option<String>,
}

impl RedisSet {
    /// Connects; what there is is read later. `reading` is how often it is read where it is not told of changes, and where
    /// it is.
    pub async fn connect(
        address: &RedisAddress,
        credentials: &Credentials,
        reading: impl FnOnce(bool) -> Duration,
    ) -> Result<Self> {
        let (pushes, pushed) = mpsc::unbounded_channel();
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(PATIENCE)
            .set_response_timeout(PATIENCE_WITH_ANSWERS)
            .set_push_sender(pushes);
        let mut connection = client(address, credentials)?
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        let tracking = cmd("CLIENT")
            .arg("TRACKING")
            .arg("ON")
            .exec_async(&mut connection)
            .await;
        let not_told = tracking.err().map(|error| error.to_string());
        Ok(Self {
            connection,
            set: address.set.clone(),
            pushed,
            keep_alive: every(KEEP_ALIVE),
            next_reading: every(reading(not_told.is_none())),
            not_told,
        })
    }

    /// What there is. The members come in one answer, so that it is a set that there was at some time.
    pub async fn elements(&mut self) -> Result<Vec<Element<'static>>> {
        self.next_reading.reset();
        let members: Vec<Vec<u8>> = cmd("SMEMBERS")
            .arg(&self.set)
            .query_async(&mut self.connection)
            .await
            .with_context(|| format!("the set \"{}\" cannot be read", String::from_utf8_lossy(&self.set)))?;
        let elements = members.into_iter().map(|member| Element {
            text: Ok(Cow::Owned(member)),
            place: Place::Member,
        });
        Ok(elements.collect())
    }

    /// Waits until something may have changed. It can be given up at any time without a change being lost.
    pub async fn changed(&mut self) -> Result<()> {
        loop {
            tokio::select! {
                push = self.pushed.recv() => match push.map(|push| push.kind) {
                    Some(PushKind::Invalidate) => return Ok(()),
                    Some(PushKind::Disconnection) | None => bail!("the server has closed the connection"),
                    Some(_) => {}
                },
                _ = self.next_reading.tick() => return Ok(()),
                _ = self.keep_alive.tick() => {
                    let mut connection = self.connection.clone();
                    connection.set_response_timeout(PATIENCE);
                    cmd("PING").exec_async(&mut connection).await.context("the server is silent")?;
                }
            }
        }
    }
}

fn every(period: Duration) -> Interval {
    let mut interval = interval_at(Instant::now() + period, period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

fn client(address: &RedisAddress, credentials: &Credentials) -> Result<Client> {
    let (host, port) = (address.host.clone(), address.port);
    let addr = match address.is_encrypted {
        true => ConnectionAddr::TcpTls {
            host,
            port,
            insecure: false,
            tls_params: None,
        },
        false => ConnectionAddr::Tcp(host, port),
    };
    let info = ConnectionInfo {
        addr,
        redis: RedisConnectionInfo {
            db: address.database,
            username: address.user.clone(),
            password: credentials.password.clone(),
            // The version that lets a server tell something without being asked.
            protocol: ProtocolVersion::RESP3,
        },
    };
    if !address.is_encrypted {
        return Ok(Client::open(info)?);
    }
    let certificates = TlsCertificates {
        client_tls: credentials
            .identity
            .clone()
            .map(|(client_cert, client_key)| ClientTlsConfig {
                client_cert,
                client_key,
            }),
        root_cert: credentials.authorities.clone(),
    };
    Ok(Client::build_with_tls(info, certificates)?)
}
