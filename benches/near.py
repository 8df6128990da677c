"""Near match at radius 31 beside faiss IndexBinaryFlat, in one run on one core, every answer compared.

usage: taskset -c 1 python3 benches/near.py [--hashes N] [--queries N] [--work FOLDER]
Needs `cargo build --release -p avocet-near --example near_rate`, and the packages faiss-cpu and numpy.
"""
import argparse, datetime, json, os, pathlib, platform, subprocess, sys, time

import faiss
import numpy as np

ap = argparse.ArgumentParser()
ap.add_argument("--hashes", type=int, default=10_000_000)
ap.add_argument("--queries", type=int, default=2000)
ap.add_argument("--faiss-queries", type=int, default=0, help="fewer for the timing of one by one; 0: as many as fit 20 s")
ap.add_argument("--work", default="target/bench-near")
ap.add_argument("--program", default="target/release/examples/near_rate")
ap.add_argument("--seed", type=int, default=1)
ap.add_argument("sections", nargs="*", default=[])
args = ap.parse_args()
sections = args.sections or ["random", "clustered", "groups"]
work = pathlib.Path(args.work)
work.mkdir(parents=True, exist_ok=True)
faiss.omp_set_num_threads(1)
rng = np.random.default_rng(args.seed)
RADIUS = 31


def cpu():
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def flipped(hashes, counts):
    """Each hash with so many of its bits changed, anywhere."""
    out = np.unpackbits(hashes, axis=1)
    for row, count in zip(out, counts):
        row[rng.permutation(256)[:count]] ^= 1
    return np.packbits(out, axis=1)


def spread_over_bands(hashes, counts, bands=11):
    """As above, the changed bits spread as evenly as can be over the index's own bands."""
    widths = [256 // bands + (i < 256 % bands) for i in range(bands)]
    out = np.unpackbits(hashes, axis=1, bitorder="little")
    for row, count in zip(out, counts):
        at, slots = 0, []
        for width in widths:
            slots.append(rng.permutation(np.arange(at, at + width)))
            at += width
        rng.shuffle(slots)
        taken = [s[r] for r in range(max(widths)) for s in slots if r < len(s)][:count]
        row[[37 * int(j) % 256 for j in taken]] ^= 1
    return np.packbits(out, axis=1, bitorder="little")


def random_hashes(count):
    return rng.integers(0, 256, (count, 32), dtype=np.uint8)


def ours(stored, queries, *options):
    stored.tofile(work / "hashes")
    queries.tofile(work / "queries")
    answer = subprocess.run([args.program, work / "hashes", work / "queries", work / "answers", str(RADIUS), *options],
                            capture_output=True, text=True, check=True)
    return json.loads(answer.stdout), np.fromfile(work / "answers", dtype="<u4").reshape(-1, 3)


def compare(title, stored, queries):
    print(f"## {title}: {len(stored):,} hashes, {len(queries):,} queries, radius {RADIUS}", flush=True)
    shown, mine = ours(stored, queries)
    print("avocet", json.dumps(shown), flush=True)
    flat = faiss.IndexBinaryFlat(256)
    flat.add(stored)
    # faiss answers distances below its radius.
    one = queries[: args.faiss_queries or max(20, min(len(queries), int(2e10 / len(stored))))]
    flat.range_search(one[:8], RADIUS + 1)
    start = time.perf_counter()
    for query in one:
        flat.range_search(query[None], RADIUS + 1)
    single = (time.perf_counter() - start) / len(one)
    start = time.perf_counter()
    limits, distances, items = flat.range_search(queries, RADIUS + 1)
    batch = (time.perf_counter() - start) / len(queries)
    theirs = np.stack([np.repeat(np.arange(len(queries)), np.diff(limits.astype(int))), items, distances.astype(int)], axis=1)
    theirs = theirs[np.lexsort((theirs[:, 1], theirs[:, 2], theirs[:, 0]))]
    equal = theirs.shape == mine.shape and bool((theirs == mine).all())
    print(f"faiss IndexBinaryFlat.range_search: {single * 1e3:.3f} ms a query asked one by one ({len(one)} queries), {batch * 1e3:.3f} ms in one call")
    print(f"neighbours: avocet {len(mine):,}, faiss {len(theirs):,}; every answer equal: {equal}")
    fastest = min(single, batch)
    print(f"faiss / avocet = {fastest * 1e9 / shown['mean_ns']:.0f} by the mean, {fastest * 1e9 / shown['median_ns']:.0f} by the median (wanted: at least 60)", flush=True)
    again, _ = ours(stored, queries[:100], "scan")
    print("avocet, scan", json.dumps(again))
    print(flush=True)
    if not equal:
        sys.exit("answers differ")


print(f"# near match, {datetime.date.today()}, {cpu()}, pinned to {len(os.sched_getaffinity(0))} core(s), load {os.getloadavg()[0]:.2f}")
print(f"# faiss {faiss.__version__} ({faiss.get_compile_options().strip()}), numpy {np.__version__}, Linux {platform.release()}")
print("# $ python3 benches/near.py " + " ".join(sys.argv[1:]))
print()
if "random" in sections:
    stored = random_hashes(args.hashes)
    queries = random_hashes(args.queries)
    # Half of the queries have a neighbour at 0 to 32 bits; a third of these spread over our own bands, and a third at 31.
    third = args.queries // 6
    counts = np.arange(third) % 33
    places = rng.permutation(args.hashes)[: 3 * third]
    stored[places[:third]] = flipped(queries[:third], counts)
    stored[places[third : 2 * third]] = spread_over_bands(queries[third : 2 * third], counts)
    stored[places[2 * third :]] = spread_over_bands(queries[2 * third : 3 * third], [31] * third)
    compare("random, neighbours planted", stored, queries)
if "clustered" in sections:
    # 40 % in clusters of up to 40 bits around 20,000 centres, 5 % within 12 bits of flat patterns, the rest random.
    n = args.hashes
    stored = random_hashes(n)
    centres = random_hashes(20_000)

    def noise(count, bits):
        """`bits` random places changed (a place met twice is changed back)."""
        changed = np.zeros((count, 32), dtype=np.uint8)
        rows = np.arange(count)
        for i in range(bits):
            place = rng.integers(0, 256, count)
            active = rng.integers(0, bits, count) > i
            changed[rows, place // 8] ^= np.where(active, 1 << (place % 8), 0).astype(np.uint8)
        return changed

    part = n * 2 // 5
    stored[:part] = centres[np.arange(part) % len(centres)] ^ noise(part, 40)
    flat_patterns = np.array([[0] * 32, [0x55] * 32, [0xFF] * 32], dtype=np.uint8)
    low = n // 20
    stored[part : part + low] = flat_patterns[np.arange(low) % 3] ^ noise(low, 12)
    rng.shuffle(stored)
    count = min(args.queries, 500)
    queries = np.concatenate([stored[rng.integers(0, n, count // 2)], random_hashes(count - count // 2)])
    compare("clustered, 5 % low detail, half of the queries stored", stored, queries)
if "groups" in sections:
    n = min(args.hashes, 1_000_000)
    stored = random_hashes(n)
    part = n // 2
    stored[:part] = stored[np.arange(part) // 5 * 5]
    # Changed by up to 20 bits around every fifth, and 5 % near one flat pattern.
    rows = np.arange(part)
    for i in range(20):
        place = rng.integers(0, 256, part)
        stored[rows, place // 8] ^= np.where(rng.integers(0, 20, part) > i, 1 << (place % 8), 0).astype(np.uint8)
    low = n // 20
    stored[part : part + low] = 0
    rows = np.arange(part, part + low)
    for i in range(12):
        place = rng.integers(0, 256, low)
        stored[rows, place // 8] ^= (1 << (place % 8)).astype(np.uint8)
    rng.shuffle(stored)
    stored.tofile(work / "hashes")
    stored[:1].tofile(work / "queries")
    print("## near groups, half of the items in clusters of five, 5 % near one flat pattern")
    for radius in (16, 31):
        answer = subprocess.run([args.program, work / "hashes", work / "queries", "group", str(radius)], capture_output=True, text=True, check=True)
        print(answer.stdout.strip(), flush=True)
for name in ("hashes", "queries", "answers"):
    (work / name).unlink(missing_ok=True)
