//! The directory that one nginx lives in.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;

use crate::config::{CERTIFICATE, CERTIFICATE_KEY, CLIENT_AUTHORITY, CLIENT_KEY};
use crate::tls;

/// A temporary directory in the shape of an nginx prefix. It goes away with the test, unless
/// the test failed.
pub(crate) struct Prefix {
    directory: TempDir,
    config: PathBuf,
}

impl Prefix {
    /// `config` is where the configuration file goes, below the prefix.
    pub(crate) fn new(module: &Path, config: &Path) -> Self {
        let directory = tempfile::Builder::new()
            .prefix("cors-tests-")
            .tempdir()
            .expect("a temporary directory");
        let prefix = Self {
            config: directory.path().join(config),
            directory,
        };
        for name in ["logs", "modules", "temp"] {
            fs::create_dir(prefix.path(name)).expect("a new directory");
        }
        symlink(module, prefix.path("modules/ngx_http_cors_module.so")).expect("a new link");
        prefix
    }

    /// Makes another file of the module. The linker takes a link for the file that it is.
    pub(crate) fn copy_module(&self, name: &str) {
        fs::copy(self.path("modules/ngx_http_cors_module.so"), self.path(name)).expect("a new file");
    }

    pub(crate) fn root(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    pub(crate) fn config(&self) -> &Path {
        &self.config
    }

    pub(crate) fn write(&self, name: &str, content: &[u8]) {
        write(&self.path(name), content);
    }

    /// Makes a certificate and its key beside the configuration, which names the first, and perhaps both.
    fn write_pair(&self, certificate: &str, key: &str) {
        let made = tls::certificate();
        write(&self.config.with_file_name(certificate), made.cert.pem().as_bytes());
        write(
            &self.config.with_file_name(key),
            made.signing_key.serialize_pem().as_bytes(),
        );
    }

    /// Of the server.
    pub(crate) fn write_certificate(&self) {
        self.write_pair(CERTIFICATE, CERTIFICATE_KEY);
    }

    /// Of a client. It is signed by itself, and so its own authority.
    pub(crate) fn write_client_certificate(&self) {
        self.write_pair(CLIENT_AUTHORITY, CLIENT_KEY);
    }

    pub(crate) fn certificate(&self) -> CertificateDer<'static> {
        let file = self.config.with_file_name(CERTIFICATE);
        CertificateDer::from_pem_file(file).expect("a certificate")
    }

    pub(crate) fn client_certificate(&self) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let beside = |name| self.config.with_file_name(name);
        (
            CertificateDer::from_pem_file(beside(CLIENT_AUTHORITY)).expect("a certificate"),
            PrivateKeyDer::from_pem_file(beside(CLIENT_KEY)).expect("a key"),
        )
    }

    pub(crate) fn write_config(&self, text: &str) {
        write(&self.config, text.as_bytes());
    }

    /// Makes the neighbours of a user's configuration file reachable under the prefix.
    pub(crate) fn link_neighbours(&self, file: &Path) {
        let directory = file.parent().expect("a file in a directory");
        for entry in fs::read_dir(directory).expect("a readable directory") {
            let entry = entry.expect("a readable directory").path();
            let here = self.path(&entry.file_name().unwrap_or_default().to_string_lossy());
            if entry != file && !here.exists() {
                symlink(entry, here).expect("a new link");
            }
        }
    }

    pub(crate) fn error_log(&self) -> String {
        self.read("logs/error.log")
    }

    /// What nginx said before it had a log.
    pub(crate) fn console(&self) -> String {
        self.read("logs/console")
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read(self.path(name))
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// Leaves the directory for whoever looks into the failure.
    pub(crate) fn keep(&mut self) {
        self.directory.disable_cleanup(true);
    }
}

fn write(path: &Path, content: &[u8]) {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).expect("the file's directory");
    }
    fs::write(path, content).expect("a writable prefix");
}
