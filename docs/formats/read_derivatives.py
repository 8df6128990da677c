#!/usr/bin/env python3
"""Lists and decrypts an Avocet store of derivatives (format version 1), or what an index file points at, without Avocet.

usage: read_derivatives.py (--key-file FILE | --passphrase-file FILE) X.derivatives list
       read_derivatives.py (--key-file FILE | --passphrase-file FILE) X.derivatives get SHA256 (veiled|clear)

`list` decrypts everything and prints one line a picture: look-up key, kind, length, SHA-256 of the picture. `get` writes
one picture to standard output. Follows docs/formats/derivatives.md and shares no code with the program. Needs the
Python package `cryptography` (44 or later). A line feed at the end of a passphrase file does not count. Exit status: 0 as
asked, 1 not in the store, 2 anything is not as specified.
"""
import hashlib, hmac, os, struct, sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

HEADER, SLOT, PAGE, ENTRY, END, FRONT = 1152, 128, 4096, 40, 72, 384
KINDS = {"veiled": 1, "clear": 2}


class Wrong(Exception):
    pass


def need(condition, what):
    if not condition:
        raise Wrong(what)


def hchacha20(key, nonce):
    """Section 2.2 of draft-irtf-cfrg-xchacha: the first and last row of 20 rounds of ChaCha."""
    s = list(struct.unpack("<16I", b"expand 32-byte k" + key + nonce))

    def quarter(a, b, c, d):
        for x, y, z, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            s[x] = (s[x] + s[y]) & 0xFFFFFFFF
            v = s[z] ^ s[x]
            s[z] = (v << turn | v >> 32 - turn) & 0xFFFFFFFF

    for _ in range(10):
        for i in range(4):
            quarter(i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return struct.pack("<8I", *s[:4], *s[12:])


def opened(key, binding, piece, what):
    nonce, text = piece[:24], piece[24:]
    try:
        return ChaCha20Poly1305(hchacha20(key, nonce[:16])).decrypt(bytes(4) + nonce[16:], text, binding)
    except InvalidTag:
        raise Wrong(f"{what} does not decrypt") from None


def mac(key, *parts):
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()


def bucket(number):
    need(number <= 36, "no such bucket")
    return (4 + number % 4) * 512 << number // 4


class Store:
    def __init__(self, path, kind, secret):
        with open(path, "rb") as f:
            self.index = data = f.read()
        front = None
        if data[:16] == b"AVOCET-DINDX\r\n\x1a\n":
            front = data[:FRONT]
            data = self.pointed_at(front, os.path.dirname(path))
        self.data = data
        need(len(data) >= HEADER and len(self.index) >= END, "too short")
        fixed = data[:128]
        magic, version, slots = struct.unpack_from("<16sII", fixed)
        need(magic == b"AVOCET-DERIV\r\n\x1a\n" and version == 1 and slots == 8, "not a store of version 1")
        need(fixed[88:] == bytes(40), "reserved bytes are not zero")
        self.file_id = self.page_id = fixed[24:56]
        if front:
            need(front[24:56] == self.file_id, "another store than the one pointed into")
            self.page_id = front[56:88]
        data_key = self.unwrap(fixed, kind, secret)
        key = lambda use: mac(data_key, b"avocet-derivatives v1 ", use, b"\n", self.file_id)
        self.record_key, self.page_key, self.lookup_key = key(b"record"), key(b"page"), key(b"lookup")
        for i in range(8):
            slot = data[128 + i * SLOT:][:SLOT]
            need(slot == bytes(SLOT) or slot[120:] == mac(key(b"slot"), fixed, slot[:120])[:8], "a wrapped key is changed")
        end = opened(key(b"end"), front or fixed, self.index[-END:], "the end")
        self.items, self.records, self.pages, length = struct.unpack("<4Q", end)
        self.start = FRONT if front else self.records
        need(length == len(self.index) == self.start + self.pages * PAGE + END, "wrong length")
        need(self.pages == (self.items + 100) // 101, "wrong number of pages")

    def pointed_at(self, front, folder):
        need(len(front) == FRONT, "too short")
        version, length = struct.unpack_from("<II", front, 16)
        need(version == 1 and front[88:128] == bytes(40), "not an index file of version 1")
        name = front[128:128 + length]
        need(0 < length <= 255 and front[128 + length:] == bytes(256 - length), "the name is not as it must be")
        need(name not in (b".", b"..") and b"/" not in name and all(c > 31 and c != 127 for c in name), "a name that leads away")
        for suffix in (b".partial", b""):
            try:
                with open(os.path.join(os.fsencode(folder), name + suffix), "rb") as f:
                    return f.read()
            except FileNotFoundError:
                continue
        raise Wrong("the store pointed into is not there")

    def unwrap(self, fixed, wanted, secret):
        for i in range(8):
            slot = self.data[128 + i * SLOT:][:SLOT]
            kind, memory, passes, lanes, salt = struct.unpack_from("<4I32s", slot)
            if kind != wanted:
                continue
            if kind == 1:
                need(memory <= 262144 and 1 <= passes <= 64 and 1 <= lanes <= 16, "too costly")
                wrapping = Argon2id(salt=salt, length=32, iterations=passes, lanes=lanes,
                                    memory_cost=memory).derive(secret)
            else:
                wrapping = mac(secret, b"avocet-derivatives v1 key file\n", salt)
            try:
                return opened(wrapping, fixed + slot[:48], slot[48:120], "")
            except Wrong:
                continue
        raise Wrong("no key of this store opens with what was given")

    def entries(self):
        left = self.items
        for page in range(self.pages):
            binding = self.page_id + struct.pack("<3Q", page, self.pages, self.items)
            at = self.start + page * PAGE
            text = opened(self.page_key, binding, self.index[at:at + PAGE], "a page")
            for i in range(min(left, 101)):
                line = text[i * ENTRY:][:ENTRY]
                yield line[:32], int.from_bytes(line[32:38], "little"), line[38], line[39]
            left -= 101

    def picture(self, entry, kind):
        lookup, offset, veiled, clear = entry
        size = bucket(clear if kind == "clear" else veiled)
        if kind == "clear":
            offset += bucket(veiled) + 40
        need(HEADER <= offset and offset + size + 40 <= self.records, "a record outside the records")
        binding = self.file_id + lookup + bytes([KINDS[kind], 0, 0, 0]) + struct.pack("<I", size)
        text = opened(self.record_key, binding, self.data[offset:offset + size + 40], "a record")
        length = struct.unpack_from("<I", text)[0]
        need(length <= size - 4 and not any(text[4 + length:]), "padding is not zero")
        return text[4:4 + length]

    def list(self):
        last, filled = b"", HEADER
        for entry in self.entries():
            need(entry[0] > last, "look-up keys do not increase")
            last = entry[0]
            filled += bucket(entry[2]) + bucket(entry[3]) + 80
            for kind in KINDS:
                picture = self.picture(entry, kind)
                print(entry[0].hex(), kind, len(picture), hashlib.sha256(picture).hexdigest())
        need(filled == self.records, "bytes that belong to no record")

    def get(self, sha256, kind):
        wanted = mac(self.lookup_key, bytes.fromhex(sha256))
        return next((self.picture(e, kind) for e in self.entries() if e[0] == wanted), None)


def main(arguments):
    if len(arguments) < 4 or arguments[0] not in ("--key-file", "--passphrase-file"):
        sys.exit(__doc__)
    with open(arguments[1], "rb") as f:
        secret = f.read()
    if arguments[0] == "--passphrase-file":
        secret = secret.removesuffix(b"\n")
    try:
        store = Store(arguments[2], 1 if arguments[0] == "--passphrase-file" else 2, secret)
        if arguments[3:] == ["list"]:
            store.list()
        elif len(arguments) == 6 and arguments[3] == "get" and arguments[5] in KINDS:
            picture = store.get(arguments[4], arguments[5])
            if picture is None:
                sys.exit(1)
            sys.stdout.buffer.write(picture)
        else:
            sys.exit(__doc__)
    except Wrong as wrong:
        print(f"not as specified: {wrong}", file=sys.stderr)
        sys.exit(2)


main(sys.argv[1:])
