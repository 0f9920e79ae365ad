//! `cors_origin_list`: gives a list its memory.

use std::rc::Rc;

use cors_policy::{ListSource, OriginListDirective, Problem};

use super::main_conf::MainConf;
use super::reader::Configuration;
use crate::live_lists::{open_list, ConfiguredList, ListFile};

/// Reads `cors_origin_list`.
pub(super) fn read<'c>(configuration: Configuration<'c>, main: &'c MainConf) -> Option<()> {
    let (_, values) = configuration.words()?;
    let at = configuration.position(main);
    let lists = &main.origin_lists;
    let said = OriginListDirective::read(&values, &mut configuration.syntax(main));
    let said = said.and_then(|said| lists.check_new(said.name).map(|()| said));
    let said = match said {
        Ok(said) => said,
        Err(text) => {
            lists.note_error();
            configuration.report(main, vec![Problem::error(&at, text)]);
            return Some(());
        }
    };
    let file = configuration.full_name(said.file)?;
    let key = said.key.map(|(text, _)| text);
    // Two configurations share the memory if nothing of this differs.
    let zone_name = format!(
        "cors_origin_list {} {file} {} {}",
        said.name,
        key.unwrap_or_default(),
        said.size
    );
    let source = ListSource {
        file: file.as_str().into(),
        key: key.map(Into::into),
    };
    let given = ListFile {
        name: said.name.into(),
        file: file.into(),
        key: said.key.map(|(_, number)| number),
        size: said.size,
        check: said.check,
        at,
    };
    let list = configuration.keep(Rc::new(ConfiguredList::new(given, configuration.shared_memory())))?;
    let zone_name = configuration.keep(zone_name)?;
    configuration.request_zone(zone_name, said.size, open_list, &**list)?;
    lists.give(source, list.clone());
    Some(())
}
