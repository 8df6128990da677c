//! ewf.
