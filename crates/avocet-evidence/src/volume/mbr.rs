//! MBR partition tables, extended ones too.
