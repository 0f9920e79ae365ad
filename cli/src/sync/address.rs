//! The address of a source: what is to be read, and where. It holds no secrets.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use anyhow::{bail, ensure, Context, Error, Result};
use percent_encoding::percent_decode_str;

/// The address of a source.
#[derive(Clone, Debug)]
pub struct Address {
    /// As it was written.
    text: String,
    /// What it says.
    pub source: SourceAddress,
}

/// The address of a source, by its engine.
#[derive(Clone, Debug)]
pub enum SourceAddress {
    /// `etcd://` and `etcds://`.
    Etcd(EtcdAddress),
    /// `redis://` and `rediss://`.
    Redis(RedisAddress),
    /// `postgres://` and `postgresql://`.
    Postgres(Box<PostgresAddress>),
}

/// The values below a prefix of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EtcdAddress {
    /// Each with its port.
    pub endpoints: Vec<String>,
    /// Whether to speak TLS.
    pub is_encrypted: bool,
    /// Whom to authenticate as.
    pub user: Option<String>,
    /// What the keys begin with.
    pub prefix: Vec<u8>,
}

/// The members of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisAddress {
    /// A name or an IP address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Whether to speak TLS.
    pub is_encrypted: bool,
    /// Whom to authenticate as.
    pub user: Option<String>,
    /// The number of the database.
    pub database: i64,
    /// The key of the set.
    pub set: Vec<u8>,
}

/// The rows of a query.
#[derive(Clone, Debug)]
pub struct PostgresAddress {
    /// Where to connect to.
    pub config: tokio_postgres::Config,
    /// Whether the address says how TLS is to be used.
    pub has_ssl_mode: bool,
    /// What is asked.
    pub query: String,
    /// Where the database tells of changes.
    pub channel: Option<String>,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parts = Parts::of(text)?;
        let source = match parts.scheme {
            "etcd" | "etcds" => SourceAddress::Etcd(EtcdAddress::read(&parts)?),
            "redis" | "rediss" => SourceAddress::Redis(RedisAddress::read(&parts)?),
            "postgres" | "postgresql" => SourceAddress::Postgres(Box::new(PostgresAddress::read(&parts)?)),
            other => bail!("\"{other}://\" is no source; it is etcd://, redis:// or postgres://"),
        };
        Ok(Self {
            text: text.to_owned(),
            source,
        })
    }
}

/// The parts of an address. The `url` crate cannot read several hosts with ports, which etcd and PostgreSQL have.
struct Parts<'t> {
    scheme: &'t str,
    user: Option<String>,
    hosts: &'t str,
    /// What follows the hosts, without its first slash, up to the question mark.
    path: Option<&'t str>,
    query: Option<&'t str>,
}

impl<'t> Parts<'t> {
    fn of(text: &'t str) -> Result<Self> {
        let (scheme, rest) = text
            .split_once("://")
            .context("the source is an address such as etcd://host:2379/prefix/")?;
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query)),
            None => (rest, None),
        };
        let (authority, path) = match rest.split_once('/') {
            Some((authority, path)) => (authority, Some(path)),
            None => (rest, None),
        };
        let (user, hosts) = match authority.rsplit_once('@') {
            Some((user, hosts)) => (Some(user), hosts),
            None => (None, authority),
        };
        ensure!(
            !user.is_some_and(|user| user.contains(':')),
            "the source holds a password, which everyone on this machine can read in the list of processes; take it \
             out, and say --password-file FILE or set NGINX_CORS_PASSWORD"
        );
        Ok(Self {
            scheme,
            user: user.filter(|user| !user.is_empty()).map(decoded).transpose()?,
            hosts,
            path,
            query,
        })
    }

    fn refuse_query(&self) -> Result<()> {
        match self.query {
            Some(query) => bail!("{}:// takes no parameters: leave out \"?{query}\"", self.scheme),
            None => Ok(()),
        }
    }
}

fn decoded(text: &str) -> Result<String> {
    let decoded = percent_decode_str(text).decode_utf8();
    Ok(decoded.with_context(|| format!("\"{text}\" is no UTF-8"))?.into_owned())
}

/// A host and its port.
fn host_and_port(text: &str, default_port: u16) -> Result<(&str, u16)> {
    // The colons within an IPv6 address are no beginning of a port.
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            let port = port.parse().ok().filter(|port| *port > 0);
            (host, port.with_context(|| format!("\"{text}\" has no valid port"))?)
        }
        _ => (text, default_port),
    };
    ensure!(!host.is_empty(), "a host is missing: \"{text}\"");
    Ok((host, port))
}

impl EtcdAddress {
    fn read(parts: &Parts<'_>) -> Result<Self> {
        const PORT: u16 = 2379;
        parts.refuse_query()?;
        let endpoints = parts.hosts.split(',').map(|host| {
            let (host, port) = host_and_port(host, PORT)?;
            Ok(format!("{host}:{port}"))
        });
        let path = parts.path.unwrap_or_default();
        ensure!(
            !path.is_empty(),
            "the prefix of the keys is missing; write it behind the host, for example {}://{}/cors/tenants/",
            parts.scheme,
            parts.hosts
        );
        // Keys begin with a slash by custom, and so does a prefix here; a second one stands for none.
        let prefix: Vec<u8> = percent_decode_str(path).collect();
        let prefix = match prefix.strip_prefix(b"/") {
            Some(without) if !without.is_empty() => without.to_vec(),
            Some(_) => bail!("the prefix of the keys is missing behind \"//\""),
            None => [b"/", &*prefix].concat(),
        };
        Ok(Self {
            endpoints: endpoints.collect::<Result<_>>()?,
            is_encrypted: parts.scheme == "etcds",
            user: parts.user.clone(),
            prefix,
        })
    }
}

impl RedisAddress {
    fn read(parts: &Parts<'_>) -> Result<Self> {
        const PORT: u16 = 6379;
        parts.refuse_query()?;
        let (host, port) = host_and_port(parts.hosts, PORT)?;
        let place = parts.path.and_then(|path| path.split_once('/'));
        let (database, set) = place.filter(|(_, set)| !set.is_empty()).with_context(|| {
            format!(
                "the number of the database and the name of the set are missing; write them behind the host, for \
                 example {}://{}/0/tenants",
                parts.scheme, parts.hosts
            )
        })?;
        Ok(Self {
            // The brackets of an IPv6 address belong to the address of the source.
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port,
            is_encrypted: parts.scheme == "rediss",
            user: parts.user.clone(),
            database: database
                .parse()
                .ok()
                .filter(|number| *number >= 0)
                .with_context(|| format!("\"{database}\" is no number of a database"))?,
            set: percent_decode_str(set).collect(),
        })
    }
}

impl PostgresAddress {
    fn read(parts: &Parts<'_>) -> Result<Self> {
        let (mut query, mut channel, mut has_ssl_mode) = (None, None, false);
        let mut others = form_urlencoded::Serializer::new(String::new());
        for (name, value) in form_urlencoded::parse(parts.query.unwrap_or_default().as_bytes()) {
            match &*name {
                "query" => query = Some(value.into_owned()),
                "channel" => channel = Some(value.into_owned()),
                "password" => bail!(
                    "the source holds a password, which everyone on this machine can read in the list of processes; \
                     take it out, and say --password-file FILE or set NGINX_CORS_PASSWORD"
                ),
                "sslmode" => {
                    has_ssl_mode = true;
                    // The client checks certificates and names whenever it speaks TLS.
                    let value = match &*value {
                        "verify-ca" | "verify-full" => Cow::Borrowed("require"),
                        _ => value,
                    };
                    others.append_pair(&name, &value);
                }
                _ => {
                    others.append_pair(&name, &value);
                }
            }
        }
        let query = query.filter(|query| !query.trim().is_empty()).with_context(|| {
            format!(
                "the query is missing; write it behind the database, for example \
                 postgres://{}/{}?query=SELECT+origin+FROM+customers",
                parts.hosts,
                parts.path.unwrap_or("database")
            )
        })?;
        let text = format!(
            "postgresql://{}/{}?{}",
            parts.hosts,
            parts.path.unwrap_or_default(),
            // The client decodes percent signs, and leaves a plus as it is.
            others.finish().replace('+', "%20")
        );
        let mut config: tokio_postgres::Config = text.parse().context("the source cannot be read")?;
        if let Some(user) = &parts.user {
            config.user(user);
        }
        Ok(Self {
            config,
            has_ssl_mode,
            query,
            channel: channel.filter(|channel| !channel.is_empty()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn etcd(text: &str) -> EtcdAddress {
        match text.parse::<Address>().unwrap().source {
            SourceAddress::Etcd(etcd) => etcd,
            other => panic!("{other:?}"),
        }
    }

    fn redis(text: &str) -> RedisAddress {
        match text.parse::<Address>().unwrap().source {
            SourceAddress::Redis(redis) => redis,
            other => panic!("{other:?}"),
        }
    }

    fn postgres(text: &str) -> PostgresAddress {
        match text.parse::<Address>().unwrap().source {
            SourceAddress::Postgres(postgres) => *postgres,
            other => panic!("{other:?}"),
        }
    }

    fn error(text: &str) -> String {
        format!("{:#}", text.parse::<Address>().unwrap_err())
    }

    #[test]
    fn etcd_may_have_several_hosts() {
        let read = etcd("etcds://reader@a.example:2379,b.example,[::1]:4001/cors/tenants/");
        assert_eq!(read.endpoints, ["a.example:2379", "b.example:2379", "[::1]:4001"]);
        assert_eq!((read.is_encrypted, read.user.as_deref()), (true, Some("reader")));
        assert_eq!(read.prefix, b"/cors/tenants/");
    }

    #[test]
    fn a_prefix_in_etcd_begins_with_a_slash_unless_two_are_written() {
        assert_eq!(etcd("etcd://a/cors%20/").prefix, b"/cors /");
        assert_eq!(etcd("etcd://a//cors/").prefix, b"cors/");
    }

    #[test]
    fn all_of_etcd_is_no_list() {
        for text in ["etcd://a", "etcd://a/", "etcd://a//"] {
            assert!(error(text).contains("prefix of the keys is missing"), "{text}");
        }
    }

    #[test]
    fn redis_has_a_database_and_a_set() {
        let read = redis("rediss://reader@[::1]/2/cors:tenants/eu");
        assert_eq!((&*read.host, read.port, read.database), ("::1", 6379, 2));
        assert_eq!(read.set, b"cors:tenants/eu");
        assert!(error("redis://a/0").contains("for example redis://a/0/tenants"));
        assert!(error("redis://a/x/tenants").contains("\"x\" is no number"));
    }

    #[test]
    fn postgres_has_a_query_beside_its_own_parameters() {
        let read = postgres(
            "postgres://reader@a:5433,b/shop?sslmode=verify-full&query=SELECT+origin%20FROM+c&channel=origins&application_name=a+b",
        );
        assert_eq!(read.query, "SELECT origin FROM c");
        assert_eq!(read.channel.as_deref(), Some("origins"));
        assert_eq!(read.config.get_dbname(), Some("shop"));
        assert_eq!(read.config.get_user(), Some("reader"));
        assert_eq!(read.config.get_ports(), [5433, 5432]);
        assert_eq!(read.config.get_application_name(), Some("a b"));
        assert_eq!(read.config.get_ssl_mode(), tokio_postgres::config::SslMode::Require);
        assert!(error("postgres://a/shop").contains("postgres://a/shop?query="));
    }

    #[test]
    fn a_password_in_the_address_is_refused_and_not_repeated() {
        for text in [
            "redis://:secret@a/0/tenants",
            "etcd://reader:secret@a/cors/",
            "postgres://reader:secret@a/shop?query=TABLE+c",
            "postgres://a/shop?query=TABLE+c&password=secret",
        ] {
            let error = error(text);
            assert!(error.contains("--password-file"), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn an_unknown_engine_is_told_which_there_are() {
        assert!(error("mysql://a/b").contains("etcd://, redis:// or postgres://"));
        assert!(error("tenants").contains("an address such as"));
        assert!(error("redis://a:port/0/b").contains("no valid port"));
    }
}
