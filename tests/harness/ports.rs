//! Loopback ports that the kernel picks.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};

/// A port for somebody else, who is about to bind it.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("a bound address").port()
}

/// Ports by the names that a configuration gives them.
///
/// A port stays occupied from the moment it is picked until nginx is about to bind it, so that tests
/// which run side by side are not handed the same one.
#[derive(Default)]
pub(crate) struct Ports {
    picked: BTreeMap<String, u16>,
    given: BTreeMap<String, u16>,
    held: Vec<TcpListener>,
}

impl Ports {
    /// The port called `name`, picked now if it is new.
    pub(crate) fn pick(&mut self, name: &str) -> u16 {
        if let Some(port) = self.get(name) {
            return port;
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("a bound address").port();
        self.held.push(listener);
        self.picked.insert(name.to_owned(), port);
        port
    }

    /// Gives `name` to a port that somebody else listens on.
    pub(crate) fn insert(&mut self, name: &str, port: u16) {
        self.given.insert(name.to_owned(), port);
    }

    pub(crate) fn get(&self, name: &str) -> Option<u16> {
        self.given.get(name).or(self.picked.get(name)).copied()
    }

    /// Makes way for nginx.
    pub(crate) fn release(&mut self) {
        self.held.clear();
    }

    /// Forgets the picked ports, after somebody else was faster.
    pub(crate) fn pick_anew(&mut self) {
        self.picked.clear();
    }
}
