//! EWF (E01).
