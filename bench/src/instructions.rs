//! Instructions per request, of one nginx and this module.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::callgrind::Count;
use crate::nginx::{Build, Start};
use crate::scenario::{Ceiling, Headers, Origins, Scenario};

pub struct Measured {
    pub scenario: &'static Scenario,
    pub ceiling: i64,
    pub added: i64,
}

impl Measured {
    pub fn is_over(&self) -> bool {
        self.added > self.scenario.limit
    }
}

/// The lines of `origins.conf`.
fn origins(origins: Origins) -> String {
    origins
        .iter()
        .map(|origin| format!("cors_allow_origin {origin};\n"))
        .collect()
}

/// Measures each scenario and its ceiling, and tells about each as soon as it is known.
pub fn measure(
    build: &Build,
    scenarios: &[&'static Scenario],
    requests: usize,
    keep: Option<PathBuf>,
    mut tell: impl FnMut(&Measured),
) -> Result<Vec<Measured>> {
    let application = Start {
        build,
        file: "application/nginx.conf",
        origins: String::new(),
        application: 0,
        directives: String::new(),
        wrapper: Vec::new(),
    }
    .start()?;
    let mut all = Vec::new();
    for scenario in scenarios {
        let count = |file, origins, directives, keep| Count {
            build,
            file,
            origins,
            application: application.port,
            directives,
            requests,
            keep,
        };
        let place = |side: &str| keep.as_ref().map(|keep| keep.join(scenario.name).join(side));
        let ceiling = match scenario.ceiling {
            Ceiling::Return204 => "return-204/nginx.conf",
            Ceiling::NoCors => "none/nginx.conf",
        };
        let (file, directives) = match scenario.headers {
            Headers::Two => ("cors/nginx.conf", ""),
            Headers::Echoed => ("cors/echo.conf", ""),
            Headers::NoPolicy => ("none/nginx.conf", "load_module modules/ngx_http_cors_module.so;"),
        };
        let request = scenario.request();
        let ceiling = count(ceiling, String::new(), "", place("ceiling"))
            .run(&request, |response| scenario.ceiling_faults(response))
            .with_context(|| format!("the ceiling of {}", scenario.name))?;
        let subject = count(file, origins(scenario.origins), directives, place("module"))
            .run(&request, |response| scenario.faults(response))
            .with_context(|| scenario.name)?;
        let measured = Measured {
            scenario,
            ceiling,
            added: subject - ceiling,
        };
        tell(&measured);
        all.push(measured);
    }
    application.stop()?;
    Ok(all)
}
