//! The page for a person. The figures are in it when it is sent: it is right without its script, which only keeps them
//! fresh. The script fetches the same page again, and takes over the parts that say `data-live`.

use cors_policy::Outcome;

use crate::counters::{outcomes, RequestKind};
use crate::html::Html;
use crate::report::{About, Changed, Denied, List, Policy, Report};

/// The page, with the names of what is to be filled in between `<!--` and `-->`.
const TEMPLATE: &str = include_str!(concat!(env!("OUT_DIR"), "/page.html"));

/// What the page may do: its `Content-Security-Policy`.
pub const POLICY: &str = include_str!(concat!(env!("OUT_DIR"), "/page.csp"));

/// Only so many rows of denied origins, the most frequent, name a directive that would allow them: further down are mostly
/// those whom nobody wants to allow.
const REMEDIES: usize = 10;

/// The size of the chart, in the units of its drawing.
const WIDTH: f64 = 450.0;
const HEIGHT: f64 = 80.0;

impl Report<'_> {
    /// The figures as a page.
    pub fn to_html(&self) -> Vec<u8> {
        let mut html = Html::default();
        let mut rest = TEMPLATE;
        while let Some((before, (name, after))) = rest
            .split_once("<!--")
            .and_then(|(before, after)| Some((before, after.split_once("-->")?)))
        {
            html.markup(before);
            self.fill(name, &mut html);
            rest = after;
        }
        html.markup(rest);
        html.into_bytes()
    }

    fn fill(&self, name: &'static str, html: &mut Html) {
        let sum = |read: fn(&Policy<'_>) -> u64| self.policies.iter().map(read).sum::<u64>();
        match name {
            "zone" => {
                html.text(self.zone.name);
            }
            "since" => {
                html.text(&duration(self.zone.now.saturating_sub(self.zone.started)));
            }
            "suffixes" => {
                html.text(self.zone.public_suffix_list);
            }
            "total" => {
                html.number(sum(|policy| policy.total));
            }
            "answered" => {
                html.number(sum(|policy| policy.preflights_answered));
            }
            "unanswered" => {
                html.number(sum(unanswered));
            }
            "denied" => {
                html.number(sum(denied_in_force));
            }
            "share" => {
                let in_force = self.policies.iter().filter(|policy| !policy.dry_run);
                let (denied, total) = in_force.fold((0, 0), |(denied, total), policy| {
                    (denied + denied_in_force(policy), total + policy.total)
                });
                html.text(&share(denied, total));
            }
            "dry-run" => {
                html.number(sum(|policy| policy.dry_run_denials));
            }
            "candidates" => {
                change(
                    html,
                    sum(|policy| policy.candidate_gains),
                    sum(|policy| policy.candidate_losses),
                );
            }
            "policies" => self.policies.iter().for_each(|policy| policy_row(html, policy)),
            "lists" if !self.lists.is_empty() => lists(html, &self.lists, self.zone.now),
            "origins" => {
                for (number, denied) in self.denied_origins.iter().enumerate() {
                    denied_row(html, denied, number < REMEDIES, &self.zone);
                }
            }
            "nobody" if self.denied_origins.is_empty() => {
                html.text("No origin has been denied.");
            }
            "changes" => {
                for changed in &self.candidate_changes {
                    changed_row(html, changed, &self.zone);
                }
            }
            "no-change" if self.candidate_changes.is_empty() => {
                html.text(match self.policies.iter().any(|policy| policy.candidate) {
                    true => "No request so far would be treated otherwise.",
                    false => "No policy has a candidate: see cors_candidate.",
                });
            }
            "choices" => {
                for policy in &self.policies {
                    html.markup("<option data-server=\"").text(policy.server);
                    html.markup("\" data-location=\"").text(policy.location);
                    html.markup("\">").text(policy.server).markup(" ");
                    html.text(policy.location).markup("</option>");
                }
            }
            "bars" => {
                bars(html, &self.history.requests, "all", self.highest());
                bars(html, &self.history.denied, "bad", self.highest());
            }
            "scale" => {
                let minutes = self.history.requests.len() as u64 * self.history.step / 60;
                html.markup("last ").number(minutes);
                html.markup(" minutes, at most ").number(self.highest());
                html.markup(" requests in ").number(self.history.step).markup(" s");
            }
            _ => {}
        }
    }

    fn highest(&self) -> u64 {
        self.history.requests.iter().copied().max().unwrap_or(0).max(1)
    }
}

/// Denials that changed a response, or would have if it had headers: those of a dry run are not among them.
fn denied_in_force(policy: &Policy<'_>) -> u64 {
    policy.denied.saturating_sub(policy.dry_run_denials)
}

/// The number of requests that ended in one of these ways.
fn ended(policy: &Policy<'_>, kind: RequestKind, is_meant: impl Fn(Option<Outcome>) -> bool) -> u64 {
    outcomes(kind)
        .filter(|outcome| is_meant(*outcome))
        .map(|outcome| policy.totals.requests(kind, outcome))
        .sum()
}

/// Preflights of allowed origins that something else answered, in a way that no browser takes.
fn unanswered(policy: &Policy<'_>) -> u64 {
    ended(policy, RequestKind::Preflight, |outcome| {
        outcome == Some(Outcome::Unanswered)
    })
}

fn policy_row(html: &mut Html, policy: &Policy<'_>) {
    let actual = |is_meant: fn(Option<Outcome>) -> bool| ended(policy, RequestKind::Actual, is_meant);
    html.markup("<tr data-key=\"").text(policy.server).markup(" ");
    html.text(policy.location);
    html.markup("\"><td class=\"server cut\" title=\"").text(policy.server);
    html.markup("\">").text(policy.server);
    html.markup("</td><th scope=\"row\" class=\"place\"><div><code class=\"cut\" title=\"");
    html.text(policy.location).markup("\">").text(policy.location);
    html.markup("</code>");
    let tags = [
        (policy.dry_run, "dry run"),
        (policy.candidate, "candidate"),
        (policy.mode != "answer", policy.mode),
    ];
    for (_, tag) in tags.into_iter().filter(|(is_shown, _)| *is_shown) {
        html.markup(" <span class=\"tag\">").text(tag).markup("</span>");
    }
    html.markup("</div></th>");
    number_cell(html, policy.total, "");
    number_cell(html, actual(|outcome| outcome == Some(Outcome::Allowed)), "");
    let is_not_cross_origin = |outcome| matches!(outcome, None | Some(Outcome::None | Outcome::SameOrigin));
    number_cell(html, actual(is_not_cross_origin), "");
    number_cell(html, ended(policy, RequestKind::Preflight, |_| true), "");
    number_cell(html, unanswered(policy), "wrong");
    number_cell(html, policy.enforced_denials, "");
    let denied = denied_in_force(policy);
    number_cell(html, denied, "");
    let (part, whole) = if policy.dry_run { (0, 0) } else { (denied, policy.total) };
    let highest = whole.max(1) as f64;
    html.markup("<td class=\"share\" data-n=\"")
        .value(part as f64 / highest);
    html.markup("\">");
    if policy.dry_run {
        html.markup("dry run");
    } else {
        // A low share of denials is good, a high one is bad. The text beside it says the same to who cannot see it.
        html.markup("<meter aria-hidden=\"true\" optimum=\"0\" max=\"")
            .value(highest);
        html.markup("\" low=\"").value(0.02 * highest);
        html.markup("\" high=\"").value(0.2 * highest);
        html.markup("\" value=\"").value(part as f64).markup("\"></meter> ");
        html.text(&share(part, whole));
    }
    html.markup("</td>");
    number_cell(html, policy.dry_run_denials, "");
    let changes = policy.candidate_gains + policy.candidate_losses;
    html.markup("<td class=\"n\" data-n=\"")
        .value(changes as f64)
        .markup("\">");
    if policy.candidate || changes > 0 {
        change(html, policy.candidate_gains, policy.candidate_losses);
    }
    html.markup("</td></tr>\n");
}

/// A cell with a number, which has a class of its own if it is not 0.
fn number_cell(html: &mut Html, number: u64, class: &'static str) {
    html.markup("<td class=\"n ")
        .markup(if number > 0 { class } else { "" });
    html.markup("\" data-n=\"").value(number as f64).markup("\">");
    html.number(number).markup("</td>");
}

/// How many requests a candidate would treat better, and how many worse.
fn change(html: &mut Html, gains: u64, losses: u64) {
    html.markup("<span class=\"good\">+").number(gains);
    html.markup("</span> <span class=\"wrong\">\u{2212}").number(losses);
    html.markup("</span>");
}

fn denied_row(html: &mut Html, denied: &Denied<'_>, has_remedy: bool, zone: &About<'_>) {
    let (server, location) = (denied.server.unwrap_or_default(), denied.location.unwrap_or_default());
    html.markup("<tr data-key=\"").text(&denied.origin).markup(" ");
    html.text(server).markup(" ").text(location);
    html.markup(if denied.dry_run { " dry" } else { "" });
    html.markup("\">");
    origin_cells(html, &denied.origin, denied.count, denied.error);
    html.markup("<td class=\"reason\">").text(&denied.short_reason);
    html.markup("</td>");
    place_cell(html, server, location, denied.dry_run);
    html.markup("<td class=\"remedy\">");
    match (&denied.remedy, &denied.advice) {
        (Some(remedy), advice) if has_remedy => {
            html.markup("<div><code class=\"cut\" title=\"").text(remedy);
            html.markup("\">").text(remedy);
            html.markup(
                "</code> <button type=\"button\" class=\"copy script\">Copy</button></div><p class=\"advice\">",
            );
            html.text(advice.as_deref().unwrap_or_default()).markup("</p>");
        }
        (None, Some(advice)) if has_remedy => {
            html.markup("<p class=\"advice\">").text(advice).markup("</p>");
        }
        (None, None) if has_remedy && denied.result == "malformed" => {
            html.markup("<span class=\"tag\">no browser sends this</span>");
        }
        (None, None) if has_remedy => {
            html.markup("<span class=\"tag\">see the reason</span>");
        }
        _ => {}
    }
    html.markup("</td>");
    last_cell(html, denied.last, zone);
    html.markup("</tr>\n");
}

fn changed_row(html: &mut Html, changed: &Changed<'_>, zone: &About<'_>) {
    html.markup("<tr data-key=\"").text(&changed.origin).markup(" ");
    html.text(changed.server).markup(" ").text(changed.location);
    html.markup(" ").text(changed.change).markup("\">");
    origin_cells(html, &changed.origin, changed.count, changed.error);
    html.markup("<td><span class=\"");
    html.markup(if changed.change == "gain" { "good" } else { "wrong" });
    html.markup("\">").text(changed.change).markup("</span></td>");
    html.markup("<td class=\"reason\">").text(&changed.short_reason);
    html.markup("</td>");
    place_cell(html, changed.server, changed.location, false);
    last_cell(html, changed.last, zone);
    html.markup("</tr>\n");
}

/// The cells with an origin, and with the number of its requests.
fn origin_cells(html: &mut Html, origin: &str, count: u64, error: u64) {
    let origin = if origin.is_empty() { "(several)" } else { origin };
    html.markup("<th scope=\"row\" class=\"origin cut\" title=\"")
        .text(origin);
    html.markup("\">").text(origin);
    html.markup("</th><td class=\"n\" data-n=\"").value(count as f64);
    if error > 0 {
        html.markup("\" title=\"at least ");
        html.number(count.saturating_sub(error));
    }
    html.markup("\">").number(count).markup("</td>");
}

/// The cell with the policy that an origin has met.
fn place_cell(html: &mut Html, server: &str, location: &str, dry_run: bool) {
    html.markup("<td class=\"place\"><div class=\"cut\" title=\"")
        .text(server);
    html.markup("\">").text(server);
    html.markup("</div> <div><code class=\"cut\" title=\"").text(location);
    html.markup("\">").text(location).markup("</code>");
    if dry_run {
        html.markup(" <span class=\"tag\">dry run</span>");
    }
    html.markup("</div></td>");
}

/// The cell with the time that has passed. What a reload may have mended is not taken for what goes on.
fn last_cell(html: &mut Html, last: u64, zone: &About<'_>) {
    html.markup("<td class=\"last\" data-n=\"").value(last as f64);
    html.markup("\">").text(&duration(zone.now.saturating_sub(last)));
    html.markup(" ago");
    if last < zone.configured {
        html.markup(" <span class=\"tag\">before the reload</span>");
    }
    html.markup("</td>");
}

fn lists(html: &mut Html, lists: &[List<'_>], now: u64) {
    html.markup(
        "<div class=\"head\"><h2 id=\"lists-name\">Lists</h2></div>\
        <p class=\"cue\">Scroll the table sideways for all columns.</p>\
        <div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-labelledby=\"lists-name\"><table id=\"lists\">\
        <thead><tr><th scope=\"col\">List</th><th scope=\"col\" class=\"place\">File</th>\
        <th scope=\"col\" class=\"n\">Entries</th><th scope=\"col\" class=\"n\">Generation</th>\
        <th scope=\"col\">Read</th><th scope=\"col\">SHA-256</th><th scope=\"col\">Last attempt</th></tr></thead><tbody>",
    );
    for list in lists {
        html.markup("<tr data-key=\"").text(list.name);
        html.markup("\"><th scope=\"row\">").text(list.name);
        html.markup("</th><td class=\"place\"><code class=\"cut\" title=\"")
            .text(list.file);
        html.markup("\">").text(list.file).markup("</code></td>");
        number_cell(html, list.entries, "");
        number_cell(html, list.generation, "");
        html.markup("<td>").text(&duration(now.saturating_sub(list.read)));
        html.markup(" ago</td><td><code>").text(&list.digest);
        html.markup("</code></td><td class=\"reason\">");
        match &list.failed {
            None => {
                html.text("taken");
            }
            Some(failed) => {
                html.markup("<span class=\"wrong\">failed ");
                html.text(&duration(now.saturating_sub(failed.at)))
                    .markup(" ago</span>: ");
                html.text(&failed.reason);
            }
        }
        html.markup("</td></tr>\n");
    }
    html.markup("</tbody></table></div>");
}

fn bars(html: &mut Html, values: &[u64], class: &'static str, highest: u64) {
    let step = WIDTH / values.len().max(1) as f64;
    for (number, value) in values.iter().enumerate().filter(|(_, value)| **value > 0) {
        let height = HEIGHT * *value as f64 / highest as f64;
        html.markup("<rect class=\"")
            .markup(class)
            .markup("\" width=\"4\" x=\"");
        html.value(number as f64 * step)
            .markup("\" y=\"")
            .value(HEIGHT - height);
        html.markup("\" height=\"").value(height).markup("\"/>");
    }
}

/// A share of a whole in percent.
fn share(part: u64, whole: u64) -> String {
    match (part, whole) {
        (0, _) | (_, 0) => "0 %".to_owned(),
        _ if part == whole => "100 %".to_owned(),
        _ => format!("{:.1} %", 100.0 * part as f64 / whole as f64),
    }
}

/// A time in its largest unit.
fn duration(seconds: u64) -> String {
    for (unit, size) in [("d", 86400), ("h", 3600), ("min", 60)] {
        if seconds >= size {
            return format!("{} {unit}", seconds / size);
        }
    }
    format!("{seconds} s")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_whole_only_where_it_is_exact() {
        for (part, whole, text) in [
            (0, 0, "0 %"),
            (0, 9, "0 %"),
            (9, 9, "100 %"),
            (1, 3, "33.3 %"),
            (17, 59, "28.8 %"),
        ] {
            assert_eq!(share(part, whole), text);
        }
    }

    #[test]
    fn a_time_has_its_largest_unit() {
        for (seconds, text) in [(0, "0 s"), (59, "59 s"), (60, "1 min"), (7199, "1 h"), (90_000, "1 d")] {
            assert_eq!(duration(seconds), text);
        }
    }

    /// A name that nothing fills would leave a hole that nobody sees.
    #[test]
    fn every_figure_has_its_place_in_the_page() {
        let names: Vec<_> = TEMPLATE
            .split("<!--")
            .skip(1)
            .filter_map(|rest| Some(rest.split_once("-->")?.0))
            .collect();
        for name in [
            "zone",
            "zone",
            "since",
            "total",
            "answered",
            "unanswered",
            "denied",
            "share",
            "dry-run",
            "candidates",
            "bars",
            "scale",
            "policies",
            "lists",
            "origins",
            "nobody",
            "changes",
            "no-change",
            "choices",
            "suffixes",
        ] {
            assert!(names.contains(&name), "{name}");
        }
        assert_eq!(names.len(), 20, "{names:?}");
    }
}
