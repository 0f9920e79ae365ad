//! `cors_test_panic`: makes the module fail where it is told to, so that tests can see what nginx makes of that.

/// Where to fail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fault {
    #[default]
    None,
    Directive,
    Access,
    Filter,
}

impl Fault {
    /// This fault, or the one of the outer block.
    pub(crate) fn or(self, outer: Self) -> Self {
        match self {
            Self::None => outer,
            own => own,
        }
    }

    #[allow(clippy::panic)] // what this is for
    pub(crate) fn strike(self, here: Self) {
        if self == here {
            panic!("forced in {here:?}");
        }
    }
}
