//! The generated messages of `proto/aftercare/v1`, clients and servers.

#![allow(missing_docs, rustdoc::all, clippy::all, clippy::pedantic, reason = "generated; documented in proto/")]

pub use self::aftercare::v1::*;

/// The descriptors of every message, for reflection and tests.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/aftercare.bin"));

pub mod google {
    pub mod r#type {
        include!(concat!(env!("OUT_DIR"), "/google.r#type.rs"));
    }
}

pub mod aftercare {
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/aftercare.v1.rs"));
    }
}

// How messages with personal fields print: by their ids. build.rs writes it from the marks in proto/.
include!(concat!(env!("OUT_DIR"), "/debug.rs"));
