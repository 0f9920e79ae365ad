//! What a source wants to see before it answers, and how it is known to be the right one.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{ensure, Context, Result};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

/// Where the password is, other than in a file.
const PASSWORD_VARIABLE: &str = "NGINX_CORS_PASSWORD";

/// The arguments about TLS and the password.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Authentication and TLS")]
pub struct CredentialArguments {
    /// The file that holds the password. NGINX_CORS_PASSWORD in the environment serves as well.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// The authorities that may sign the certificate of the source; else those of the system.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The certificate of this client, with those that it is signed by.
    #[arg(long, value_name = "FILE", requires = "cert_key")]
    cert: Option<PathBuf>,
    /// The key of that certificate.
    #[arg(long, value_name = "FILE", requires = "cert")]
    cert_key: Option<PathBuf>,
}

/// The contents of the files, in PEM.
pub struct Credentials {
    /// Of the user in the address.
    pub password: Option<String>,
    /// The authorities that may sign the certificate of the source.
    pub authorities: Option<Vec<u8>>,
    /// The certificate of this client, and its key.
    pub identity: Option<(Vec<u8>, Vec<u8>)>,
}

impl CredentialArguments {
    /// Whether something here is about TLS.
    pub fn are_about_tls(&self) -> bool {
        self.ca.is_some() || self.cert.is_some()
    }

    /// Reads the files, which may have been replaced since.
    pub fn read(&self) -> Result<Credentials> {
        let password = match &self.password_file {
            Some(file) => {
                let text = String::from_utf8(read(file)?).with_context(|| format!("{} is no UTF-8", file.display()))?;
                let password = text.lines().next().unwrap_or_default();
                ensure!(!password.is_empty(), "{} holds no password", file.display());
                Some(password.to_owned())
            }
            None => env::var(PASSWORD_VARIABLE).ok().filter(|password| !password.is_empty()),
        };
        let identity = match (&self.cert, &self.cert_key) {
            (Some(certificate), Some(key)) => Some((read(certificate)?, read(key)?)),
            _ => None,
        };
        Ok(Credentials {
            password,
            authorities: self.ca.as_deref().map(read).transpose()?,
            identity,
        })
    }
}

fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("{} cannot be read", file.display()))
}

impl Credentials {
    /// The settings of a client that speaks TLS.
    pub fn tls(&self) -> Result<ClientConfig> {
        let mut roots = RootCertStore::empty();
        match &self.authorities {
            Some(pem) => {
                for certificate in CertificateDer::pem_slice_iter(pem) {
                    roots
                        .add(certificate.context("--ca is no PEM")?)
                        .context("--ca holds something that is no authority")?;
                }
                ensure!(!roots.is_empty(), "--ca holds no certificate in PEM");
            }
            // A system may hold some that cannot be used; what is signed by them is refused.
            None => {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots);
        Ok(match &self.identity {
            Some((certificates, key)) => config
                .with_client_auth_cert(
                    CertificateDer::pem_slice_iter(certificates)
                        .collect::<Result<_, _>>()
                        .context("--cert is no PEM")?,
                    PrivateKeyDer::from_pem_slice(key).context("--cert-key is no PEM")?,
                )
                .context("--cert and --cert-key do not fit")?,
            None => config.with_no_client_auth(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_password_file(content: &str) -> Result<Credentials> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), content).unwrap();
        let arguments = CredentialArguments {
            password_file: Some(file.path().to_owned()),
            ..CredentialArguments::default()
        };
        arguments.read()
    }

    #[test]
    fn the_password_is_the_first_line_of_its_file() {
        let credentials = with_password_file("a b \n").unwrap();
        assert_eq!(credentials.password.as_deref(), Some("a b "));
    }

    #[test]
    fn an_empty_password_file_is_an_error() {
        let error = with_password_file("\n").err().unwrap();
        assert!(error.to_string().ends_with("holds no password"), "{error}");
    }

    #[test]
    fn authorities_that_are_none_are_told() {
        let credentials = Credentials {
            password: None,
            authorities: Some(b"no PEM".to_vec()),
            identity: None,
        };
        assert_eq!(
            credentials.tls().unwrap_err().to_string(),
            "--ca holds no certificate in PEM"
        );
    }
}
