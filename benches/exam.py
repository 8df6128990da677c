"""A whole examination at speed: digests, decoding, PDQ, near match against 1,000,000 hashes, small pictures, of an ext4
image of 4 GB that holds, by bytes, 80 % camera-size JPEG of 3 to 5 MB and 20 % web pictures of 50 to 300 KB.

The pictures are made in --work from the photographs in --photos (enlarged, with grain, each another), each once; what is
made already is taken as it is.
Needs Pillow and numpy, mkfs.ext4, and `cargo build --release --locked --bin avocet`.

  python3 benches/exam.py --photos PHOTOS --work WORK [--gb 4] [--runs 3]

Three images are measured: both kinds, and each kind by itself for its pictures a second.
"""
import argparse, datetime, json, os, pathlib, shutil, statistics, subprocess, sys, time
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from PIL import Image, ImageChops

from photographs import photographs

ap = argparse.ArgumentParser()
ap.add_argument("--photos", required=True)
ap.add_argument("--work", required=True)
ap.add_argument("--gb", type=float, default=4)
ap.add_argument("--runs", type=int, default=3)
ap.add_argument("--known", type=int, default=1_000_000)
ap.add_argument("--make-only", action="store_true", help="make the images and measure nothing")
ap.add_argument("--avocet", default="target/release/avocet")
args = ap.parse_args()
work = pathlib.Path(args.work).absolute()
avocet = os.path.abspath(args.avocet)
lines = []


def say(text=""):
    print(text, flush=True)
    lines.append(text)


SOURCES = photographs(args.photos)
GRAIN = np.random.default_rng(1).standard_normal((6000, 4608, 1)).astype(np.float32)


# So many of each kind are made from photographs. Those beyond are these once more, moved round by a third or so and coded
# anew, which no hash sees as the same picture and which takes a tenth of the time.
MADE = {"camera": 512, "web": 2560}


def moved(of, path):
    if not of.exists():
        return 0
    im = Image.open(of)
    width, height = im.size
    new = path.with_suffix(".new")
    ImageChops.offset(im, width * 3 // 8, height * 2 // 5).save(new, "JPEG", qtables=im.quantization, subsampling=2)
    new.rename(path)
    return path.stat().st_size


def picture(job):
    """Makes one picture unless it is there and says its length; the length aimed at is met by its quality and grain."""
    kind, number, folder = job
    path = pathlib.Path(folder) / f"{kind}-{number:05}.jpg"
    if path.exists():
        return path.stat().st_size
    if number >= MADE[kind]:
        return moved(pathlib.Path(folder) / f"{kind}-{number - MADE[kind]:05}.jpg", path)
    rng = np.random.default_rng((2 if kind == "camera" else 3) * 1_000_000 + number)
    try:
        im = Image.open(SOURCES[int(rng.integers(len(SOURCES)))]).convert("RGB")
    except OSError:  # A photograph that this Pillow cannot read: another stands in for it.
        return 0
    w, h = im.size
    side = [int(rng.integers(0, max(1, s // 5))) for s in (w, h)]
    im = im.crop((side[0], side[1], w - int(rng.integers(0, max(1, w // 5))), h - int(rng.integers(0, max(1, h // 5)))))
    if kind == "camera":
        a = np.asarray(im.resize((4032, 3024), Image.BICUBIC)).astype(np.float32)
        a += GRAIN[: a.shape[0], : a.shape[1]] * float(rng.uniform(3, 5))
        low, high = 3_000_000, 5_000_000
        qualities = (90, 93, 87, 95, 84, 80, 97)
    else:
        width = int(rng.integers(700, 1600))
        a = np.asarray(im.resize((width, max(300, width * im.height // im.width)), Image.BICUBIC)).astype(np.float32)
        a += GRAIN[: a.shape[0], : a.shape[1]] * float(rng.uniform(0, 3))
        low, high = 50_000, 300_000
        qualities = (80, 85, 75, 90, 65, 50, 95)
    done = Image.fromarray(a.clip(0, 255).astype(np.uint8))
    new = path.with_suffix(".new")
    for quality in qualities:
        done.save(new, "JPEG", quality=quality, subsampling=2)
        if low <= new.stat().st_size <= high:
            new.rename(path)
            return path.stat().st_size
    new.unlink()
    return 0


def make(image, gb, shares):
    """An image of so many bytes of pictures, each kind having its share; says how many files and bytes of each it holds."""
    pool, files = work / "pictures", work / "files"
    pool.mkdir(exist_ok=True)
    shutil.rmtree(files, ignore_errors=True)
    for n in range(40):
        (files / f"{n:02}").mkdir(parents=True)
    total = int(gb * 1e9 * 0.97)
    counts = {}
    for kind, share in shares.items():
        made, number, count = 0, 0, 0
        with ProcessPoolExecutor(2) as workers:
            while made < total * share:
                numbers = range(number, number + 64)
                for n, size in zip(numbers, workers.map(picture, [(kind, n, pool) for n in numbers], chunksize=4)):
                    if size and made < total * share:
                        (files / f"{n % 40:02}" / f"{kind}-{n:05}.jpg").hardlink_to(pool / f"{kind}-{n:05}.jpg")
                        made += size
                        count += 1
                number += 64
        counts[kind] = {"files": count, "bytes": made}
    with open(image, "wb") as f:
        f.truncate(int(sum(c["bytes"] for c in counts.values()) * 1.05 + 1.5e8))
    subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", "-N", "20000", "-d", files, image], check=True)
    image.with_suffix(".json").write_text(json.dumps(counts))
    shutil.rmtree(files)


def run(command):
    start = time.perf_counter()
    child = subprocess.Popen([str(c) for c in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=env)
    said = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    took = time.perf_counter() - start
    code = child.returncode = os.waitstatus_to_exitcode(status)
    if code not in (0, 3, 4):
        sys.exit(f"failed with {code}: {said[-2000:]}")
    return took, usage.ru_maxrss // 1024


work.mkdir(parents=True, exist_ok=True)
env = {**os.environ, "AVOCET_STORE": str(work / "store")}
hashes = work / "known.pdq"
if not hashes.exists():
    rows = np.random.default_rng(4).bytes(32 * args.known)
    hashes.write_text("".join(rows[i : i + 32].hex() + "\n" for i in range(0, len(rows), 32)))
    run([avocet, "sets", "import", hashes, "--name", "bench-near", "--scheme", "uncategorised"])
cpu = next(l.split(":", 1)[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name"))
say(f"# {datetime.date.today()} · {cpu} · {os.cpu_count()} cores · load before {os.getloadavg()[0]:.2f}")
say(f"# {len(SOURCES)} photographs enlarged, cropped, with grain; near match against {args.known} PDQ hashes drawn at random; page cache warm")
for gb, shares in ((args.gb, {"camera": 0.8, "web": 0.2}), (args.gb / 4, {"camera": 1}), (args.gb / 10, {"web": 1})):
    image = work / f"exam-{gb}-{'-'.join(shares)}.img"
    if not image.exists():
        make(image, gb, shares)
    if args.make_only:
        continue
    counts = json.loads(image.with_suffix(".json").read_text())
    content, files = (sum(c[what] for c in counts.values()) for what in ("bytes", "files"))
    say(f"\n## {' and '.join(shares)}: {counts}, image of {image.stat().st_size} bytes")
    subprocess.run(["cat", image], stdout=subprocess.DEVNULL, check=True)
    for name, more in (("everything", []), ("digests only", ["--no-media"])):
        walls, peaks = [], []
        for _ in range(args.runs):
            for old in work.glob("out*"):
                shutil.rmtree(old) if old.is_dir() else old.unlink()
            took, peak = run([avocet, "examine", image, "--exhibit", "BENCH/1", "--known", "bench-near", *more, "--quiet", "--out", work / "out.examination"])
            walls.append(took)
            peaks.append(peak)
        median = statistics.median(walls)
        say(f"{name}: median {median:.1f} s of {args.runs} ({', '.join(f'{w:.1f}' for w in walls)}), peak {max(peaks)} MiB of the largest process; "
            f"{content / median / 1e6:.0f} MB/s of pictures, {files / median:.0f} pictures/s")
results = pathlib.Path("benches/results")
if not args.make_only:
    (results / f"{datetime.date.today()}-exam.txt").write_text("\n".join(lines) + "\n")
