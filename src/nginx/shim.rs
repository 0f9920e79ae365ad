//! The C side: declarations of `shim.h`, and the proof that the bindings see nginx's structures as C does.
#![allow(non_camel_case_types, non_upper_case_globals, dead_code, missing_docs)]
#![allow(clippy::missing_safety_doc)]

include!(concat!(env!("OUT_DIR"), "/shim.rs"));

include!(concat!(env!("OUT_DIR"), "/layout.rs"));
