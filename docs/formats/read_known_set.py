#!/usr/bin/env python3
"""Reads and checks a compiled known set (.avset, format version 1) without Avocet.

usage: read_known_set.py FILE info
       read_known_set.py FILE rows
       read_known_set.py FILE find (md5|sha1|sha256|size|pdq|photodna) VALUE
       read_known_set.py FILE check

`info` prints the digest that names the version and what the set says of itself; `rows` prints each row as one line of JSON; `find`
does so for the rows that a look-up of one value finds, through the table, the filter and the index; `check` compares every byte with
what docs/formats/known-set.md asks for. Follows that page and shares no code with the program. Values are hexadecimal, sizes decimal.
Exit status: 0 as asked, 1 nothing found, 2 the file is not as specified.
"""
import bisect, collections, hashlib, json, mmap, struct, sys, zlib

BLOCK = 65536
KINDS = {
    1: "META", 2: "STRINGS", 3: "MD5", 4: "SHA1", 5: "SHA256", 6: "FACTS", 7: "REPEATS", 11: "MORE", 8: "DETAILS", 9: "PDQ",
    0x10: "MD5-FAN", 0x30: "MD5-FILTER", 0x11: "SHA1-FAN", 0x21: "SHA1-INDEX", 0x31: "SHA1-FILTER", 0x12: "SHA256-FAN",
    0x22: "SHA256-INDEX", 0x32: "SHA256-FILTER", 0x13: "SIZE-FAN", 0x23: "SIZE-INDEX", 0x14: "PDQ-FAN", 0x24: "PDQ-INDEX",
    0x15: "PHOTODNA-FAN", 0x25: "PHOTODNA-INDEX", 10: "CHECKSUMS",
}
ORDER = list(KINDS.values())
DIGESTS = {"md5": (16, 8), "sha1": (20, 9), "sha256": (32, 10)}
FLAGS = ["victim-identified", "offender-identified", "distributed", "suspected", "self-generated"]
Section = collections.namedtuple("Section", "param offset length items sha256")
Facts = collections.namedtuple("Facts", "bits category series size source place id details pdq")


class Wrong(Exception):
    pass


def need(condition, what):
    if not condition:
        raise Wrong(what)


def number(data):
    return int.from_bytes(data, "little")


def prefix(value):
    return int.from_bytes(value[:8], "big")


class Set:
    def __init__(self, path):
        with open(path, "rb") as f:
            self.data = data = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)
        need(len(data) >= BLOCK and len(data) % BLOCK == 0, "not whole blocks")
        magic, version, block, length, self.rows, self.md5_rows, count = struct.unpack_from("<8sIIQQQI", data)
        need(magic == b"AVSET\r\n\x1a" and version == 1 and block == BLOCK, "not a compiled set of version 1")
        need(zlib.crc32(data[:4092]) == number(data[4092:4096]), "the checksum of the header does not fit")
        need(length == len(data), "another length than stated")
        need(count <= 62 and not any(data[44:48]) and not any(data[57:64]), "the header is not as specified")
        need(not any(data[64 + 64 * count:4092]) and not any(data[4096:BLOCK]), "bytes that should be zero are not")
        self.widths = list(data[48:57])
        need(self.widths[0] == 2 and max(self.widths) <= 8, "widths of FACTS")
        self.digest = hashlib.sha256(data[:4096]).hexdigest()
        self.sections, at, last = {}, BLOCK, -1
        for i in range(count):
            kind, *rest = struct.unpack_from("<IIQQQ32s", data, 64 + 64 * i)
            need(kind in KINDS and ORDER.index(KINDS[kind]) > last, "sections are not in order")
            last, section = ORDER.index(KINDS[kind]), Section(*rest)
            need(section.offset == at and section.items > 0, "sections do not follow one another")
            at += -(-section.length // BLOCK) * BLOCK
            need(at <= len(data), "a section beyond the end")
            self.sections[KINDS[kind]] = section
        need(at == len(data) and last == len(ORDER) - 1, "the sections do not end with the file")
        self.check_section("CHECKSUMS")
        s = self.sections["CHECKSUMS"]
        need(s.length == 4 * s.items == s.offset // BLOCK * 4 - 4, "CHECKSUMS has another length")
        self.sums, self.checked = struct.unpack_from(f"<{s.items}I", data, s.offset), set()
        self.check_section("META")
        self.meta = json.loads(self.bytes("META"))
        self.stride = sum(self.widths)

    def check_section(self, name):
        s = self.sections.get(name)
        need(s is not None, f"no section {name}")
        padded = self.data[s.offset:s.offset + -(-s.length // BLOCK) * BLOCK]
        need(hashlib.sha256(padded[:s.length]).digest() == s.sha256, f"the SHA-256 of {name} does not fit")
        need(not any(padded[s.length:]), f"the padding of {name} is not zero")

    def bytes(self, name, at=0, length=None):
        """Bytes of a section, in blocks that have been found to fit their checksums."""
        s = self.sections.get(name)
        need(s is not None, f"no section {name}")
        length = s.length - at if length is None else length
        need(0 <= at and at + length <= s.length, f"beyond the end of {name}")
        begin, end = s.offset + at, s.offset + at + length
        for block in range(begin // BLOCK, -(-end // BLOCK)):
            if block not in self.checked:
                whole = self.data[block * BLOCK:(block + 1) * BLOCK]
                need(zlib.crc32(whole) == self.sums[block - 1], f"block {block}, in {name}, is damaged")
                self.checked.add(block)
        return self.data[begin:end]

    def item(self, name, i, size):
        return self.bytes(name, i * size, size)

    def facts(self, row):
        data, at, values = self.item("FACTS", row, self.stride), 0, []
        for width in self.widths:
            values.append(number(data[at:at + width]))
            at += width
        return Facts(*values)

    def column(self, name, row, facts):
        size, bit = DIGESTS[name]
        return self.item(name.upper(), row, size) if facts.bits >> bit & 1 else None

    def details(self, facts):
        parts, at = [b"", b"", b""], facts.details - 1
        for i in range(3 if facts.details else 0):
            length = shift = 0
            while True:
                byte = self.bytes("DETAILS", at, 1)[0]
                length |= (byte & 127) << shift
                at, shift = at + 1, shift + 7
                if byte < 128:
                    break
                need(shift < 35, "a length of more than five bytes")
            parts[i] = self.bytes("DETAILS", at, length)
            at += length
        return parts, at

    def pdq(self, facts):
        return self.item("PDQ", facts.pdq - 1, 36)[:32] if facts.pdq else None

    def string(self, i):
        begin, end = struct.unpack("<QQ", self.bytes("STRINGS", i * 8, 16))
        return self.bytes("STRINGS", begin, end - begin).decode()

    def codes(self):
        scheme = self.meta["scheme"]
        return [c["code"] for c in scheme["categories"]] + [None] + self.meta["kept_codes"]

    def side(self, name, row):
        """The item of 12 bytes that begins with this row."""
        at = bisect.bisect_left(range(self.sections[name].items), row, key=lambda i: number(self.item(name, i, 12)[:4]))
        item = self.item(name, at, 12)
        need(number(item[:4]) == row, f"{name} lacks a row")
        return item[4:]

    def row(self, row):
        f = self.facts(row)
        (text, photodna, extra), _ = self.details(f)
        hexed = lambda value: value.hex() if value else None
        return {
            "row": row, **{name: hexed(self.column(name, row, f)) for name in DIGESTS},
            "size": f.size if f.bits >> 5 & 1 else None, "category": self.codes()[f.category],
            "series": self.string(f.series - 1) if f.series else None,
            "flags": [flag for i, flag in enumerate(FLAGS) if f.bits >> i & 1],
            "id": text.decode() if f.bits >> 7 & 1 else f.id if f.bits >> 6 & 1 else None,
            "source": f.source, "place": f.place, "pdq": hexed(self.pdq(f)), "photodna": hexed(photodna),
            "extra": extra.decode() or None, "count": number(self.side("MORE", row)) if f.bits >> 13 & 1 else 1,
            "repeats": bool(f.bits >> 12 & 1),
        }

    def entry(self, kind, i):
        """Key and row (or item of PDQ) of an entry of an index."""
        if kind == "MD5":
            return prefix(self.item("MD5", i, 16)), i
        width = self.sections[f"{kind}-INDEX"].param
        data = self.item(f"{kind}-INDEX", i, width + 4)
        return number(data[:width]), number(data[width:])

    def entries(self, kind):
        section = self.sections.get("MD5" if kind == "MD5" else f"{kind}-INDEX")
        return section.items if section else 0

    def passes(self, kind, key):
        if f"{kind}-FILTER" not in self.sections:
            return True
        words = struct.unpack("<8I", self.item(f"{kind}-FILTER", key * self.sections[f"{kind}-FILTER"].items >> 64, 32))
        return all(word >> (key >> 5 * i & 31) & 1 for i, word in enumerate(words))

    def find(self, kind, value):
        """Rows that a look-up of one value leads to, the row to show for a statement of several."""
        key = value if kind == "SIZE" else prefix(hashlib.sha256(value).digest() if kind == "PHOTODNA" else value)
        if not self.entries(kind) or not self.passes(kind, key):
            return
        fan = self.sections[f"{kind}-FAN"]
        if key >> fan.param >= fan.items - 1:
            return
        begin, end = struct.unpack("<II", self.bytes(f"{kind}-FAN", (key >> fan.param) * 4, 8))
        for i in range(bisect.bisect_left(range(end), key, begin, key=lambda i: self.entry(kind, i)[0]), end):
            found, row = self.entry(kind, i)
            if found != key:
                return
            if kind == "PDQ":
                row = number(self.item("PDQ", row, 36)[32:])
            f = self.facts(row)
            if kind in ("SHA1", "SHA256", "MD5") and self.column(kind.lower(), row, f) != value:
                continue
            if kind == "PDQ" and self.pdq(f) != value or kind == "PHOTODNA" and self.details(f)[0][1] != value:
                continue
            if kind in ("PDQ", "PHOTODNA"):
                yield row
            elif not f.bits >> 12 & 1:
                yield number(self.side("REPEATS", row)[4:]) if f.bits >> 11 & 1 else row

    def check(self):
        for name in self.sections:
            self.check_section(name)
            if name != "CHECKSUMS":
                self.bytes(name)
        self.check_rows()

    def order(self, row, f):
        digests = [self.column(name, row, f) for name in DIGESTS]
        (text, photodna, extra), _ = self.details(f)
        first = lambda value: (value is None, value or b"")
        bare = [first(self.pdq(f)), photodna] if not any(digests) else []
        size = (not f.bits >> 5 & 1, f.size)
        statement = [*map(first, digests), *bare, size, f.category, f.series, f.bits & 31]
        return statement, [f.bits >> 6 & 3, f.id, text], [self.pdq(f) or b"", photodna, extra]

    def check_rows(self):
        keys = {kind: [] for kind in ("MD5", "SHA1", "SHA256", "SIZE", "PDQ", "PHOTODNA")}
        before, groups, more, pdq, at_details = None, [], [], 0, 0
        counts, records, most = collections.Counter(), 0, [0] * 9
        for row in range(self.rows):
            f = self.facts(row)
            order = self.order(row, f)
            (text, photodna, extra), end = self.details(f)
            need(f.bits < 1 << 14 and f.bits >> 6 & 3 < 3 and bool(text) == bool(f.bits >> 7 & 1), "bits of a row")
            need(before is None or before < order, "rows are not in order")
            need((row < self.md5_rows) == bool(f.bits >> 8 & 1), "rows with an MD5 do not come first")
            for name in ("sha1", "sha256"):
                size, bit = DIGESTS[name]
                need(f.bits >> bit & 1 or name.upper() not in self.sections
                     or not any(self.item(name.upper(), row, size)), "an absent digest is not zero")
            need((f.bits >> 5 & 1 or not f.size) and (f.bits >> 6 & 1 or not f.id), "an absent number is not zero")
            repeats = before is not None and before[0] == order[0]
            need(repeats == bool(f.bits >> 12 & 1), "a row does not say that it repeats")
            if repeats:
                groups[-1].append((f.source, f.place, row))
            else:
                groups.append([(f.source, f.place, row)])
                counts[f.category] += 1
            if f.bits >> 13 & 1:
                more.append(row)
                need(number(self.side("MORE", row)) > 1, "MORE is not more than one")
            records += number(self.side("MORE", row)) if f.bits >> 13 & 1 else 1
            if f.details:
                need(f.details == at_details + 1 and (text or photodna or extra), "DETAILS are not in order")
                at_details = end
            if f.pdq:
                need(f.pdq == pdq + 1 and number(self.item("PDQ", pdq, 36)[32:]) == row, "PDQ is not in order")
                keys["PDQ"].append((prefix(self.pdq(f)), pdq))
                pdq += 1
            for name in DIGESTS:
                value = self.column(name, row, f)
                if value and (name == "md5" or not repeats):
                    keys[name.upper()].append((prefix(value), row))
            if f.bits >> 5 & 1 and not repeats:
                keys["SIZE"].append((f.size, row))
            if photodna:
                keys["PHOTODNA"].append((prefix(hashlib.sha256(photodna).digest()), row))
            need(f.source < len(self.meta["sources"]), "a source that is not there")
            self.row(row)
            before = order
        several = [g for g in groups if len(g) > 1]
        items = lambda name, size: [self.item(name, i, size) for i in range(self.sections[name].items)] if name in self.sections else []
        need(items("REPEATS", 12) == [struct.pack("<III", g[0][2], len(g), min(g)[2]) for g in several], "REPEATS")
        need(all(bool(self.facts(g[0][2]).bits >> 11 & 1) == (len(g) > 1) for g in groups), "bit 11 of a row")
        need([number(i[:4]) for i in items("MORE", 12)] == more, "MORE has other rows")
        length = lambda name: self.sections[name].length if name in self.sections else 0
        need(length("DETAILS") == at_details and length("PDQ") == 36 * pdq, "DETAILS or PDQ have more than the rows")
        need(self.sections["FACTS"].length == self.rows * self.stride, "FACTS has another length")
        for kind, wanted in keys.items():
            self.check_index(kind, sorted(wanted))
        meta = self.meta["counts"]
        need([counts[i] for i in range(len(self.codes()))] == self.meta["categories"], "categories are counted wrongly")
        need(len(groups) == meta["kept"] and records == meta["kept"] + meta["duplicates"], "kept records")
        need((pdq, len(keys["PHOTODNA"])) == (meta["pdq"], meta["photodna"]), "PDQ and PhotoDNA are counted wrongly")
        rejected = sum(tally["count"] for tally in self.meta["rejected"])
        need(meta["read"] == records + meta["removed"] + meta["deletions"] + rejected, "the counts do not add up")

    def check_index(self, kind, keys):
        need(self.entries(kind) == len(keys), f"{kind}: another number of keys")
        need(all(self.entry(kind, i) == key for i, key in enumerate(keys)), f"{kind}: other keys")
        if not keys:
            return
        digest = kind in ("MD5", "SHA1", "SHA256")
        bits = 64 if digest else keys[-1][0].bit_length()
        fan_bits = min(max(len(keys).bit_length() - 1 - 4, 0), 24, bits)
        fan = self.sections[f"{kind}-FAN"]
        need((fan.param, fan.items) == (bits - fan_bits, (1 << fan_bits) + 1), f"{kind}-FAN: another shape")
        table = [bisect.bisect_left(keys, i, key=lambda k: k[0] >> fan.param) for i in range(fan.items)]
        need(self.bytes(f"{kind}-FAN") == struct.pack(f"<{fan.items}I", *table), f"{kind}-FAN")
        if kind != "MD5":
            need(self.sections[f"{kind}-INDEX"].param == -(-bits // 8), f"{kind}-INDEX: another width")
        if digest:
            lines = max(len(keys) * 12 // 256, 1)
            words = [0] * lines * 8
            for key, _ in keys:
                for i in range(8):
                    words[(key * lines >> 64) * 8 + i] |= 1 << (key >> 5 * i & 31)
            need(self.bytes(f"{kind}-FILTER") == struct.pack(f"<{len(words)}I", *words), f"{kind}-FILTER")


def main(arguments):
    match arguments:
        case [_, "info" | "rows" | "check"]:
            pass
        case [_, "find", "md5" | "sha1" | "sha256" | "size" | "pdq" | "photodna", _]:
            pass
        case _:
            sys.exit(__doc__)
    try:
        s = Set(arguments[0])
        if arguments[1] == "info":
            print(json.dumps({"digest": s.digest, "rows": s.rows, **s.meta}, indent=1, ensure_ascii=False))
        elif arguments[1] == "check":
            s.check()
            print(s.digest)
        else:
            if arguments[1] == "rows":
                rows = range(s.rows)
            else:
                kind, value = arguments[2].upper(), arguments[3]
                rows = sorted(set(s.find(kind, int(value) if kind == "SIZE" else bytes.fromhex(value))))
            for row in rows:
                print(json.dumps(s.row(row), ensure_ascii=False))
            if not rows:
                sys.exit(1)
    except (Wrong, IndexError, ValueError, struct.error) as wrong:
        print(f"not as specified: {wrong}", file=sys.stderr)
        sys.exit(2)


main(sys.argv[1:])
