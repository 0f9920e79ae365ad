//! Tables and charts of the results.

use std::fmt::Write;
use std::fs;

use anyhow::{Context, Result};

use crate::chart::{Bar, Chart, Panel};
use crate::cost::Cost;
use crate::peer::{self, Family, PEERS};
use crate::results::{Counted, Instructions, Results, Served};
use crate::scenario;

const BEGIN: &str = "<!-- results: written by make bench -->\n";
const END: &str = "<!-- end of the results -->\n";

/// Writes the charts, and the results in the README.
pub fn write(results: &Results) -> Result<()> {
    let directory = Results::directory();
    fs::create_dir_all(directory.join("charts"))?;
    for (name, chart) in charts(results) {
        fs::write(directory.join("charts").join(name), chart.svg())?;
    }
    let path = directory.join("README.md");
    let text = fs::read_to_string(&path)?;
    let (before, rest) = text
        .split_once(BEGIN)
        .context("no place for the results in the README")?;
    let (_, after) = rest.split_once(END).context("no end of the results in the README")?;
    Ok(fs::write(
        path,
        [before, BEGIN, &section(results), END, after].concat(),
    )?)
}

/// A title, in a table or beside a bar.
fn title_of(peer: &str) -> &str {
    peer::find(peer).map_or(peer, |peer| peer.title)
}

fn title_of_scenario(name: &str) -> &str {
    scenario::find(name).map_or(name, |scenario| scenario.title)
}

fn is_ours(peer: &str) -> bool {
    peer == peer::ours().name
}

fn charts(results: &Results) -> Vec<(&'static str, Chart<'static>)> {
    let mut charts = vec![
        (
            "share.svg",
            Chart {
                title: "What is left of each server's own throughput with CORS",
                subtitle:
                    "Share of the same server without CORS; for preflights, of its shortest 204 with the same headers.",
                logarithmic: false,
                panels: load_panels(
                    results,
                    &["preflight-allowed", "preflight-denied", "actual-allowed", "proxied"],
                    |served| {
                        (
                            served.share_of_ceiling,
                            format!("{:.0} %", served.share_of_ceiling * 100.0),
                        )
                    },
                ),
            },
        ),
        (
            "requests.svg",
            Chart {
                title: "Requests per second, one worker on one core",
                subtitle: "Each server with CORS, the same policy for all.",
                logarithmic: false,
                panels: load_panels(
                    results,
                    &["preflight-allowed", "actual-allowed", "preflight-1k-wildcards"],
                    |served| {
                        (
                            served.requests_per_second,
                            thousands(served.requests_per_second.round() as i64),
                        )
                    },
                ),
            },
        ),
    ];
    for panel in charts.iter_mut().flat_map(|(name, chart)| {
        let is_share = *name == "share.svg";
        chart.panels.iter_mut().filter(move |_| is_share)
    }) {
        panel.mark = Some(1.0);
    }
    if let Some(rows) = with_peers(results) {
        let names = [
            "preflight-allowed",
            "actual-allowed",
            "proxied",
            "preflight-1k-wildcards",
        ];
        let panels = rows.iter().filter(|row| names.contains(&row.scenario.as_str()));
        let panels = panels.map(|row| {
            let mut bars: Vec<Bar> = row
                .added
                .iter()
                .map(|(peer, added)| bar(peer, added.instructions as f64, signed(added.instructions)))
                .collect();
            bars.sort_by(|a, b| a.value.total_cmp(&b.value));
            Panel {
                title: title_of_scenario(&row.scenario).to_owned(),
                bars,
                mark: None,
            }
        });
        charts.push((
            "instructions.svg",
            Chart {
                title: "Instructions that CORS adds to a request in nginx",
                subtitle:
                    "Counted by callgrind, without malloc and free. Logarithmic: each step to the right is a multiple.",
                logarithmic: true,
                panels: panels.collect(),
            },
        ));
    }
    charts
}

fn bar(peer: &str, value: f64, text: String) -> Bar {
    Bar {
        label: title_of(peer).to_owned(),
        value,
        text,
        is_ours: is_ours(peer),
    }
}

fn load_panels(results: &Results, names: &[&str], figure: impl Fn(&Served) -> (f64, String)) -> Vec<Panel> {
    let loads = results
        .load
        .iter()
        .filter(|load| names.contains(&load.scenario.as_str()));
    let panel = |load: &crate::results::Load| {
        let served = load.servers.iter();
        let bars = served.filter_map(|served| {
            let (value, text) = figure(served);
            Some(bar(served.peer.as_deref()?, value, text))
        });
        let mut bars: Vec<Bar> = bars.collect();
        bars.sort_by(|a, b| b.value.total_cmp(&a.value));
        Panel {
            title: title_of_scenario(&load.scenario).to_owned(),
            bars,
            mark: None,
        }
    };
    loads.map(panel).collect()
}

/// The figures of the nginx that others were measured in as well.
fn with_peers(results: &Results) -> Option<&Vec<Instructions>> {
    let mut versions = results.instructions.values();
    versions.find(|rows| rows.iter().any(|row| row.added.len() > 1))
}

/// The results in the README.
fn section(results: &Results) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let mut line = |words: String| {
        let _ = writeln!(text, "{words}");
    };
    line("\n![share of the ceiling](charts/share.svg)\n".to_owned());
    line("![instructions](charts/instructions.svg)\n".to_owned());
    line("![requests per second](charts/requests.svg)\n".to_owned());

    for (version, rows) in &results.instructions {
        line(instructions(version, rows));
    }
    line("### Under load\n".to_owned());
    line(format!(
        "Medians of {} interleaved rounds of {} ms. *share*: of the requests per second of the server's own ceiling. \
         *CPU*: processor time of the server for a request, in microseconds, and what that is beyond its ceiling.\n",
        results.rounds, results.round_milliseconds
    ));
    for load in &results.load {
        line(format!("**{}**\n", title_of_scenario(&load.scenario)));
        line("| server | requests/s | share | CPU | beyond |\n|---|--:|--:|--:|--:|".to_owned());
        for served in &load.servers {
            let title = match &served.peer {
                Some(peer) => title_of(peer).to_owned(),
                None => format!("*{}, the ceiling*", served.family),
            };
            line(format!(
                "| {title} | {} | {:.3} | {:.1} | {:+.1} |",
                thousands(served.requests_per_second.round() as i64),
                served.share_of_ceiling,
                served.cpu_microseconds,
                served.cpu_microseconds_added
            ));
        }
        line(String::new());
    }
    line("### Where we lose\n".to_owned());
    for loss in losses(results) {
        line(format!("- {loss}"));
    }
    line("\n### Measured with\n".to_owned());
    for (name, value) in &results.machine {
        line(format!("- {name}: {value}"));
    }
    line(String::new());
    text
}

/// The tables of one version of nginx: what is added to the ceiling, and what the allocator does there.
fn instructions(version: &str, rows: &[Instructions]) -> String {
    let measured = |peer: &&str| rows.iter().any(|row| row.added.contains_key(*peer));
    let others: Vec<&str> = PEERS
        .iter()
        .map(|peer| peer.name)
        .filter(|peer| !is_ours(peer))
        .collect();
    let others: Vec<&str> = others.into_iter().filter(measured).collect();
    let titles: Vec<&str> = others.iter().map(|peer| title_of(peer)).collect();
    let figure = |added: Option<&Cost>, part: fn(&Cost) -> i64| {
        added.map_or_else(|| "-".to_owned(), |added| signed(part(added)))
    };

    let mut text = format!("### Instructions added to the ceiling, nginx {version}\n\n");
    text += "Without what the C library's allocator takes, which *malloc* shows: of the ceiling, and of what this module adds.\n\n";
    let head = ["request", "ceiling", "malloc", "at most", "this module", "malloc"];
    text += &row(head.into_iter().chain(titles.iter().copied()));
    text += &format!("|---|{}\n", "--:|".repeat(head.len() - 1 + titles.len()));
    for scenario in rows {
        let judged = |added: Option<&Cost>, at_most: i64| {
            let text = figure(added, |added| added.instructions);
            let is_over = added.is_some_and(|added| added.instructions > at_most);
            if is_over {
                format!("**{text}**")
            } else {
                text
            }
        };
        let ours = scenario.added.get(peer::ours().name);
        let of_others = others.iter().map(|peer| scenario.added.get(*peer));
        let of_others = of_others.map(|added| figure(added, |added| added.instructions));
        let cells = [
            title_of_scenario(&scenario.scenario).to_owned(),
            thousands(scenario.ceiling.instructions),
            thousands(scenario.ceiling.allocator),
            signed(scenario.at_most),
            judged(ours, scenario.at_most),
            figure(ours, |added| added.allocator),
        ];
        text += &row(cells.into_iter().chain(of_others));
        if let Some(Counted { at_most, added, .. }) = &scenario.counted {
            let cells = [
                "— counted in a zone".to_owned(),
                String::new(),
                String::new(),
                signed(*at_most),
                judged(Some(added), *at_most),
                figure(Some(added), |added| added.allocator),
            ];
            text += &row(cells.into_iter().chain(others.iter().map(|_| String::new())));
        }
    }
    for scenario in rows {
        let title = title_of_scenario(&scenario.scenario);
        if let Some(reason) = &scenario.reason {
            text += &format!("\n{title}: {reason}\n");
        }
        if let Some(reason) = scenario.counted.as_ref().and_then(|counted| counted.reason.as_ref()) {
            text += &format!("\n{title}, counted in a zone: {reason}\n");
        }
    }
    if others.is_empty() {
        return text;
    }

    text += &format!("\n### What the allocator adds to the ceiling, nginx {version}\n\n");
    text += &row(["request", "this module"].into_iter().chain(titles));
    text += &format!("|---|--:|{}\n", "--:|".repeat(others.len()));
    for scenario in rows {
        let peers = std::iter::once(peer::ours().name).chain(others.iter().copied());
        let cells = peers.map(|peer| figure(scenario.added.get(peer), |added| added.allocator));
        text += &row(std::iter::once(title_of_scenario(&scenario.scenario).to_owned()).chain(cells));
    }
    text
}

/// A line of a table.
fn row(cells: impl Iterator<Item = impl AsRef<str>>) -> String {
    cells.fold(String::from("|"), |line, cell| format!("{line} {} |", cell.as_ref())) + "\n"
}

/// What is over its limit, or worse than a peer.
pub fn losses(results: &Results) -> Vec<String> {
    let mut losses = Vec::new();
    for (version, rows) in &results.instructions {
        for row in rows {
            let Some(Cost { instructions: ours, .. }) = row.added.get(peer::ours().name).copied() else {
                continue;
            };
            let title = title_of_scenario(&row.scenario);
            if ours > row.at_most {
                losses.push(format!(
                    "nginx {version}, {title}: {} instructions, at most {}.",
                    signed(ours),
                    signed(row.at_most)
                ));
            }
            if let Some(counted) = row.counted.as_ref().filter(|row| row.added.instructions > row.at_most) {
                losses.push(format!(
                    "nginx {version}, {title}, counted in a zone: {} instructions, at most {}.",
                    signed(counted.added.instructions),
                    signed(counted.at_most)
                ));
            }
            for (peer, added) in row.added.iter().filter(|(_, added)| added.instructions < ours) {
                losses.push(format!(
                    "nginx {version}, {title}: {} instructions, {} {}.",
                    signed(ours),
                    title_of(peer),
                    signed(added.instructions)
                ));
            }
        }
    }
    for (version, rows) in &results.instructions {
        let cost = |scenario: &str| {
            let row = rows.iter().find(|row| row.scenario == scenario)?;
            Some(row.ceiling.instructions + row.added.get(peer::ours().name)?.instructions)
        };
        if let (Some(one), Some(many)) = (cost("preflight-allowed"), cost("preflight-100k-exact")) {
            if (many - one).abs() * 100 > one * 5 {
                losses.push(format!(
                    "nginx {version}: {one} instructions for a preflight with one origin, {many} with 100 000.",
                ));
            }
        }
    }
    for load in &results.load {
        let Some(ours) = results.served(&load.scenario, peer::ours().name) else {
            continue;
        };
        let title = title_of_scenario(&load.scenario);
        let is_preflight = scenario::find(&load.scenario).is_some_and(|scenario| scenario.is_preflight());
        let least = if is_preflight { 0.97 } else { 0.98 };
        if ours.share_of_ceiling < least {
            losses.push(format!(
                "{title}: {:.3} of the ceiling, at least {least}.",
                ours.share_of_ceiling
            ));
        }
        for served in &load.servers {
            let Some(peer) = served.peer.as_deref().filter(|peer| !is_ours(peer)) else {
                continue;
            };
            // Other servers are other ceilings: what counts there is what CORS costs.
            let same_ceiling = served.family == Family::Nginx.title();
            if same_ceiling && served.requests_per_second > ours.requests_per_second {
                losses.push(format!(
                    "{title}: {} requests/s, {} {}.",
                    thousands(ours.requests_per_second.round() as i64),
                    title_of(peer),
                    thousands(served.requests_per_second.round() as i64)
                ));
            } else if !same_ceiling && served.share_of_ceiling > ours.share_of_ceiling {
                losses.push(format!(
                    "{title}: {:.3} of the own ceiling, {} {:.3} of its own.",
                    ours.share_of_ceiling,
                    title_of(peer),
                    served.share_of_ceiling
                ));
            }
        }
    }
    if losses.is_empty() {
        losses.push("Nowhere in this run.".to_owned());
    }
    losses
}

/// With a space between the thousands.
fn thousands(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(' ');
        }
        text.push(digit);
    }
    if number < 0 {
        text.insert(0, '-');
    }
    text
}

fn signed(number: i64) -> String {
    let sign = if number < 0 { "" } else { "+" };
    format!("{sign}{}", thousands(number))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{instructions, losses, signed, thousands};
    use crate::cost::Cost;
    use crate::results::{Counted, Instructions, Load, Results, Served};

    #[test]
    fn thousands_are_told_apart() {
        assert_eq!(thousands(7), "7");
        assert_eq!(thousands(1_234), "1 234");
        assert_eq!(thousands(-123_456), "-123 456");
        assert_eq!(signed(1_000_000), "+1 000 000");
        assert_eq!(signed(-20), "-20");
    }

    fn served(peer: &str, family: &str, requests_per_second: f64, share_of_ceiling: f64) -> Served {
        Served {
            peer: Some(peer.to_owned()),
            family: family.to_owned(),
            requests_per_second,
            share_of_ceiling,
            cpu_microseconds: 0.0,
            cpu_microseconds_added: 0.0,
        }
    }

    fn cost(instructions: i64, allocator: i64) -> Cost {
        Cost {
            instructions,
            allocator,
        }
    }

    #[test]
    fn a_table_shows_the_allocator_apart_and_what_counting_adds() {
        let results = results((701, 51_000.0, 0.98));
        let text = instructions("1.22.1", &results.instructions["1.22.1"]);
        for line in [
            "| request | ceiling | malloc | at most | this module | malloc | map + if + add_header |\n",
            "|---|--:|--:|--:|--:|--:|--:|\n",
            "| preflight, allowed | 10 000 | 1 500 | +700 | **+701** | +30 | +650 |\n",
            "| — counted in a zone |  |  | +250 | -40 | +2 |  |\n",
            "preflight, allowed: It is long.\n",
            "preflight, allowed, counted in a zone: So is that.\n",
            "| request | this module | map + if + add_header |\n|---|--:|--:|\n| preflight, allowed | +30 | +80 |\n",
        ] {
            assert!(text.contains(line), "no {line} in {text}");
        }
    }

    fn results(ours: (i64, f64, f64)) -> Results {
        let (added, requests_per_second, share) = ours;
        let added = BTreeMap::from([
            ("cors".to_owned(), cost(added, 30)),
            ("idiom".to_owned(), cost(650, 80)),
        ]);
        Results {
            instructions: BTreeMap::from([(
                "1.22.1".to_owned(),
                vec![Instructions {
                    scenario: "preflight-allowed".to_owned(),
                    ceiling: cost(10_000, 1_500),
                    at_most: 700,
                    reason: Some("It is long.".to_owned()),
                    added,
                    counted: Some(Counted {
                        at_most: 250,
                        reason: Some("So is that.".to_owned()),
                        added: cost(-40, 2),
                    }),
                }],
            )]),
            load: vec![Load {
                scenario: "preflight-allowed".to_owned(),
                servers: vec![
                    served("cors", "nginx", requests_per_second, share),
                    served("idiom", "nginx", 50_000.0, 0.95),
                    // A faster server that loses more to CORS.
                    served("haproxy", "HAProxy", 90_000.0, 0.9),
                ],
            }],
            ..Results::default()
        }
    }

    #[test]
    fn every_loss_is_told() {
        assert_eq!(losses(&results((600, 51_000.0, 0.98))), ["Nowhere in this run."]);
        assert_eq!(losses(&results((701, 51_000.0, 0.98))).len(), 2);
        assert_eq!(losses(&results((660, 51_000.0, 0.98))).len(), 1);
        assert_eq!(losses(&results((600, 49_000.0, 0.98))).len(), 1);
        assert_eq!(losses(&results((600, 51_000.0, 0.96))).len(), 1);
        assert_eq!(losses(&results((600, 51_000.0, 0.89))).len(), 2);
    }
}
