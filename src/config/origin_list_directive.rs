//! `cors_origin_list name file [key=$variable] [size=8m] [check=1s]`.

use std::rc::Rc;

use cors_policy::{shown, ListSource, LiveList, Problem};

use super::main_conf::MainConf;
use super::reader::Configuration;
use crate::live_lists::{open_list, ConfiguredList, ListFile, LEAST_SIZE};
use crate::nginx::string::{parse_milliseconds, parse_size};

const DIRECTIVE: &str = "cors_origin_list";
const EXAMPLE: &str = "cors_origin_list tenants tenants.txt;";

/// The parameters, and what they are if they are not given.
const KEY: &str = "key=";
const SIZE: &str = "size=";
const CHECK: &str = "check=";
const DEFAULT_SIZE: usize = 8 << 20;
const DEFAULT_CHECK: usize = 1000;

/// What a directive says, but for what nginx makes of its texts.
struct Said<'v> {
    name: &'v str,
    file: &'v str,
    key: Option<&'v str>,
    size: usize,
    check: usize,
}

/// Reads `cors_origin_list`.
pub(super) fn read<'c>(configuration: Configuration<'c>, main: &'c MainConf) -> Option<()> {
    let (_, values) = configuration.words()?;
    let at = configuration.position(main);
    let lists = &main.origin_lists;
    let refuse = |text: String| {
        lists.note_error();
        configuration.report(main, vec![Problem::error(&at, text)]);
    };
    let said = match parse(&values) {
        Ok(said) => said,
        Err(text) => {
            refuse(text);
            return Some(());
        }
    };
    if let Some(earlier) = lists.given(said.name) {
        let text = format!(
            "\"{DIRECTIVE}\" has the value \"{}\": there is such a list at {} already; give this one another name, or remove it",
            said.name,
            earlier.said().at,
        );
        refuse(text);
        return Some(());
    }
    let key = match said.key {
        None => None,
        Some(text) => match configuration.compile(main, text.as_bytes()) {
            Some(number) => Some(number),
            None => {
                refuse(format!(
                    "\"{DIRECTIVE}\" has the value \"{KEY}{}\": it is no text with variables; write \"{KEY}$host\"",
                    shown(text.as_bytes())
                ));
                return Some(());
            }
        },
    };
    let file = configuration.full_name(said.file)?;
    // Two configurations share the memory if nothing of this differs.
    let zone_name = format!(
        "{DIRECTIVE} {} {file} {} {}",
        said.name,
        said.key.unwrap_or_default(),
        said.size
    );
    let source = ListSource {
        file: file.as_str().into(),
        key: said.key.map(Into::into),
    };
    let given = ListFile {
        name: said.name.into(),
        file: file.into(),
        key,
        size: said.size,
        check: said.check,
        at: at.clone(),
    };
    let list = configuration.keep(Rc::new(ConfiguredList::new(given, configuration.shared_memory())))?;
    let zone_name = configuration.keep(zone_name)?;
    configuration.request_zone(zone_name, said.size, open_list, &**list)?;
    lists.give(source, list.clone());
    Some(())
}

fn parse<'v>(values: &[&'v [u8]]) -> Result<Said<'v>, String> {
    let refused = |value: &[u8], why: &str| format!("\"{DIRECTIVE}\" has the value \"{}\": {why}", shown(value));
    let mut texts = Vec::new();
    for value in values {
        let text = core::str::from_utf8(value)
            .map_err(|_| refused(value, "it is no UTF-8; save the configuration as UTF-8"))?;
        texts.push(text);
    }
    let [name, file, parameters @ ..] = &texts[..] else {
        let given = values.join(&b' ');
        return Err(match given.is_empty() {
            true => format!("\"{DIRECTIVE}\" has no value; write a name and a file, such as \"{EXAMPLE}\""),
            false => refused(&given, &format!("a name and a file are expected; write \"{EXAMPLE}\"")),
        });
    };
    LiveList::check_name(name).map_err(|_| {
        let why = match name.strip_prefix('@') {
            Some(rest) if LiveList::check_name(rest).is_ok() => {
                format!("\"@\" begins the name where a list is used; write \"{rest}\"")
            }
            _ => "a name consists of letters, digits and \"_\", \"-\", \".\"; write \"tenants\"".to_owned(),
        };
        refused(name.as_bytes(), &why)
    })?;
    let mut said = Said {
        name,
        file,
        key: None,
        size: DEFAULT_SIZE,
        check: DEFAULT_CHECK,
    };
    let mut seen: Vec<&str> = Vec::new();
    for parameter in parameters {
        let bytes = parameter.as_bytes();
        let refused = |why: &str| refused(bytes, why);
        let known = [KEY, SIZE, CHECK]
            .into_iter()
            .find(|known| parameter.starts_with(known));
        let Some(known) = known else {
            return Err(refused(
                "there is no such parameter; write \"key=$host\", \"size=8m\" or \"check=1s\"",
            ));
        };
        if seen.contains(&known) {
            return Err(refused("the parameter is given already; remove one"));
        }
        seen.push(known);
        let value = parameter.strip_prefix(known).unwrap_or_default();
        match known {
            KEY if !value.contains('$') => {
                return Err(refused(
                    "a key is a text with variables, such as the host that the request names; write \"key=$host\"",
                ));
            }
            KEY => said.key = Some(value),
            SIZE => {
                let size = parse_size(value.as_bytes());
                said.size = size.ok_or_else(|| refused("it is no size; write \"size=8m\""))?;
                if said.size < LEAST_SIZE {
                    return Err(refused(&format!(
                        "it is too small; write \"size={}k\" or more",
                        LEAST_SIZE / 1024
                    )));
                }
            }
            _ => {
                let check = parse_milliseconds(value.as_bytes());
                said.check = check.ok_or_else(|| refused("it is no time; write \"check=1s\""))?;
                if said.check == 0 {
                    return Err(refused(
                        "the file would be looked at without a pause; write \"check=1s\"",
                    ));
                }
            }
        }
    }
    Ok(said)
}
