//! etcd: the values of the keys that begin with a prefix.
//!
//! All of them are read at one revision, and the changes after it come in by a watch. A connection that breaks is followed
//! by another complete reading rather than by a watch from the last revision: what was restored from a backup meanwhile
//! may count its revisions anew, and a watch would not tell.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use std::error::Error as _;

use anyhow::{anyhow, bail, ensure, Context, Error, Result};
use etcd_client::{
    Certificate, Client, ConnectOptions, EventType, GetOptions, Identity, TlsOptions, WatchOptions, WatchStream,
};
use tokio::time::timeout;

use super::address::EtcdAddress;
use super::credentials::Credentials;
use super::elements::{Element, Place};

/// So many keys are asked for at a time: etcd answers with whole messages.
const PAGE: i64 = 1000;
/// The longest message that is taken. A page of values, or all changes of a transaction.
const LONGEST_MESSAGE: usize = 256 << 20;
/// An etcd that does not answer a page in this time is asked no more.
const PATIENCE: Duration = Duration::from_secs(10);
/// A member that does not answer the smallest question in this time is asked no more: what it was asked while there was no
/// leader is answered late or never, also when there is one again.
const PATIENCE_WITH_MEMBERS: Duration = Duration::from_secs(2);
/// etcd ends connections that are asked whether they live more often than each five seconds.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// A connection to etcd, and what it has told.
pub struct EtcdPrefix {
    client: Client,
    prefix: Vec<u8>,
    values: BTreeMap<Vec<u8>, Vec<u8>>,
    watch: Option<WatchStream>,
}

impl EtcdPrefix {
    /// Connects to the first member that answers, in an order of chance; what there is is read later.
    ///
    /// One member is asked everything: if each question went to any of them, one that is away would spoil most attempts.
    pub async fn connect(address: &EtcdAddress, credentials: &Credentials) -> Result<Self> {
        let options = options(address, credentials)?;
        let scheme = if address.is_encrypted { "https" } else { "http" };
        let mut order: Vec<_> = (0..address.endpoints.len()).collect();
        fastrand::shuffle(&mut order);
        let mut failures = BTreeMap::new();
        for number in order {
            let Some(endpoint) = address.endpoints.get(number) else {
                continue;
            };
            match member(&format!("{scheme}://{endpoint}"), &options, &address.prefix).await {
                Ok(client) => {
                    return Ok(Self {
                        client,
                        prefix: address.prefix.clone(),
                        values: BTreeMap::new(),
                        watch: None,
                    })
                }
                Err(error) => failures.insert(number, format!("{error:#}")),
            };
        }
        // In the order of the address: what is logged must not look new because of chance.
        let mut failures: Vec<_> = failures.into_values().collect();
        failures.dedup();
        bail!("{}", failures.join("; "))
    }

    /// What there is. `progress` is told how much of it has been read.
    pub async fn elements(&mut self, progress: &mut (dyn FnMut(u64) + Send)) -> Result<Vec<Element<'_>>> {
        if self.watch.is_none() {
            let revision = self.read_all(progress).await?;
            let options = WatchOptions::new()
                .with_prefix()
                .with_start_revision(revision + 1)
                .with_fragment();
            let mut client = self.client.watch_client().max_decoding_message_size(LONGEST_MESSAGE);
            let watch = timeout(PATIENCE, client.watch(&*self.prefix, Some(options)))
                .await
                .context("etcd does not answer")?
                .map_err(readable)?;
            self.watch = Some(watch);
        }
        let elements = self.values.iter().map(|(key, value)| Element {
            text: Ok(Cow::Borrowed(&**value)),
            place: Place::Key(key),
        });
        Ok(elements.collect())
    }

    /// Reads all values as of one revision, which is returned.
    async fn read_all(&mut self, progress: &mut (dyn FnMut(u64) + Send)) -> Result<i64> {
        let mut client = self.client.kv_client().max_decoding_message_size(LONGEST_MESSAGE);
        let mut values = BTreeMap::new();
        let mut revision = None;
        let mut next = self.prefix.clone();
        loop {
            let options = GetOptions::new()
                .with_range(end_of(&self.prefix))
                .with_limit(PAGE)
                .with_revision(revision.unwrap_or_default());
            let mut page = timeout(PATIENCE, client.get(&*next, Some(options)))
                .await
                .context("etcd does not answer")?
                .map_err(readable)?;
            let header = page.header().context("etcd names no revision")?;
            revision = revision.or(Some(header.revision()));
            let has_more = page.more();
            let last = values.len();
            for pair in page.take_kvs() {
                let (key, value) = pair.into_key_value();
                next.clone_from(&key);
                values.insert(key, value);
            }
            ensure!(!has_more || values.len() > last, "etcd repeats itself");
            progress(values.len() as u64);
            if !has_more {
                break;
            }
            // The least key after that one.
            next.push(0);
        }
        self.values = values;
        revision.context("etcd names no revision")
    }

    /// Waits until something has changed. It can be given up at any time without a change being lost.
    pub async fn changed(&mut self) -> Result<()> {
        loop {
            let watch = self.watch.as_mut().context("nothing is watched")?;
            let response = watch.message().await.map_err(readable)?;
            let response = response.context("etcd has ended the watch")?;
            if response.canceled() {
                self.watch = None;
                if response.compact_revision() > 0 {
                    // Some of the changes are no longer there to be told: everything is read anew.
                    return Ok(());
                }
                bail!("etcd has ended the watch: {}", response.cancel_reason());
            }
            let has_changed = !response.events().is_empty();
            for event in response.events() {
                let Some(pair) = event.kv() else { continue };
                match event.event_type() {
                    EventType::Put => {
                        self.values.insert(pair.key().to_vec(), pair.value().to_vec());
                    }
                    EventType::Delete => {
                        self.values.remove(pair.key());
                    }
                }
            }
            if has_changed {
                return Ok(());
            }
        }
    }
}

/// How members are asked.
fn options(address: &EtcdAddress, credentials: &Credentials) -> Result<ConnectOptions> {
    let mut options = ConnectOptions::new()
        .with_connect_timeout(PATIENCE_WITH_MEMBERS)
        .with_keep_alive(KEEP_ALIVE, PATIENCE / 2)
        // A member that has lost the others ends its watches then, instead of being silent.
        .with_require_leader(true);
    match (&address.user, &credentials.password) {
        (Some(user), Some(password)) => options = options.with_user(user, password),
        (Some(user), None) => {
            bail!("there is no password for the user \"{user}\"; say --password-file FILE or set NGINX_CORS_PASSWORD")
        }
        (None, Some(_)) => bail!("there is a password, but the source names no user: etcd://USER@..."),
        (None, None) => {}
    }
    if address.is_encrypted {
        let mut tls = match &credentials.authorities {
            Some(pem) => TlsOptions::new().ca_certificate(Certificate::from_pem(pem)),
            None => TlsOptions::new().with_native_roots(),
        };
        if let Some((certificate, key)) = &credentials.identity {
            tls = tls.identity(Identity::from_pem(certificate, key));
        }
        options = options.with_tls(tls);
    }
    Ok(options)
}

/// Connects to a member, and sees whether it answers for the cluster.
async fn member(endpoint: &str, options: &ConnectOptions, prefix: &[u8]) -> Result<Client> {
    let connecting = async {
        let client = Client::connect([endpoint], Some(options.clone())).await?;
        client.kv_client().get(prefix, None).await?;
        Ok(client)
    };
    timeout(PATIENCE_WITH_MEMBERS, connecting)
        .await
        .context("etcd does not answer; it may have no leader")?
        .map_err(readable)
}

/// What etcd says, or why it cannot be asked, without the layers in between.
fn readable(error: etcd_client::Error) -> Error {
    let etcd_client::Error::GRpcStatus(status) = error else {
        return error.into();
    };
    let mut cause = status.source();
    while let Some(next) = cause.and_then(|cause| cause.source()) {
        cause = Some(next);
    }
    match cause {
        Some(cause) => anyhow!("{}: {cause}", status.message()),
        None => anyhow!("{}", status.message()),
    }
}

/// The least key after all that begin with `prefix`; a zero byte stands for the end of all keys.
fn end_of(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            return end;
        }
    }
    vec![0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_prefix_is_the_least_key_behind_it() {
        assert_eq!(end_of(b"/cors/"), b"/cors0");
        assert_eq!(end_of(b"a\xff\xff"), b"b");
        assert_eq!(end_of(b"\xff"), [0]);
    }
}
