#!/usr/bin/env python3
"""Checks a ledger on SQLite as docs/formats/ledger.md specifies it. Shares no code with the program; standard library only.
usage: verify_ledger.py STORE [CHECKPOINT...]     exit code 0: sound; 1: something does not fit, a line for each."""
import hashlib, json, sqlite3, struct, sys

# Ed25519 verification, RFC 8032 section 5.1.7, in affine-free (extended) coordinates.
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(n, p):
    out = (0, 1, 1, 0)
    while n:
        if n & 1:
            out = add(out, p)
        p, n = add(p, p), n >> 1
    return out


def point(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    xx = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(xx, (P + 3) // 8, P)
    if (x * x - xx) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or (x * x - xx) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def signed(key, message, signature):
    a, r, s = point(key), point(signature[:32]), int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    p, q = times(s, BASE), add(r, times(h, a))
    return (p[0] * q[2] - q[0] * p[2]) % P == 0 and (p[1] * q[2] - q[1] * p[2]) % P == 0


def text(value):
    data = value.encode()
    return struct.pack("<I", len(data)) + data


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def head(path):
    lines = open(path).read().splitlines()
    fields = dict(line.split(" ", 1) for line in lines[1:5])
    count, digest = int(fields["count"]), bytes.fromhex(fields["hash"])
    key, signature = bytes.fromhex(fields["key"]), bytes.fromhex(fields["signature"])
    title = b"avocet ledger head v1\n"
    good = lines[0].encode() + b"\n" == title and signed(key, title + struct.pack("<Q", count) + digest, signature)
    return count, digest, key, good


def check(store, checkpoints):
    faults, hashes, previous, wanted, stated = [], {}, bytes(32), 0, None
    db = sqlite3.connect(f"file:{store}/record.db?mode=ro", uri=True)
    rows = db.execute("SELECT seq, at, actor, kind, subjects, content, previous, hash FROM ledger ORDER BY seq")
    for seq, at, actor, kind, subjects, content, before, digest in rows.fetchall():
        wanted += 1
        if seq != wanted:
            faults.append(f"entry {seq} stands where {wanted} should")
        if before != previous:
            faults.append(f"entry {seq} does not follow the one before it")
        names = subjects.split()
        parts = [struct.pack("<Qq", seq, at), text(actor), text(kind), struct.pack("<I", len(names))]
        parts += [text(name) for name in names] + [content, before]
        if sha256(b"avocet ledger entry v1\n", *parts) != digest:
            faults.append(f"entry {seq} was altered")
        row = db.execute("SELECT salt, body FROM content WHERE seq = ?", (seq,)).fetchone()
        if row is None or sha256(b"avocet ledger content v1\n", row[0], row[1].encode()) != content:
            faults.append(f"the content of entry {seq} was altered or is gone")
        elif seq == 1:
            stated = bytes.fromhex(json.loads(row[1])["key"])
        previous, hashes[seq] = digest, digest
    for (seq,) in db.execute("SELECT seq FROM content WHERE seq NOT IN (SELECT seq FROM ledger)"):
        faults.append(f"content {seq} belongs to no entry")
    for path in [f"{store}/ledger.head", *checkpoints]:
        count, digest, key, good = head(path)
        name = path.rsplit("/", 1)[-1]
        if not good or key != stated:
            faults.append(f"{name} is not signed by the store's key")
        if count not in hashes:
            faults.append(f"{name} counts {count} entries but there are {len(hashes)}")
        elif hashes[count] != digest:
            faults.append(f"entry {count} is not the one that {name} names")
    return faults, len(hashes)


if __name__ == "__main__":
    found, entries = check(sys.argv[1].rstrip("/"), sys.argv[2:])
    print("\n".join(found) or f"sound: {entries} entries")
    sys.exit(1 if found else 0)
