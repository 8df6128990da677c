//! Containers: how an image, a folder or an archive on this machine becomes one [`crate::Source`] or tree.
pub mod ewf;
pub mod raw;
