//! Lists of origins that change while nginx runs (`cors_origin_list`).
//!
//! `cors-lists` has the table in the directive's shared memory, and describes how a list is replaced. Here is what that
//! asks of a server.
//!
//! | when | what |
//! |---|---|
//! | `http` has been read | the files are checked ([`ConfiguredList::read_file`]) |
//! | nginx has mapped the memory of a list | the list is built, and served if none was ([`open_list`]) |
//! | a process begins to serve | what was built beside a list that was served takes its place; from then on the file is watched ([`Follower`]) |
//! | every `check` | one process, which has the lease, looks at the file, and has it read when it has changed |
//! | a process ends | it stops reading, and gives the lease back ([`Follower::end`]) |

mod file;
mod follower;
mod list;
mod reading;
mod told;

pub(crate) use follower::Follower;
pub(crate) use list::{open_list, ConfiguredList, ListFile};
