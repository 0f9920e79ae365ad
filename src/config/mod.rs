//! From directives to policies: what nginx calls while it reads a configuration, and what that leaves for requests.

mod candidate;
mod directives;
mod location;
mod logged_denials;
mod main_conf;
mod origin_list_directive;
mod origin_lists;
mod reader;
mod texts;

#[cfg(feature = "fault-injection")]
pub(crate) use directives::read_fault_directive;
pub(crate) use directives::{
    finish, read_candidate_directive, read_origin_list_directive, read_policy_directive, read_status_directive,
    read_zone_directive,
};
pub(crate) use location::{create_location, merge_location, LocationConf, StatusFormat};
pub(crate) use logged_denials::KindSeen;
pub(crate) use main_conf::{create_main, main_conf_of, MainConf};
pub(crate) use reader::{with_configuration, Configuration, DirectiveHandler, RequestHandler};
