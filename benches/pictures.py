"""PDQ of camera-size JPEG files: speed against the Python package pdqhash with Pillow, and agreement with it.

speed:  makes one 12-megapixel picture with grain in several codings and times, in turn, one core each (run it under
        taskset), `pdq_rate` (file to hash), Pillow at full size + pdqhash, and Pillow's draft + pdqhash.
agree:  composes N camera-size pictures from photographs, with grain, at several qualities and samplings, and compares
        the hash of `pdq_rate`'s scaled path with pdqhash at full size, and with zune's full decode where asked.

Needs Pillow, numpy and pdqhash. Pictures are made in --work and never kept in the repository.

  taskset -c 1 python benches/pictures.py speed --rate target/release/examples/pdq_rate --photos PHOTOS --work WORK
  python benches/pictures.py agree --count 300 --rate target/release/examples/pdq_rate --photos PHOTOS --work WORK
"""
import argparse, collections, datetime, pathlib, statistics, subprocess, time

import numpy as np
import pdqhash
import PIL
from PIL import Image

from photographs import photographs

ap = argparse.ArgumentParser()
ap.add_argument("mode", choices=["speed", "agree"])
ap.add_argument("--rate", required=True)
ap.add_argument("--photos", required=True, help="folder of photographs, searched in depth")
ap.add_argument("--work", required=True)
ap.add_argument("--count", type=int, default=300)
ap.add_argument("--runs", type=int, default=9)
args = ap.parse_args()
work = pathlib.Path(args.work)
work.mkdir(parents=True, exist_ok=True)
rng = np.random.default_rng(20)


def camera(paths, width, height):
    """One photograph enlarged, or four side by side, with grain of brightness and a little of colour."""
    if len(paths) == 1:
        im = Image.open(paths[0]).convert("RGB").resize((width, height), Image.LANCZOS)
    else:
        im = Image.new("RGB", (width, height))
        w, h = width // 2, height // 2
        for i, p in enumerate(paths):
            im.paste(Image.open(p).convert("RGB").resize((w, h), Image.LANCZOS), (i % 2 * w, i // 2 * h))
    a = np.asarray(im).astype(np.float32)
    a += rng.standard_normal((height, width, 1), dtype=np.float32) * 4
    a += rng.standard_normal(a.shape, dtype=np.float32) * 2
    return Image.fromarray(a.clip(0, 255).astype(np.uint8))


def text(bits):
    return "%064x" % int("".join("1" if b else "0" for b in bits), 2)


def distance(a, b):
    return bin(int(a, 16) ^ int(b, 16)).count("1")


def full(path):
    bits, quality = pdqhash.compute(np.asarray(Image.open(path).convert("RGB")))
    return text(bits), quality


def draft(path):
    im = Image.open(path)
    im.draft(None, (512, 512))
    bits, quality = pdqhash.compute(np.asarray(im.convert("RGB")))
    return text(bits), quality


def ours(paths, rounds=1):
    out = subprocess.run([args.rate, "--rounds", str(rounds), *map(str, paths)], capture_output=True, text=True, check=True)
    rows = [line.split("\t") for line in out.stdout.splitlines()[1:]]
    assert len(rows) == len(paths) and all(len(r) > 4 for r in rows), out.stdout[-2000:]
    return rows


def cpu():
    names = [line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    return f"{names[0]}, {len(names)} cores seen"


print(f"{datetime.date.today()}  {cpu()}  load {open('/proc/loadavg').read().split()[0]}")
print(f"pdqhash 0.2.8 by pip, Pillow {PIL.__version__}, numpy {np.__version__}; mode {args.mode}")
if args.mode == "speed":
    source = photographs(args.photos)
    pick = max(source, key=lambda p: (Image.open(p).size[0] * Image.open(p).size[1], str(p)))
    im = camera([pick], 4032, 3024)
    kinds = {
        "4:2:0 q92": dict(quality=92, subsampling=2),
        "4:2:2 q92": dict(quality=92, subsampling=1),
        "4:4:4 q92": dict(quality=92, subsampling=0),
        "4:2:0 q80": dict(quality=80, subsampling=2),
        "4:2:0 q92 optimised": dict(quality=92, subsampling=2, optimize=True),
        "4:2:0 q92 progressive": dict(quality=92, subsampling=2, progressive=True),
    }
    for name, how in kinds.items():
        path = work / "speed.jpg"
        im.save(path, **how)
        times = collections.defaultdict(list)
        hashes = {}
        for _ in range(args.runs):
            for what, run in (("full", full), ("draft", draft)):
                start = time.perf_counter()
                hashes[what] = run(path)
                times[what].append((time.perf_counter() - start) * 1000)
            row = ours([path])[0]
            hashes["ours"] = (row[1], int(row[2]))
            for what, column in (("ours", 5), ("decode", 6), ("hash", 7), ("second form", 8), ("entropy", 9)):
                times[what].append(float(row[column]))
        m = {k: statistics.median(v) for k, v in times.items()}
        print(f"\n{name}: {path.stat().st_size} bytes, 4032x3024, median (min) of {args.runs} runs in turn, ms")
        print("  " + ", ".join(f"{k} {m[k]:.1f} ({min(times[k]):.1f})" for k in times))
        print(f"  full / ours {m['full'] / m['ours']:.1f}, draft / ours {m['draft'] / m['ours']:.2f}, "
              f"entropy share of ours {m['entropy'] / m['ours'] * 100:.0f} %, scale {row[3]}")
        print(f"  distance to full: ours {distance(hashes['ours'][0], hashes['full'][0])}, "
              f"draft {distance(hashes['draft'][0], hashes['full'][0])}")
else:
    source = photographs(args.photos)
    rng.shuffle(source)
    sides = [(4032, 3024), (3024, 4032), (4000, 3000), (4608, 3456), (5184, 3456), (4096, 3072)]
    counts = collections.Counter()
    by_path = collections.defaultdict(list)
    low = 0
    for n in range(args.count):
        one = n % 3 != 2
        paths = [source[n % len(source)]] if one else [source[(n * 7 + i) % len(source)] for i in range(4)]
        quality = (95, 92, 85, 75, 50)[n % 5]
        subsampling = (2, 2, 1, 0)[n % 4]
        progressive = n % 7 == 0
        path = work / "agree.jpg"
        camera(paths, *sides[n % len(sides)]).save(path, quality=quality, subsampling=subsampling, progressive=progressive)
        reference, reference_quality = full(path)
        row = ours([path])[0]
        if reference_quality < 80:
            low += 1
            continue
        d, dd = distance(row[1], reference), distance(draft(path)[0], reference)
        counts[d] += 1
        by_path[row[3]].append(d)
        by_path["pillow draft"].append(dd)
        if d > 10:
            print(f"beyond 10: {d} bits, draft {dd}, picture {n}, q{quality}, subsampling {subsampling}", flush=True)
    print(f"pictures {args.count}, quality below 80 left out {low}; distances of our scaled path to pdqhash at full size:")
    print("  " + ", ".join(f"{d}: {c}" for d, c in sorted(counts.items())))
    for name, ds in sorted(by_path.items()):
        print(f"  {name}: {len(ds)} pictures, within 10 {sum(d <= 10 for d in ds)}, most {max(ds)}, mean {sum(ds) / len(ds):.2f}")
