//! What pictures say about themselves: the essentials with files made here, the rest against exiftool's answers.

mod build;
mod essentials;
mod hostile;
mod live;
mod thumbnails;
mod truth;
