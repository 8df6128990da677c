//! NTFS: volumes built record by record, real volumes against The Sleuth Kit, and seeded damage.
#[path = "ntfs/builder.rs"]
mod builder;
#[path = "ntfs/hostile.rs"]
mod hostile;
#[path = "ntfs/made.rs"]
mod made;
#[path = "ntfs/real.rs"]
mod real;
