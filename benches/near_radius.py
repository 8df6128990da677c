"""How far PDQ moves: under edits of one photograph, between two frames of one scene, and between different photographs;
and how evenly the index's bands are filled by real hashes. The figures behind docs/decisions/0009-near-match.md.

usage: python3 benches/near_radius.py TESTDATA     (needs numpy, pdqhash and pillow)
"""
import csv, io, pathlib, random, sys

import numpy as np
import pdqhash
from PIL import Image

data = pathlib.Path(sys.argv[1])
rows = list(csv.DictReader(open(data / "perceptual/pdq/pdqhash-0.2.8-vectors.tsv"), delimiter="\t"))
bits = lambda text: np.unpackbits(np.frombuffer(bytes.fromhex(text), dtype=np.uint8), bitorder="little")
photographs = [r for r in rows if r["path"].startswith(("pictures/corpus", "pictures/exif")) and len(r["pdq_full_size"]) == 64 and int(r["quality_full"]) >= 50]
hashes = np.array([bits(r["pdq_full_size"]) for r in photographs])
pairs = hashes @ (1 - hashes.T.astype(int)) + (1 - hashes.astype(int)) @ hashes.T
upper = np.triu_indices(len(hashes), 1)
closest = np.sort(pairs[upper])
print(f"## {len(hashes)} photographs, {len(closest):,} pairs: smallest distances {closest[:6].tolist()}, at most 31: {(closest <= 31).sum()}")

print("## candidates of 11 bands (ten of radius 2, the last of radius 1), as a multiple of evenly spread hashes")
corpus = np.array([bits(r["pdq_full_size"]) for r in photographs if "corpus" in r["path"]]).astype(np.int16)
widths = [256 // 11 + (i < 256 % 11) for i in range(11)]
upper = np.triu_indices(len(corpus), 1)
from math import comb
for stride in (1, 37):
    order, at, share = [stride * j % 256 for j in range(256)], 0, []
    expected = []
    for i, width in enumerate(widths):
        part = corpus[:, order[at : at + width]]
        at += width
        t = 1 if i == 10 else 2
        distance = (part @ (1 - part.T) + (1 - part) @ part.T)[upper]
        share.append((distance <= t).mean())
        expected.append(sum(comb(width, k) for k in range(t + 1)) / 2**width)
    print(f"stride {stride}: {sum(share) / sum(expected):.2f} in all, worst band {max(s / e for s, e in zip(share, expected)):.2f} ({len(upper[0]):,} pairs)")

print("## edits and second frames")
random.seed(1)
jpegs = [r for r in rows if r["path"].startswith(("pictures/corpus", "pictures/exif")) and r["path"].endswith(".jpg") and r["quality_full"] and int(r["quality_full"]) >= 50]
random.shuffle(jpegs)
found = {}


def add(name, original, image):
    value, quality = pdqhash.compute(np.asarray(image))
    if quality >= 50:
        found.setdefault(name, []).append(int((value != original).sum()))


def jpeg(image, quality):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def thumbnail(image, side):
    image = image.copy()
    image.thumbnail((side, side))
    return image


for r in jpegs[:150]:
    image = thumbnail(Image.open(data / r["path"]).convert("RGB"), 1600)
    w, h = image.size
    original, quality = pdqhash.compute(np.asarray(image))
    if min(w, h) < 256 or quality < 50:
        continue
    for q in (90, 70, 50, 30):
        add(f"jpeg {q}", original, jpeg(image, q))
    for s in (75, 50, 25):
        add(f"resize to {s} %", original, image.resize((w * s // 100, h * s // 100), Image.LANCZOS))
    add("thumbnail 512", original, thumbnail(image, 512))
    add("thumbnail 160, jpeg 75", original, jpeg(thumbnail(image, 160), 75))
    add("resize to 50 %, jpeg 60", original, jpeg(image.resize((w // 2, h // 2), Image.LANCZOS), 60))
    add("grey", original, image.convert("L").convert("RGB"))
    # Two frames of one scene: a window of 90 % moved sideways, and by half as much downwards, with noise of its own.
    rng = np.random.default_rng(w * 7919 + h)
    inner = (int(w * 0.9), int(h * 0.9))
    first, _ = pdqhash.compute(np.asarray(image.crop((0, 0, *inner))))
    for s in (0.25, 0.5, 1, 2, 3, 5):
        moved = image.transform(inner, Image.Transform.AFFINE, (1, 0, w * s / 100, 0, 1, w * s / 200), Image.Resampling.BICUBIC)
        noise = rng.normal(0, 4, (inner[1], inner[0], 1)).astype(int)
        add(f"second frame moved by {s} % of the width", first, np.clip(np.asarray(moved).astype(int) + noise, 0, 255).astype(np.uint8))
print("%-42s %5s %5s %5s %5s %5s %7s %7s %7s %7s" % ("", "n", "50%", "90%", "99%", "max", "<=10", "<=16", "<=20", "<=31"))
for name, values in found.items():
    v = np.array(values)
    shares = [100 * (v <= r).mean() for r in (10, 16, 20, 31)]
    print("%-42s %5d %5d %5d %5d %5d %6.1f%% %6.1f%% %6.1f%% %6.1f%%" % (name, len(v), *np.percentile(v, (50, 90, 99)), v.max(), *shares))
