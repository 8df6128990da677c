//! Raw and split raw images.
