//! Volume systems (MBR, GPT) and the recognition of what lies in a volume.
pub mod gpt;
pub mod mbr;
pub mod recognise;
