//! A connection to a source, whatever engine it has.

use std::time::Duration;

use anyhow::{bail, Error, Result};

use super::address::{Address, SourceAddress};
use super::credentials::CredentialArguments;
use super::elements::Element;
use super::etcd_prefix::EtcdPrefix;
use super::postgres_query::PostgresQuery;
use super::redis_set::RedisSet;

/// How often a source is read where it does not tell of changes.
const OFTEN: Duration = Duration::from_secs(10);
/// How often a source is read that does: there are changes that no trigger sees.
const RARELY: Duration = Duration::from_secs(600);

/// A source that is connected.
pub enum Source {
    Etcd(Box<EtcdPrefix>),
    Redis(Box<RedisSet>),
    Postgres(Box<PostgresQuery>),
}

impl Source {
    /// Connects to a source.
    pub async fn connect(
        address: &Address,
        credentials: &CredentialArguments,
        has_keys: bool,
        every: Option<Duration>,
    ) -> Result<Self> {
        let reading = |is_told: bool| every.unwrap_or(if is_told { RARELY } else { OFTEN });
        let wants_tls = credentials.are_about_tls();
        let credentials = credentials.read()?;
        match &address.source {
            SourceAddress::Etcd(etcd) => {
                refuse_unused_tls(wants_tls, etcd.is_encrypted, "etcds://")?;
                Ok(Self::Etcd(Box::new(EtcdPrefix::connect(etcd, &credentials).await?)))
            }
            SourceAddress::Redis(redis) => {
                refuse_unused_tls(wants_tls, redis.is_encrypted, "rediss://")?;
                Ok(Self::Redis(Box::new(
                    RedisSet::connect(redis, &credentials, reading).await?,
                )))
            }
            SourceAddress::Postgres(postgres) => {
                let reading = reading(postgres.channel.is_some());
                let query = PostgresQuery::connect(postgres, &credentials, has_keys, reading, wants_tls).await?;
                Ok(Self::Postgres(Box::new(query)))
            }
        }
    }

    /// What there is to say of the source once it is connected.
    pub fn remark(&self) -> Option<String> {
        match self {
            Self::Redis(redis) => redis.not_told.as_ref().map(|reason| {
                format!(
                    "the server does not tell of changes ({reason}): the set is read from time to time, see --every; \
                     to be told, permit the command: ACL SETUSER ... +client|tracking"
                )
            }),
            _ => None,
        }
    }

    /// What there is. `progress` is told how much of it has been read.
    pub async fn elements(&mut self, progress: &mut (dyn FnMut(u64) + Send)) -> Result<Vec<Element<'_>>> {
        match self {
            Self::Etcd(etcd) => etcd.elements(progress).await,
            Self::Redis(redis) => redis.elements().await,
            Self::Postgres(postgres) => postgres.elements(progress).await,
        }
    }

    /// Waits until something may have changed. It can be given up at any time without a change being lost.
    pub async fn changed(&mut self) -> Result<()> {
        match self {
            Self::Etcd(etcd) => etcd.changed().await,
            Self::Redis(redis) => redis.changed().await,
            Self::Postgres(postgres) => postgres.changed().await,
        }
    }
}

fn refuse_unused_tls(wants_tls: bool, is_encrypted: bool, scheme: &str) -> Result<()> {
    if wants_tls && !is_encrypted {
        bail!("--ca and --cert are for TLS, which this source is not asked for; begin it with {scheme}");
    }
    Ok(())
}

/// What went wrong with a source, and what to do about it where that can be known.
pub fn explained(error: &Error) -> String {
    const AUTHORITY: &str = "its certificate is signed by nobody who is trusted; name its authority: --ca FILE";
    const NAME: &str = "its certificate is for another name; connect to a name that it is for";
    const CERTIFICATE: &str = "it wants to see a certificate: --cert FILE --cert-key FILE";
    const NO_PASSWORD: &str = "it wants a password: --password-file FILE or NGINX_CORS_PASSWORD";
    const PASSWORD: &str = "the user or the password is wrong; see --password-file and NGINX_CORS_PASSWORD";
    /// What engines and clients write, and the remedy.
    const REMEDIES: [(&str, &str); 7] = [
        ("UnknownIssuer", AUTHORITY),
        ("NotValidForName", NAME),
        ("CertificateRequired", CERTIFICATE),
        ("NOAUTH", NO_PASSWORD),
        ("password missing", NO_PASSWORD),
        ("WRONGPASS", PASSWORD),
        ("authentication failed", PASSWORD),
    ];
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        // Many repeat what they are caused by.
        if !text.contains(&cause) {
            let separator = if text.is_empty() { "" } else { ": " };
            text = text + separator + &cause;
        }
    }
    match REMEDIES.iter().find(|(sign, _)| text.contains(sign)) {
        Some((_, remedy)) => format!("{text}; {remedy}"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_causes_repeat_is_told_once() {
        let error = Error::msg("alert")
            .context("alert")
            .context("no connection: alert")
            .context("asked");
        assert_eq!(explained(&error), "asked: no connection: alert");
    }

    #[test]
    fn a_remedy_is_told_where_there_is_one() {
        let error = Error::msg("received fatal alert: CertificateRequired");
        assert!(explained(&error).ends_with("; it wants to see a certificate: --cert FILE --cert-key FILE"));
    }
}
