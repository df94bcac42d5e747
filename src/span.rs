//! What takes time, for a collector of traces: `aggregate.verb`, the time, and nothing about anybody.

/// By which a collector's spans are told from everything else that is logged.
pub const TARGET: &str = "aftercare::span";

/// A span that costs nothing while nobody collects any.
macro_rules! span {
    ($name:literal $($fields:tt)*) => {
        tracing::debug_span!(target: $crate::span::TARGET, $name $($fields)*)
    };
}
pub(crate) use span;
