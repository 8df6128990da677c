//! Published values, through the public interface only.

mod vectors;
