//! Changes and closes plans.
