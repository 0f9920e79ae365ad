//! Texts with variables, such as `$allowed_origins`: compiled while a configuration is read, evaluated for each request.

use core::cell::{Cell, Ref, RefCell};

use nginx_sys::{
    ngx_conf_t, ngx_http_compile_complex_value, ngx_http_compile_complex_value_t, ngx_http_complex_value_t,
};

use crate::nginx::return_code;
use crate::nginx::string::as_ngx_str;

/// The texts of a configuration.
#[derive(Default)]
pub(crate) struct Texts {
    list: RefCell<Vec<TextWithVariables>>,
    is_evaluating: Cell<bool>,
}

/// A text with variables.
pub(crate) struct TextWithVariables {
    /// For nginx's `ngx_http_complex_value`, which only reads it.
    pub(crate) compiled: ngx_http_complex_value_t,
    /// As it was written, and a zero byte; the compiled text points to it.
    zero_terminated: Box<[u8]>,
    /// The kinds of parts of its value that were of no use and that this process has logged, each a bit.
    warned: Cell<u8>,
}

impl TextWithVariables {
    /// As it was written.
    pub(crate) fn text(&self) -> &[u8] {
        self.zero_terminated.split_last().map_or(&[], |(_, text)| text)
    }

    /// Whether this process has not warned of this kind before; from now on it has.
    pub(crate) fn claim_warning(&self, kind: usize) -> bool {
        let bit = 1 << kind;
        let warned = self.warned.get();
        self.warned.set(warned | bit);
        warned & bit == 0
    }
}

impl Texts {
    /// Compiles a text, and numbers it; `None` if nginx cannot.
    ///
    /// # Safety
    ///
    /// `cf` is the configuration that nginx is reading, of which this is a part.
    pub(super) unsafe fn compile(&self, cf: *mut ngx_conf_t, text: &[u8]) -> Option<usize> {
        // SAFETY: all fields of both structures may be zero.
        let (mut compiled, mut compile): (ngx_http_complex_value_t, ngx_http_compile_complex_value_t) =
            unsafe { (core::mem::zeroed(), core::mem::zeroed()) };
        // nginx looks at the byte behind a "$", which in its own words may be the zero byte behind the word.
        let zero_terminated: Box<[u8]> = [text, b"\0"].concat().into();
        let mut value = as_ngx_str(zero_terminated.split_last().map_or(&[], |(_, text)| text));
        compile.cf = cf;
        compile.value = &mut value;
        compile.complex_value = &mut compiled;
        // SAFETY: the caller vouches for the configuration. nginx reads the text and the byte behind it, allocates in the
        // configuration's pool, and keeps pointers to the text, which is kept in the list for as long.
        if unsafe { ngx_http_compile_complex_value(&mut compile) } != return_code::OK {
            return None;
        }
        let mut list = self.list.borrow_mut();
        list.push(TextWithVariables {
            compiled,
            zero_terminated,
            warned: Cell::default(),
        });
        Some(list.len() - 1)
    }

    /// The text of this number.
    pub(crate) fn get(&self, number: usize) -> Option<Ref<'_, TextWithVariables>> {
        Ref::filter_map(self.list.borrow(), |list| list.get(number)).ok()
    }

    /// Runs `evaluate`, unless that is running already: the variables of a text may be made of this module's own, which
    /// must not ask for a decision in their turn.
    pub(crate) fn evaluate_once<T>(&self, evaluate: impl FnOnce() -> T) -> Option<T> {
        struct Evaluating<'v>(&'v Cell<bool>);
        impl Drop for Evaluating<'_> {
            fn drop(&mut self) {
                self.0.set(false);
            }
        }
        if self.is_evaluating.replace(true) {
            return None;
        }
        let _evaluating = Evaluating(&self.is_evaluating);
        Some(evaluate())
    }

    pub(crate) fn is_evaluating(&self) -> bool {
        self.is_evaluating.get()
    }
}
