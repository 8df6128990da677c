"""Measures whole commands: wall time and peak memory, interleaved, median of N runs, with the raw figures kept."""
import argparse, datetime, os, pathlib, platform, re, shutil, statistics, subprocess, sys, time

ap = argparse.ArgumentParser()
ap.add_argument("--avocet", required=True)
ap.add_argument("--images", required=True)
ap.add_argument("--work", required=True)
ap.add_argument("--runs", type=int, default=5)
ap.add_argument("sections", nargs="*")
args = ap.parse_args()
work = pathlib.Path(args.work)
work.mkdir(parents=True, exist_ok=True)
avocet = os.path.abspath(args.avocet)
images = pathlib.Path(args.images)
lines = []


def say(text=""):
    print(text, flush=True)
    lines.append(text)


def cpu():
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def run(command, before=None):
    """Wall seconds and peak resident KiB of one run; refuses a command that fails."""
    if before:
        before()
    start = time.perf_counter()
    child = subprocess.Popen(command, shell=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    took = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, 3, 4):
        sys.exit(f"failed with {child.returncode}: {command}")
    return took, usage.ru_maxrss


def shown(command):
    """The command without this machine's folders."""
    for path, name in ((avocet, "avocet"), (os.path.dirname(avocet) + "/examples/", ""), (str(images), "IMAGES"), (str(work), "WORK")):
        command = command.replace(path, name)
    return command


def compare(title, commands, runs=None):
    """Runs every command in turn, so that a change of the machine's load meets all of them."""
    runs = runs or args.runs
    say(f"## {title}")
    results = {name: [] for name, *_ in commands}
    for _ in range(runs):
        for name, command, *before in commands:
            results[name].append(run(command, before[0] if before else None))
    medians = {}
    for name, command, *_ in commands:
        walls = [r[0] for r in results[name]]
        peak = max(r[1] for r in results[name])
        medians[name] = statistics.median(walls)
        say(f"{name}: median {medians[name]:.2f} s (min {min(walls):.2f}, max {max(walls):.2f}, runs {runs}), peak {peak // 1024} MiB")
        say(f"    {shown(command)}")
    say()
    return medians


def fresh(*paths):
    def remove():
        for p in paths:
            shutil.rmtree(p, ignore_errors=True) if os.path.isdir(p) else (os.path.exists(p) and os.remove(p))
    return remove


def examine(image, out, extra="--no-image-digest"):
    left = (out, f"{out}.seal", pathlib.Path(out).with_suffix(".derivatives"))
    return (f"{avocet} examine {image} --exhibit BENCH/1 {extra} --quiet --out {out}", fresh(*left))


def openssl_rate(name):
    """Bytes a second of one stream, by openssl's own measure (16 KiB blocks)."""
    text = subprocess.run(["openssl", "speed", "-seconds", "2", "-bytes", "16384", "-evp", name], capture_output=True, text=True)
    match = re.findall(r"([\d.]+)k\s*$", text.stdout, re.M)
    return float(match[-1]) * 1000


def limit():
    rates = {n: openssl_rate(n) for n in ("md5", "sha1", "sha256")}
    per_byte = sum(1 / r for r in rates.values())
    cores = os.cpu_count()
    say("## three-digest limit by `openssl speed -evp NAME -bytes 16384` per core x cores")
    for n, r in rates.items():
        say(f"{n}: {r / 1e6:.0f} MB/s")
    seconds = 1.54e9 * per_byte / cores
    say(f"1.54 GB, all three, {cores} cores: {seconds:.2f} s")
    say()
    return seconds


def files():
    bound = limit()
    for name in ("big_ntfs", "big_ext4"):
        image = images / f"{name}.dd"
        if not image.exists():
            say(f"skipped {name}: no such image")
            continue
        out = work / f"{name}.examination"
        xml = work / "fiwalk.xml"
        recovered = work / "recovered"
        mine, before = examine(image, out)
        m = compare(f"{name}: 20,000 files, 1.54 GB, warm cache", [
            ("avocet examine", mine, before),
            ("fiwalk -x (MD5 and SHA-1)", f"fiwalk -x {image} > {xml}"),
        ])
        compare(f"{name}: recover and hash", [
            ("tsk_recover + hashdeep", f"tsk_recover -a {image} {recovered} && hashdeep -c md5,sha1,sha256 -r {recovered} > {work}/hashdeep.txt", fresh(recovered)),
        ], runs=1)
        say(f"ratio avocet / fiwalk = {m['avocet examine'] / m['fiwalk -x (MD5 and SHA-1)']:.2f} (wanted: at most 0.50)")
        say(f"limit / avocet = {bound / m['avocet examine']:.2f} (wanted: at least 0.70)")
        say()


def ewf():
    raw = images / "big_ext4.dd"
    target = work / "big"
    if not (work / "big.E01").exists():
        subprocess.run(["ewfacquire", "-q", "-u", "-c", "deflate:fast", "-f", "encase6", "-S", "500M", "-l", "/dev/null", "-t", str(target), str(raw)],
                       check=True, stdout=subprocess.DEVNULL)
    size = raw.stat().st_size
    subprocess.run(["cargo", "build", "--release", "-q", "-p", "avocet-digest", "--example", "md5_rate"], check=True)
    target_dir = pathlib.Path(avocet).parent
    m = compare("E01 of 2 GiB: verify the stored MD5", [
        ("avocet evidence verify", f"{avocet} evidence verify {target}.E01 --quiet"),
        ("this build's MD5, one stream of as many bytes", f"{target_dir}/examples/md5_rate {size}"),
        ("ewfverify", f"ewfverify -q {target}.E01"),
    ])
    ours, limit_, peer = (m[k] for k in m)
    say(f"MD5 alone / avocet = {limit_ / ours:.2f} (wanted: at least 0.95)")
    say(f"ewfverify / avocet = {peer / ours:.2f} (aim: 1.4)")
    say(f"avocet: {size / ours / 1e6:.0f} MB/s")
    say()
    compare("E01 of 2 GiB: the whole examination", [
        ("avocet examine, with image digest", *examine(f"{target}.E01", work / "ewf.examination", "")),
        ("avocet examine, without", *examine(f"{target}.E01", work / "ewf2.examination")),
    ], runs=3)


VARIANTS = {"qcow2": "-O qcow2", "packed.qcow2": "-O qcow2 -c", "vmdk": "-O vmdk", "packed.vmdk": "-O vmdk -o subformat=streamOptimized",
            "vhd": "-O vpc", "vhdx": "-O vhdx"}


def containers():
    raw = images / "big_ext4.dd"
    if not raw.exists():
        say(f"skipped: no {raw.name} (tools/images.sh FOLDER big)")
        return
    commands = [("raw", *examine(raw, work / "raw.examination"))]
    for name, how in VARIANTS.items():
        disk = work / f"big.{name}"
        if not disk.exists():
            subprocess.run(f"qemu-img convert -f raw {how} {raw} {disk}", shell=True, check=True)
        commands.append((name, *examine(disk, work / f"{name}.examination")))
    m = compare("the whole examination of one disk of 2 GiB in each container, warm cache", commands)
    for name in VARIANTS:
        say(f"raw / {name} = {m['raw'] / m[name]:.2f} (wanted: at least 0.50)")
    say()
    out = work / "whole.raw"
    for name in ("qcow2", "packed.qcow2", "vmdk", "packed.vmdk"):
        disk = work / f"big.{name}"
        m = compare(f"every byte of {name}, 2 GiB", [
            ("avocet evidence verify (reads and digests it)", f"{avocet} evidence verify {disk} --quiet"),
            ("qemu-img convert to raw (reads and writes it)", f"qemu-img convert -O raw {disk} {out}", fresh(out)),
        ])
        ours, peer = m.values()
        say(f"qemu-img / avocet = {peer / ours:.2f}")
        say()


def scale():
    say("## growth with the number of files (ext4, files of 60 to 400 bytes)")
    base = None
    for n in (10_000, 100_000, 1_000_000):
        image = work / f"scale-{n}.dd"
        if not image.exists():
            folder = work / "scale-src"
            shutil.rmtree(folder, ignore_errors=True)
            for i in range(n):
                d = folder / f"d{i // 1000:04d}"
                if i % 1000 == 0:
                    d.mkdir(parents=True)
                (d / f"file {i:07d}.txt").write_bytes((b"%d " % i) * (6 + i % 40))
            mib = 64 + n * 5 // 1024
            subprocess.run(["truncate", "-s", f"{mib}M", image], check=True)
            subprocess.run(["mkfs.ext4", "-q", "-F", "-N", str(n + n // 500 + 1000), "-d", folder, image], check=True)
            shutil.rmtree(folder)
        out = work / "scale.examination"
        command, before = examine(image, out)
        got = sorted(run(command, before) for _ in range(3))
        wall, peak = got[1][0], max(g[1] for g in got)
        extra = "" if base is None else f", {(peak - base[1]) * 1024 / (n - base[0]):.0f} bytes for each further file"
        base = base or (n, peak)
        say(f"{n:>9} files: median of 3 {wall:.2f} s ({wall / n * 1e6:.1f} us a file), peak {peak // 1024} MiB{extra}, result {os.path.getsize(out) >> 20} MiB")
    say()


wanted = args.sections or ["files", "ewf", "containers", "scale"]
say(f"# {datetime.date.today()} · {cpu()} · {os.cpu_count()} cores · Linux {platform.release()}")
say(f"command: benches/run.sh {' '.join(args.sections)}; load before: {os.getloadavg()[0]:.2f}")
say()
for section in wanted:
    {"limit": limit, "files": files, "ewf": ewf, "containers": containers, "scale": scale}[section]()
target = pathlib.Path("benches/results") / f"{datetime.date.today()}-{'-'.join(wanted)}.txt"
target.write_text("\n".join(lines) + "\n")
print(f"kept in {target}")
