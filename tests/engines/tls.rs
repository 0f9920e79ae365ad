//! Certificates of an authority that the test makes.

use std::fs;
use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;

use crate::process::directory;

/// An authority, and what it has signed, as files in PEM.
pub struct Certificates {
    directory: TempDir,
}

impl Certificates {
    /// Makes an authority, a certificate of a server at 127.0.0.1 and one of a client.
    pub fn make() -> Self {
        let certificates = Self { directory: directory() };
        let mut params = CertificateParams::new([]).expect("no names");
        // One that is called as what it signs would look as if it had signed itself.
        params.distinguished_name.push(DnType::CommonName, "authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, key()).expect("an authority");
        certificates.write("ca.pem", &authority.pem());
        for (name, host) in [("server", "127.0.0.1"), ("client", "client.example")] {
            let key = key();
            let mut params = CertificateParams::new([host.to_owned()]).expect("a name");
            params.distinguished_name.push(DnType::CommonName, name);
            let certificate = params.signed_by(&key, &authority).expect("a certificate");
            certificates.write(&format!("{name}.pem"), &certificate.pem());
            certificates.write(&format!("{name}.key"), &key.serialize_pem());
        }
        certificates
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a new file");
    }

    /// `ca.pem`, `server.pem`, `server.key`, `client.pem`, `client.key`.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The arguments that have `nginx-cors sync` use them.
    pub fn arguments(&self) -> Vec<String> {
        let path = |name: &str| self.path(name).display().to_string();
        vec![
            "--ca".to_owned(),
            path("ca.pem"),
            "--cert".to_owned(),
            path("client.pem"),
            "--cert-key".to_owned(),
            path("client.key"),
        ]
    }
}

fn key() -> KeyPair {
    KeyPair::generate().expect("a key")
}
