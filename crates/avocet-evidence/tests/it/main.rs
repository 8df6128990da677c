//! One test binary: outside oracles and hostile input for every reader.
#![cfg(test)]
mod apfs;
mod bitlocker;
mod btrfs;
mod corestorage;
mod disks;
mod ewf;
mod ext;
mod f2fs;
mod fat;
mod hfs;
mod iso;
mod luks;
mod lvm;
mod ntfs;
mod phones;
mod support;
mod tcrypt;
mod trees;
mod udf;
mod volume;
mod xfs;
