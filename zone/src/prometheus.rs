//! The text format of Prometheus.
//!
//! Denied origins are no labels: whoever sends them would choose which time series there are, and each would stay in
//! the database. They are in the JSON.
//!
//! Counters that are 0 are left out: most of the rows of a policy are, and thousands of policies have many. A row of
//! `nginx_cors_policy_info` says that there is a policy.

use std::fmt::Write as _;

use crate::counters::{outcomes, RequestKind};
use crate::report::{name, List, Policy, Report};

impl Report<'_> {
    /// The counters, by server and location.
    pub fn to_prometheus(&self) -> Vec<u8> {
        let mut text = Text {
            zone: escape(self.zone.name),
            text: String::new(),
        };
        text.family(
            "nginx_cors_requests_total",
            "counter",
            "Requests under a policy, by how they ended, as $cors_result has it; none that are 0.",
        );
        for policy in &self.policies {
            for kind in RequestKind::ALL {
                let kind_name = match kind {
                    RequestKind::Actual => "actual",
                    RequestKind::Preflight => "preflight",
                };
                for outcome in outcomes(kind) {
                    let value = policy.totals.requests(kind, outcome);
                    if value > 0 {
                        let labels = format!(",type=\"{kind_name}\",result=\"{}\"", name(outcome));
                        text.sample("nginx_cors_requests_total", policy, &labels, value);
                    }
                }
            }
        }
        type Read = fn(&Policy<'_>) -> u64;
        let others: [(&str, &str, Read); 5] = [
            (
                "nginx_cors_preflights_answered_total",
                "Preflights that the module answered itself, with the headers that allow the request or with 403.",
                |policy| policy.totals.answered,
            ),
            (
                "nginx_cors_enforced_denials_total",
                "Requests other than preflights that cors_enforce blocked.",
                |policy| policy.totals.enforced,
            ),
            (
                "nginx_cors_dry_run_denials_total",
                "Denials under cors_dry_run, which changed no response.",
                |policy| policy.totals.dry_run,
            ),
            (
                "nginx_cors_candidate_gains_total",
                "Requests that cors_candidate would treat better than the policy in force.",
                |policy| policy.totals.candidate_gains,
            ),
            (
                "nginx_cors_candidate_losses_total",
                "Requests that cors_candidate would treat worse than the policy in force.",
                |policy| policy.totals.candidate_losses,
            ),
        ];
        for (family, help, read) in others {
            text.family(family, "counter", help);
            for policy in self.policies.iter().filter(|policy| read(policy) > 0) {
                text.sample(family, policy, "", read(policy));
            }
        }
        let family = "nginx_cors_policy_info";
        text.family(
            family,
            "gauge",
            "Each policy: what it does with preflights (cors_preflight), whether it is a dry run, whether it has a candidate.",
        );
        for policy in &self.policies {
            let Policy {
                mode,
                dry_run,
                candidate,
                ..
            } = policy;
            let labels = format!(",mode=\"{mode}\",dry_run=\"{dry_run}\",candidate=\"{candidate}\"");
            text.sample(family, policy, &labels, 1);
        }
        if !self.lists.is_empty() {
            text.lists(&self.lists);
        }
        for (family, help, value) in [
            (
                "nginx_cors_zone_start_time_seconds",
                "When the zone began to count, in seconds since 1970.",
                self.zone.started,
            ),
            (
                "nginx_cors_zone_size_bytes",
                "The size of the zone.",
                self.zone.size as u64,
            ),
        ] {
            text.family(family, "gauge", help);
            let _ = writeln!(text.text, "{family}{{zone=\"{}\"}} {value}", text.zone);
        }
        text.text.into_bytes()
    }
}

struct Text {
    zone: String,
    text: String,
}

// Writing to a string does not fail.
impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn lists(&mut self, lists: &[List<'_>]) {
        type Read = fn(&List<'_>) -> u64;
        let families: [(&str, &str, Read); 4] = [
            (
                "nginx_cors_list_entries",
                "The entries of a list of origins (cors_origin_list).",
                |list| list.entries,
            ),
            (
                "nginx_cors_list_generation",
                "How many lists of this name have been served since nginx started.",
                |list| list.generation,
            ),
            (
                "nginx_cors_list_read_timestamp_seconds",
                "When the file of the list that is served was read, in seconds since 1970.",
                |list| list.read,
            ),
            (
                "nginx_cors_list_failed",
                "Whether the file could not be served the last time that it was read: 1 if so.",
                |list| u64::from(list.failed.is_some()),
            ),
        ];
        for (family, help, read) in families {
            self.family(family, "gauge", help);
            for list in lists {
                let _ = writeln!(self.text, "{family}{{list=\"{}\"}} {}", escape(list.name), read(list));
            }
        }
        let family = "nginx_cors_list_info";
        self.family(
            family,
            "gauge",
            "Each list: its file, and the first 16 digits of that file's SHA-256.",
        );
        for list in lists {
            let _ = writeln!(
                self.text,
                "{family}{{list=\"{}\",file=\"{}\",digest=\"{}\"}} 1",
                escape(list.name),
                escape(list.file),
                escape(&list.digest),
            );
        }
    }

    fn sample(&mut self, name: &str, policy: &Policy<'_>, labels: &str, value: u64) {
        let _ = writeln!(
            self.text,
            "{name}{{zone=\"{}\",server=\"{}\",location=\"{}\"{labels}}} {value}",
            self.zone,
            escape(policy.server),
            escape(policy.location),
        );
    }
}

/// The value of a label.
fn escape(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}
