//! The blocks of a configuration, with what they add to responses.

use std::ops::Deref;
use std::rc::Rc;

use super::block::{BlockId, Blocks};
use super::header::{self, AddedHeader};
use crate::nginx::Directive;

/// What nginx makes of a configuration. All that its blocks tell, it tells, too.
#[derive(Debug)]
pub struct Site<'t> {
    tree: Blocks<'t>,
    /// The headers that each block adds to responses, with those that it inherits.
    headers: Vec<Rc<[AddedHeader<'t>]>>,
}

impl<'t> Site<'t> {
    pub fn build(directives: &'t [Directive]) -> Self {
        let tree = Blocks::read(directives);
        let ids = 0..tree.blocks.len();
        Self {
            headers: ids.map(|id| header::in_force(&tree, id).into()).collect(),
            tree,
        }
    }

    /// The headers that a block adds to responses: its own, or those that it inherits.
    pub fn headers(&self, id: BlockId) -> &[AddedHeader<'t>] {
        self.headers.get(id).map_or(&[], |headers| headers)
    }
}

impl<'t> Deref for Site<'t> {
    type Target = Blocks<'t>;

    fn deref(&self) -> &Blocks<'t> {
        &self.tree
    }
}
