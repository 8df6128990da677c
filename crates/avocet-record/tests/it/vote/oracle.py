"""Agreement and samples worked out apart from the crate: exact fractions and hashlib, standard library only.

Reads one JSON question a line, writes one JSON answer a line.
"""
import hashlib
import json
import sys
from fractions import Fraction


def ratio(observed, chance):
    if chance == 1:
        return None
    return float((observed - chance) / (1 - chance))


def cohen(pairs):
    """pairs: [[first, second], ...] item by item."""
    n = len(pairs)
    if n == 0:
        return None
    observed = Fraction(sum(a == b for a, b in pairs), n)
    names = {x for pair in pairs for x in pair}
    chance = sum(Fraction(sum(a == k for a, _ in pairs), n) * Fraction(sum(b == k for _, b in pairs), n) for k in names)
    return ratio(observed, chance)


def fleiss(items):
    """items: [[category, ...], ...], the same number of votes in each."""
    if not items or len(items[0]) < 2:
        return None
    m = len(items[0])
    names = {x for item in items for x in item}
    # The share of ordered pairs of different voters who agree, counted pair by pair.
    shares = [Fraction(sum(item[i] == item[j] for i in range(m) for j in range(m) if i != j), m * (m - 1)) for item in items]
    observed = sum(shares) / len(items)
    chance = sum(Fraction(sum(item.count(k) for item in items), len(items) * m) ** 2 for k in names)
    return ratio(observed, chance)


def drawn(seed, per_1000, item):
    digest = hashlib.sha256(b"avocet moderation sample 1" + bytes.fromhex(seed) + bytes.fromhex(item)).digest()
    return Fraction(int.from_bytes(digest[:8], "big"), 2**64) < Fraction(per_1000, 1000)


for line in sys.stdin:
    kind, *rest = json.loads(line)
    print(json.dumps({"cohen": cohen, "fleiss": fleiss, "drawn": drawn}[kind](*rest)))
