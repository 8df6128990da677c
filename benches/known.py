"""Known sets beside hfind and SQLite: import, opening, absent digests. Everything is generated; raw figures are kept.

usage: python3 benches/known.py [--rows N] [--lookups N] [--runs N] [--work DIR] [--name PART] [--peak-limit MIB]
needs: cargo build --release --locked --bin avocet && cargo build --release --locked -p avocet-known --example measure
"""
import argparse, datetime, os, pathlib, re, statistics, subprocess, sys, time

ap = argparse.ArgumentParser()
ap.add_argument("--rows", type=int, default=10_000_000)
ap.add_argument("--lookups", type=int, default=2_000_000)
ap.add_argument("--runs", type=int, default=3)
ap.add_argument("--work", default="target/bench")
ap.add_argument("--name", default="known")
ap.add_argument("--peak-limit", type=int, help="MiB that compiling may take at most; more ends with an error")
args = ap.parse_args()
work = pathlib.Path(args.work).absolute()
work.mkdir(parents=True, exist_ok=True)
measure = os.path.abspath("target/release/examples/measure")
avocet = os.path.abspath("target/release/avocet")
lines = []


def say(text=""):
    print(text, flush=True)
    lines.append(text)


def run(*command, core=False, quiet=False):
    """Wall seconds, peak MiB and standard output of one command; a command that fails ends the bench."""
    words = (["taskset", "-c", "1"] if core else []) + [str(w) for w in command]
    shown = " ".join(words).replace(str(work), "WORK").replace(measure, "measure").replace(avocet, "avocet")
    out = subprocess.DEVNULL if quiet else subprocess.PIPE
    start = time.perf_counter()
    child = subprocess.Popen(words, stdout=out, stderr=subprocess.DEVNULL, text=True, env={**os.environ, "AVOCET_STORE": str(work / "store")})
    text = child.stdout.read() if child.stdout else ""
    _, status, usage = os.wait4(child.pid, 0)
    took = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, 1, 3, 4) or (child.returncode and not quiet):
        sys.exit(f"failed with {child.returncode}: {shown}")
    say(f"$ {shown}\n    {took:.2f} s, peak {usage.ru_maxrss // 1024} MiB")
    if text.strip():
        say("    " + text.strip().replace("\n", "\n    ").replace(str(work), "WORK"))
    return took, text


def rates(text, start):
    return [float(m) for m in re.findall(rf"^{re.escape(start)}.*?: (\d+) look-ups/s", text, re.M)]


cpu = next(l.split(":", 1)[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name"))
say(f"# {datetime.date.today()} · {cpu} · {os.cpu_count()} cores · {args.rows} rows, {args.lookups} look-ups; load before: {os.getloadavg()[0]:.2f}")
csv, out, asked, sums, db = (work / n for n in ("known.csv", "known.set", "asked.txt", "known.md5", "known.db"))
if not csv.exists():
    run(measure, "generate", csv, args.rows)
subprocess.run(["cat", str(csv)], stdout=subprocess.DEVNULL, check=True)

say("\n## Import: read and compiled, page cache warm")
times, peaks = [], []
for _ in range(args.runs):
    _, text = run(measure, "compile", csv, out)
    times.append(float(re.search(r"= (\d+) rows/s", text).group(1)))
    peaks.append(int(re.search(r"peak memory (\d+) MiB", text).group(1)))
if args.peak_limit and max(peaks) > args.peak_limit:
    sys.exit(f"compiling took {max(peaks)} MiB, more than {args.peak_limit}")
say(f"median {statistics.median(times):.0f} rows/s")

say("\n## Absent digests, one core, page cache warm")
subprocess.run(["cat", str(out)], stdout=subprocess.DEVNULL, check=True)
ours, together = [], []
for _ in range(args.runs):
    _, text = run(measure, "lookup", out, args.rows, args.lookups, core=True)
    ours += rates(text, "absent (pass")
    together += rates(text, "absent in windows")
say(f"median {statistics.median(ours):.0f} look-ups/s one by one, {statistics.median(together):.0f} in windows of 4,096")
if args.rows <= 20_000_000:
    run(measure, "sqlite", db, args.rows, 1000, core=True)
    sqlite = []
    for _ in range(args.runs):
        _, text = run(measure, "sqlite", db, args.rows, min(args.lookups, 400_000), core=True)
        sqlite += rates(text, "sqlite absent")
    run(measure, "md5sum", sums, args.rows)
    few = min(args.lookups, 200_000)
    run(measure, "list", asked, few)
    if not pathlib.Path(f"{sums}-md5.idx").exists():
        run("hfind", "-i", "md5sum", sums, quiet=True)
    hfind = []
    for _ in range(args.runs):
        took, _ = run("hfind", "-f", asked, sums, core=True, quiet=True)
        hfind.append(few / took)
    say(f"median SQLite {statistics.median(sqlite):.0f}, hfind {statistics.median(hfind):.0f} look-ups/s (whole process, {few} digests)")
    one = statistics.median(ours)
    say(f"ratio to hfind: {one / statistics.median(hfind):.1f}; ratio to SQLite: {one / statistics.median(sqlite):.1f}")
    many = statistics.median(together)
    say(f"in windows, as an examination asks: to hfind {many / statistics.median(hfind):.1f}; to SQLite {many / statistics.median(sqlite):.1f}")
results = pathlib.Path("benches/results")
results.mkdir(exist_ok=True)
(results / f"{datetime.date.today()}-{args.name}.txt").write_text("\n".join(lines) + "\n")
