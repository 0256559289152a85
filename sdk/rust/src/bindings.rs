//! What `wit-bindgen` makes of the contract, world `functions-component`.
//!
//! Public for [`export!`](crate::export) and for tests that have to send what the SDK would not let through.
//! Authors of functions need nothing from here.

#![allow(missing_docs, unreachable_pub, reason = "generated; the contract itself is documented")]
#![allow(unsafe_code, reason = "generated: lowering to and lifting from the canonical ABI")]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::allow_attributes_without_reason,
    reason = "generated"
)]

wit_bindgen::generate!({
    path: "../../wit",
    world: "functions-component",
    pub_export_macro: true,
    export_macro_name: "export",
    default_bindings_module: "agent_memory_sdk::bindings",
});
