//! Known sets: formats, category schemes, exact look-up.
