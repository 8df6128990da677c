//! The sealed examination file: schema, writer, reader, verifier.
