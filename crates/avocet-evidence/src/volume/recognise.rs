//! Recognises what lies in a volume or container by its content.
