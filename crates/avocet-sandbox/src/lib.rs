//! Worker processes and what they may do.
