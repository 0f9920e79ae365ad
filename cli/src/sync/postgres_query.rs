//! PostgreSQL: the rows of a query.

use std::borrow::Cow;
use std::pin::pin;
use std::time::Duration;

use anyhow::{bail, ensure, Context, Result};
use futures_util::future::poll_fn;
use futures_util::TryStreamExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::time::{interval_at, timeout, Instant, Interval, MissedTickBehavior};
use tokio_postgres::config::SslMode;
use tokio_postgres::{AsyncMessage, Client, Connection, SimpleQueryMessage, SimpleQueryRow};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::PostgresAddress;
use super::credentials::Credentials;
use super::elements::{Element, Place};

/// A server that does not accept a connection in this time is not there.
const PATIENCE: Duration = Duration::from_secs(5);
/// A query may take this time.
const PATIENCE_WITH_QUERIES: Duration = Duration::from_secs(60);

/// A connection to a database.
pub struct PostgresQuery {
    client: Client,
    query: String,
    has_keys: bool,
    heard: mpsc::UnboundedReceiver<Heard>,
    next_reading: Interval,
}

/// What the database says without being asked.
enum Heard {
    /// Somebody has used `NOTIFY`.
    Change,
    /// Why the connection is closed.
    End(String),
}

impl PostgresQuery {
    /// Connects, and listens to the channel if there is one; the rows are read later, so that no change is missed
    /// between the two.
    pub async fn connect(
        address: &PostgresAddress,
        credentials: &Credentials,
        has_keys: bool,
        reading: Duration,
        wants_tls: bool,
    ) -> Result<Self> {
        let mut config = address.config.clone();
        config
            .connect_timeout(PATIENCE)
            .keepalives_idle(PATIENCE)
            .keepalives_interval(PATIENCE / 2)
            .keepalives_retries(3);
        if let Some(password) = &credentials.password {
            config.password(password);
        }
        if config.get_application_name().is_none() {
            config.application_name("nginx-cors sync");
        }
        if wants_tls && !address.has_ssl_mode {
            config.ssl_mode(SslMode::Require);
        }
        let tls = MakeRustlsConnect::new(credentials.tls()?);
        let connecting = timeout(PATIENCE * 2, config.connect(tls)).await;
        let (client, connection) = connecting.context("the server does not answer")??;
        let (sender, heard) = mpsc::unbounded_channel();
        tokio::spawn(listen(connection, sender));
        if let Some(channel) = &address.channel {
            let listen = format!("LISTEN \"{}\"", channel.replace('"', "\"\""));
            timeout(PATIENCE, client.batch_execute(&listen))
                .await
                .context("the server does not answer")?
                .with_context(|| format!("nobody can listen to \"{channel}\""))?;
        }
        let mut next_reading = interval_at(Instant::now() + reading, reading);
        next_reading.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self {
            client,
            query: address.query.clone(),
            has_keys,
            heard,
            next_reading,
        })
    }

    /// What there is. `progress` is told how much of it has been read.
    pub async fn elements(&mut self, progress: &mut (dyn FnMut(u64) + Send)) -> Result<Vec<Element<'static>>> {
        self.next_reading.reset();
        let reading = read(&self.client, &self.query, self.has_keys, progress);
        timeout(PATIENCE_WITH_QUERIES, reading)
            .await
            .with_context(|| format!("the query takes longer than {} s", PATIENCE_WITH_QUERIES.as_secs()))?
    }

    /// Waits until something may have changed. It can be given up at any time without a change being lost.
    pub async fn changed(&mut self) -> Result<()> {
        tokio::select! {
            heard = self.heard.recv() => match heard {
                Some(Heard::Change) => Ok(()),
                Some(Heard::End(reason)) => bail!("{reason}"),
                None => bail!("the connection is closed"),
            },
            _ = self.next_reading.tick() => Ok(()),
        }
    }
}

/// Keeps the connection going, and passes on what is heard.
async fn listen<S, T>(mut connection: Connection<S, T>, sender: mpsc::UnboundedSender<Heard>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        let heard = match poll_fn(|context| connection.poll_message(context)).await {
            Some(Ok(AsyncMessage::Notification(_))) => Heard::Change,
            Some(Ok(_)) => continue,
            Some(Err(error)) => Heard::End(format!("{:#}", anyhow::Error::new(error))),
            None => Heard::End("the server has closed the connection".to_owned()),
        };
        let is_end = matches!(heard, Heard::End(_));
        // Without a receiver the client is gone, and the connection ends by itself.
        let _ = sender.send(heard);
        if is_end {
            return;
        }
    }
}

/// Asks in the simple protocol, in which every type comes as text.
async fn read(
    client: &Client,
    query: &str,
    has_keys: bool,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<Vec<Element<'static>>> {
    const TOLD: u64 = 10_000;
    let mut elements = Vec::new();
    let mut messages = pin!(client.simple_query_raw(query).await.context("the query fails")?);
    let mut number = 0;
    while let Some(message) = messages.try_next().await.context("the query fails")? {
        match message {
            SimpleQueryMessage::RowDescription(columns) => ensure!(
                columns.len() == 1 || columns.len() == 2 && has_keys,
                "the query gives {} columns; it has to give one, the lines of the file{}",
                columns.len(),
                if has_keys {
                    ", or two, keys and origins"
                } else {
                    "; with --key it may give two, keys and origins"
                }
            ),
            SimpleQueryMessage::Row(row) => {
                number += 1;
                if let Some(text) = text(&row) {
                    elements.push(Element {
                        text: text.map(|text| Cow::Owned(text.into_bytes())),
                        place: Place::Row(number),
                    });
                }
                if number % TOLD == 0 {
                    progress(number);
                }
            }
            _ => {}
        }
    }
    Ok(elements)
}

/// The line of a row, or why it can be none; nothing where one of its values is NULL.
fn text(row: &SimpleQueryRow) -> Option<Result<String, String>> {
    let first = row.get(0)?;
    match row.len() {
        1 => Some(Ok(first.to_owned())),
        _ => Some(line(first, row.get(1)?)),
    }
}

/// A line that begins with a key.
fn line(key: &str, origins: &str) -> Result<String, String> {
    // A key of two words would be another key and an origin; one with this sign would be a comment.
    if key.is_empty() || key.starts_with('#') || key.contains(char::is_whitespace) {
        return Err(format!(
            "the key \"{}\" is no word: it may hold no space, and not begin with #",
            key.escape_debug()
        ));
    }
    Ok(format!("{key} {origins}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_and_its_origins_make_a_line() {
        assert_eq!(
            line("acme", "https://a.example https://b.example").unwrap(),
            "acme https://a.example https://b.example"
        );
    }

    #[test]
    fn a_key_that_would_stand_for_another_is_refused() {
        for key in ["", "acme https://evil.example", "#acme", "acme\nglobex", "a\u{a0}b"] {
            let error = line(key, "https://a.example").unwrap_err();
            assert!(error.contains("is no word"), "{error}");
        }
    }
}
