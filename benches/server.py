"""The server under a team: PEOPLE signed-in people ask for one page each 2 seconds, the load generator on the same cores.

Makes a store with --media pictures in ten investigations (kept in --work and used again), serves it, signs everybody in, and
asks for --seconds: the first page, an investigation, its exhibits, its examinations, and the grid of the review screen, each in
turn. A grid is its page; its 24 tiles are fetched after it on the same connection, which is load beside what is asked for, and
is reported by itself. Then one person alone asks for the next batch 50 times, with what is queued.

  cargo build --release --locked --workspace --bin avocet --example bench_store
  python3 benches/server.py --work WORK [--media 1000000] [--people 50] [--seconds 120]

Ends with 1 where the 95th percentile of pages is above 150 ms or that of grids above 300 ms (not with --no-limits).
"""
import argparse, asyncio, datetime, os, pathlib, platform, re, shutil, ssl, statistics, subprocess, sys, time, urllib.parse

ap = argparse.ArgumentParser()
ap.add_argument("--work", required=True)
ap.add_argument("--media", type=int, default=1_000_000)
ap.add_argument("--people", type=int, default=50)
ap.add_argument("--seconds", type=int, default=120)
ap.add_argument("--avocet", default="target/release/avocet")
ap.add_argument("--make", default="target/release/examples/bench_store")
ap.add_argument("--results", help="file that gets the figures too")
ap.add_argument("--no-limits", action="store_true", help="report, and hold nobody to the limits")
args = ap.parse_args()
work = pathlib.Path(args.work).absolute()
lines = []
PASSWORD = "a password of the measurement"
EVERY = 2.0
PAGES = ["/", "/investigations/I-{n}", "/investigations/I-{n}/exhibits", "/investigations/I-{n}/examinations", "grid"]


def say(text=""):
    print(text, flush=True)
    lines.append(text)


def p95(times):
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))] * 1000 if ordered else float("nan")


def shown(what, times):
    if times:
        say(f"{what:<34} {len(times):>6} requests   median {statistics.median(times) * 1000:7.1f} ms   p95 {p95(times):7.1f} ms   "
            f"largest {max(times) * 1000:7.1f} ms")


class Connection:
    """One connection with TLS that is kept, from an address of its own: the server counts tries to sign in by address."""

    def __init__(self, port, number):
        self.port, self.local, self.cookie, self.reader = port, f"127.0.1.{number % 250 + 1}", "", None

    async def ask(self, method, path, body=None):
        for fresh in (False, True):
            try:
                if self.reader is None or fresh:
                    context = ssl.create_default_context()
                    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                    self.reader, self.writer = await asyncio.open_connection(
                        "127.0.0.1", self.port, ssl=context, local_addr=(self.local, 0))
                data = (body or "").encode()
                head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {self.cookie}\r\n"
                if body is not None:
                    head += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(data)}\r\n"
                self.writer.write(head.encode() + b"\r\n" + data)
                await self.writer.drain()
                top = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                break
            except (asyncio.IncompleteReadError, ConnectionError):
                # A connection that was idle for long was closed: a browser opens another.
                if fresh:
                    raise
        status = int(top.split(" ", 2)[1])
        headers = [line.split(": ", 1) for line in top.split("\r\n")[1:] if ": " in line]
        lower = {name.lower(): value for name, value in headers}
        if lower.get("transfer-encoding") == "chunked":
            page = b""
            while size := int((await self.reader.readline()).split(b";")[0], 16):
                page += await self.reader.readexactly(size)
                await self.reader.readline()
            await self.reader.readline()
        else:
            page = await self.reader.readexactly(int(lower.get("content-length", 0)))
        cookies = [value.split(";")[0] for name, value in headers if name.lower() == "set-cookie"]
        if cookies:
            self.cookie = "; ".join(cookies)
        return status, lower, page

    async def sign_in(self, login):
        _, _, page = await self.ask("GET", "/sign-in")
        token = re.search(rb'name="csrf" value="([0-9a-f]+)"', page)[1].decode()
        fields = urllib.parse.urlencode({"csrf": token, "login": login, "password": PASSWORD})
        status, _, page = await self.ask("POST", "/sign-in", fields)
        if status != 303:
            sys.exit(f"server: {login} is not signed in: {status}")


async def grid(connection, n, times):
    began = time.perf_counter()
    status, _, page = await connection.ask("GET", f"/investigations/I-{n}/review")
    took = time.perf_counter() - began
    if status != 200:
        sys.exit(f"server: a grid answers {status}")
    tiles = re.findall(rb'src="(/investigations/[^"]+/tile/[^"]+)"', page)
    for tile in tiles:
        before = time.perf_counter()
        status, _, _ = await connection.ask("GET", tile.decode())
        times["tile"].append(time.perf_counter() - before)
        if status != 200:
            sys.exit(f"server: a tile answers {status}")
    times["grid"].append(took)
    times["grid with its tiles"].append(time.perf_counter() - began)
    return len(tiles)


async def person(connection, number, until, times):
    await asyncio.sleep(EVERY * number / args.people)
    turn = number
    due = time.perf_counter()
    while time.perf_counter() < until:
        what, n = PAGES[turn % len(PAGES)], (turn // len(PAGES) + number) % 10 + 1
        if what == "grid":
            await grid(connection, n, times)
        else:
            began = time.perf_counter()
            status, _, _ = await connection.ask("GET", what.format(n=n))
            if status != 200:
                sys.exit(f"server: {what} answers {status}")
            took = time.perf_counter() - began
            times["page"].append(took)
            times.setdefault(f"  {what.replace('I-{n}', 'I-…')}", []).append(took)
        turn += 1
        due += EVERY
        await asyncio.sleep(max(0.0, due - time.perf_counter()))


async def measure(port):
    connections = [Connection(port, number) for number in range(args.people)]
    for number, connection in enumerate(connections):
        await connection.sign_in(f"p{number + 1}")
    times = {"page": [], "grid": [], "grid with its tiles": [], "tile": []}
    until = time.perf_counter() + args.seconds
    await asyncio.gather(*(person(connection, number, until, times) for number, connection in enumerate(connections)))
    say(f"## {args.people} people, a request each {EVERY:g} s, {args.seconds} s")
    for what, of in times.items():
        shown(what, of)
    say()
    say(f"## One person: the next batch, with {args.media // 10:,} contents in the queue of one investigation")
    alone = {"grid": [], "grid with its tiles": [], "tile": []}
    tiles = [await grid(connections[0], 1, alone) for _ in range(50)]
    shown("the next batch as its page", alone["grid"])
    say(f"tiles with a small picture in a batch: {min(tiles)} to {max(tiles)}")
    return times


work.mkdir(parents=True, exist_ok=True)
environment = {**os.environ, "AVOCET_PASSWORD": PASSWORD}
store = work / f"server-{args.media}-{args.people}"
if not (store / "made").exists():
    shutil.rmtree(store, ignore_errors=True)
    began = time.perf_counter()
    subprocess.run([args.make, str(store), str(args.media), str(args.people)], check=True, env=environment, stdout=subprocess.DEVNULL)
    (store / "made").touch()
    say(f"The store was made in {time.perf_counter() - began:.0f} s.")
server = subprocess.Popen(
    [args.avocet, "serve", "--listen", "127.0.0.1:0", "--quiet", "--store", str(store / "store"), "--store-key", str(store / "key"),
     "--pictures", str(store / "pictures"), "--picture-keys", str(store / "picture-key")], stdout=subprocess.PIPE, env=environment)
try:
    port = int(re.search(rb":(\d+)/", server.stdout.readline())[1])
    cpu = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.processor())
    say(f"{datetime.date.today()}, {cpu}, {os.cpu_count()} cores for the server and for the load, {args.media:,} media")
    times = asyncio.run(measure(port))
    memory = re.search(r"VmHWM:\s+(\d+) kB", open(f"/proc/{server.pid}/status").read())
    say(f"largest memory of the server: {int(memory[1]) / 1024:.0f} MiB")
finally:
    server.terminate()
    server.wait()
if args.results:
    pathlib.Path(args.results).write_text("\n".join(lines) + "\n")
if not args.no_limits and (p95(times["page"]) > 150 or p95(times["grid"]) > 300):
    sys.exit("server: slower than it may be: pages 150 ms, grids 300 ms at the 95th percentile")
