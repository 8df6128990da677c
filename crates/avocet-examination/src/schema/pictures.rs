//! The tables of pictures and of a rematch, since schema version 2.
//!
//! A picture is one content. Its row bears the id of the first file with that content; every other file with it has the
//! same SHA-256.

use super::{Key, Table, mark, table};

table!(
    PICTURE,
    "picture",
    Integer,
    true,
    ["file", "sha256", "kind", "status", "code", "reason", "orientation", "thumbnail"],
    "
  file INTEGER PRIMARY KEY REFERENCES file(id), -- the first file with this content
  sha256 BLOB NOT NULL,
  kind TEXT NOT NULL,
  status TEXT NOT NULL, -- decoded, partial, undecodable
  code TEXT, -- of the reason
  reason TEXT,
  orientation INTEGER, -- EXIF 1 to 8
  thumbnail TEXT -- what the embedded thumbnail shows: same, differs, unreadable; NULL: there is none
) STRICT"
);

table!(
    PICTURE_IMAGE,
    "picture_image",
    Pair,
    true,
    ["picture", "seq", "role", "width", "height", "decoder", "partial"],
    "
  picture INTEGER NOT NULL REFERENCES picture(file),
  seq INTEGER NOT NULL,
  role TEXT NOT NULL, -- primary, top-level, page, frame, preview, alternative
  width INTEGER NOT NULL, -- pixels, as stored
  height INTEGER NOT NULL,
  decoder TEXT NOT NULL,
  partial TEXT, -- why only a part of it could be decoded
  PRIMARY KEY (picture, seq)
) STRICT, WITHOUT ROWID"
);

table!(
    PICTURE_HASH,
    "picture_hash",
    Pair,
    true,
    ["picture", "seq", "image", "form", "path", "quality", "pdq", "turned"],
    "
  picture INTEGER NOT NULL REFERENCES picture(file),
  seq INTEGER NOT NULL,
  image INTEGER NOT NULL, -- seq of picture_image
  form TEXT NOT NULL, -- full, 512
  path TEXT NOT NULL, -- how the pixels were scaled before hashing
  quality INTEGER NOT NULL, -- 0 to 100
  pdq BLOB NOT NULL, -- 32 bytes, the picture as stored
  turned BLOB NOT NULL, -- 7 x 32 bytes, the other orientations
  PRIMARY KEY (picture, seq)
) STRICT, WITHOUT ROWID"
);

table!(
    PICTURE_FACT,
    "picture_fact",
    Pair,
    true,
    ["picture", "seq", "key", "value", "source"],
    "
  picture INTEGER NOT NULL REFERENCES picture(file),
  seq INTEGER NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  source TEXT NOT NULL,
  PRIMARY KEY (picture, seq)
) STRICT, WITHOUT ROWID"
);

table!(
    NEAR_MATCH,
    "near_match",
    Pair,
    true,
    [
        "picture",
        "seq",
        "image",
        "form",
        "turn",
        "known_set",
        "record",
        "distance",
        "category",
        "meaning",
        "alerts",
        "series"
    ],
    "
  picture INTEGER NOT NULL REFERENCES picture(file),
  seq INTEGER NOT NULL,
  image INTEGER NOT NULL, -- seq of picture_image
  form TEXT NOT NULL,
  turn INTEGER NOT NULL, -- 0 as stored, 1 to 7 the other orientations
  known_set INTEGER NOT NULL REFERENCES known_set(id),
  record TEXT NOT NULL,
  distance INTEGER NOT NULL, -- bits that differ, of 256
  category TEXT,
  meaning TEXT,
  alerts INTEGER NOT NULL,
  series TEXT,
  PRIMARY KEY (picture, seq)
) STRICT, WITHOUT ROWID"
);

table!(
    PICTURE_GROUP,
    "picture_group",
    Pair,
    true,
    ["representative", "seq", "member", "distance", "form", "turn"],
    "
  representative INTEGER NOT NULL REFERENCES picture(file),
  seq INTEGER NOT NULL,
  member INTEGER NOT NULL REFERENCES picture(file),
  distance INTEGER NOT NULL, -- bits between the member and the representative itself
  form TEXT NOT NULL,
  turn INTEGER NOT NULL,
  PRIMARY KEY (representative, seq)
) STRICT, WITHOUT ROWID"
);

table!(
    MATCH_CHANGE,
    "match_change",
    Integer,
    true,
    ["seq", "file", "change", "how", "known_set", "record", "before", "after"],
    "
  seq INTEGER PRIMARY KEY,
  file INTEGER NOT NULL REFERENCES file(id),
  change TEXT NOT NULL, -- gained, lost, changed
  how TEXT NOT NULL, -- exact, near
  known_set TEXT NOT NULL, -- name of the set
  record TEXT NOT NULL,
  before TEXT, -- what the earlier examination said of it
  after TEXT -- what this one says
) STRICT"
);
