//! What the server knows of the notation of its configuration.

use std::rc::Rc;

use crate::directive::Directive;
use crate::live_list::LiveList;
use crate::problem::Position;

/// The notation of the server whose configuration is read.
pub trait Syntax {
    /// The seconds of a time such as `2h`.
    fn time(&self, value: &[u8]) -> Option<u64>;

    /// The milliseconds of a time such as `1s` or `500ms`.
    fn milliseconds(&self, value: &[u8]) -> Option<usize>;

    /// The bytes of a size such as `8m`.
    fn size(&self, value: &[u8]) -> Option<usize>;

    /// Keeps a text with variables for the time of requests, and numbers it.
    fn variable(&mut self, text: &[u8]) -> Option<usize>;

    /// The list of this name (`cors_origin_list`), which `directive` names at `at`. The server knows whether there is
    /// one when it has read the whole configuration.
    fn live_list(&mut self, name: &str, directive: Directive, at: &Position) -> Rc<LiveList>;
}
