#!/usr/bin/env python3
"""Recomputes the result digest of an Avocet examination file (schema versions 1 and 2) without Avocet.

usage: verify_examination.py X.examination [RESULT-DIGEST]

Follows docs/formats/examination.md and shares no code with the program. It checks the digest, the digest stated inside,
the one given, and the seal beside the file; not the seal's signature. Exit status 0 where all that was checked agrees.
"""
import hashlib, json, os, sqlite3, struct, sys, urllib.parse

TABLES = {  # hashed tables in their order: columns and how many of the first ones are the key
    "config": ("key value", 1),
    "evidence": ("id kind media_size exhibit segments stored_md5 stored_sha1 md5 sha1 sha256 verdict", 1),
    "evidence_fact": ("evidence seq key value", 2),
    "known_set": ("id name format source_sha256 scheme scheme_version scheme_digest records_kept rejected", 1),
    "volume": ("id label start length status kind fs_label serial cluster_size time_source detail", 1),
    "space": ("id volume kind start length", 1),
    "file": ("id volume path stream kind state number size created modified accessed changed deleted name_created "
             "name_modified name_accessed name_changed zone md5 sha1 sha256 unreadable media format note parent", 1),
    "extent": ("file seq logical length start", 2),
    "original_name": ("file original_path deleted info_file", 1),
    "known_match": ("file seq known_set record basis category meaning alerts hides series", 2),
    "problem": ("seq volume layer code offset path detail", 1),
    "completeness": ("seq level code count bytes text", 1),
}

V2 = {  # what schema version 2 has otherwise; the new tables come before "problem"
    "known_set": ("id name version format source_sha256 set_sha256 scheme scheme_version scheme_digest records_kept "
                  "rejected", 1),
    "picture": ("file sha256 kind status code reason orientation thumbnail", 1),
    "picture_image": ("picture seq role width height decoder partial", 2),
    "picture_hash": ("picture seq image form path quality pdq turned", 2),
    "picture_fact": ("picture seq key value source", 2),
    "near_match": ("picture seq image form turn known_set record distance category meaning alerts series", 2),
    "picture_group": ("representative seq member distance form turn", 2),
    "match_change": ("seq file change how known_set record before after", 1),
}

def tables(version):
    if version == 1:
        return TABLES
    out = {}
    for name, table in TABLES.items():
        if name == "problem":
            out.update((n, t) for n, t in V2.items() if n not in TABLES)
        out[name] = V2.get(name, table)
    return out

class Text(bytes):
    """Bytes that SQLite gave as TEXT, to be told from a BLOB."""

def sized(data):
    return struct.pack("<I", len(data)) + data

def value(v):
    if v is None:
        return b"\0"
    if isinstance(v, int):
        return b"\1" + struct.pack("<q", v)
    if isinstance(v, Text):
        return b"\2" + sized(v)
    if isinstance(v, bytes):
        return b"\3" + sized(v)
    raise SystemExit("a value is neither integer, text nor blob")

def result_digest(db, version):
    sha = hashlib.sha256(b"avocet-examination result v1\n" + struct.pack("<q", version))
    for table, (columns, keys) in tables(version).items():
        names = columns.split()
        sha.update(b"T" + sized(table.encode()) + struct.pack("<I", len(names)))
        sha.update(b"".join(sized(name.encode()) for name in names))
        rows = 0
        order = ", ".join(names[:keys])
        for row in db.execute(f"SELECT {', '.join(names)} FROM {table} NOT INDEXED ORDER BY {order}"):
            sha.update(b"R" + b"".join(map(value, row)))
            rows += 1
        sha.update(b"E" + struct.pack("<Q", rows))
    return sha.hexdigest()

def file_sha256(file):
    sha = hashlib.sha256()
    while chunk := file.read(1 << 20):
        sha.update(chunk)
    return sha.hexdigest()

def main(path, expected=None):
    db = sqlite3.connect(f"file:{urllib.parse.quote(os.path.abspath(path))}?immutable=1", uri=True)
    db.text_factory = Text
    if db.execute("PRAGMA application_id").fetchone()[0] != 0x41564358:
        raise SystemExit("not an examination file")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version not in (1, 2):
        raise SystemExit("another schema version than 1 and 2")
    digest = result_digest(db, version)
    print("result digest", digest)
    checks = {"stated inside": [r[0].hex() for r in db.execute("SELECT digest FROM result")] == [digest]}
    if expected:
        checks["equal to the digest given"] = expected.lower() == digest
    if os.path.exists(path + ".seal"):
        with open(path + ".seal", encoding="utf-8") as f:
            seal = json.load(f)
        with open(path, "rb") as f:
            checks["seal: same file"] = seal["file_sha256"] == file_sha256(f)
        checks["seal: same result"] = seal["result_digest"] == digest
    for name, good in checks.items():
        print(f"{name}: {'yes' if good else 'NO'}")
    return 0 if all(checks.values()) else 1

if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    sys.exit(main(*sys.argv[1:]))
