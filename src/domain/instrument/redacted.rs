//! What somebody answered, and what follows from it, is text about a person: it is never printed.

/// Gives types a `Debug` that prints nothing of what they hold.
macro_rules! redacted {
    ($($name:ident),*) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }
    )*};
}
pub(super) use redacted;
