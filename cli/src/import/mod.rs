//! From the objects of Kubernetes and the files of other gateways to the directives of the module.
//!
//! `files` finds the documents, `yaml` and `toml` read them as trees of `node`. Each product has a file that finds its CORS
//! settings and the routes that they are for. What a setting means is said in `terms`, which makes the policy and leaves out
//! what is wrong or dangerous; `write` puts the policies into `server` and `location` blocks, and
//! `snippets` into objects of the controllers of nginx.

mod apisix;
mod f5_nic;
mod fault;
mod files;
mod gateway_api;
mod ingress_nginx;
mod kong;
mod node;
mod routes;
mod snippets;
mod terms;
mod toml;
mod traefik;
mod write;
mod yaml;

use std::path::PathBuf;

use anyhow::{bail, Result};

pub use self::files::is_ours;
pub use self::routes::Imported;
pub use self::snippets::Snippets;

/// What is told where there is none of them.
const KINDS: &str =
    "no Ingress, HTTPRoute, middleware of Traefik, Policy with CORS of F5's controller, plugin of Kong or route of APISIX";

/// Reads files and directories, and makes policies of what they say of CORS.
pub fn import(paths: &[PathBuf]) -> Result<Imported> {
    let documents = files::read(paths)?;
    let mut imported = Imported::default();
    let readers = [
        ingress_nginx::read,
        gateway_api::read,
        traefik::read,
        f5_nic::read,
        kong::read,
        apisix::read,
    ];
    let is_known = readers.map(|read| read(&documents, &mut imported));
    if !is_known.contains(&true) {
        bail!("{KINDS} is in it");
    }
    Ok(imported)
}
