//! TLS, with certificates that are made for the test.

use std::net::{Ipv4Addr, TcpStream};
use std::sync::Arc;

use rcgen::{generate_simple_self_signed, CertifiedKey, KeyPair};
use rustls::client::WantsClientCert;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, ConfigBuilder, RootCertStore, StreamOwned, SupportedProtocolVersion};

use crate::connection::Connection;

/// A certificate for `localhost`, and its key.
pub(crate) fn certificate() -> CertifiedKey<KeyPair> {
    generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate")
}

/// A client that speaks these versions, and takes this certificate of a server.
pub(crate) fn trusting(
    certificate: &CertificateDer<'static>,
    versions: &[&'static SupportedProtocolVersion],
) -> ConfigBuilder<ClientConfig, WantsClientCert> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).expect("a certificate");
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(versions)
        .expect("versions of TLS that there are")
        .with_root_certificates(roots)
}

/// A connection to a server that has `certificate`, by a client that may have one of its own.
pub(crate) fn connect(
    port: u16,
    certificate: &CertificateDer<'static>,
    client: Option<(CertificateDer<'static>, PrivateKeyDer<'static>)>,
) -> Connection {
    let config = trusting(certificate, rustls::DEFAULT_VERSIONS);
    let config = match client {
        Some((certificate, key)) => config
            .with_client_auth_cert(vec![certificate], key)
            .expect("a key that fits"),
        None => config.with_no_client_auth(),
    };
    let name = ServerName::try_from("localhost").expect("a name");
    let session = ClientConnection::new(Arc::new(config), name).expect("a client");
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("a listening port");
    Connection::over(stream, |stream| Box::new(StreamOwned::new(session, stream)))
}
