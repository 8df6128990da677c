#!/usr/bin/env bash
# Walks the whole path, from a referral to figures and the ledger, by keyboard in headless Chromium, with a few hundred gradings, and
# compares the counts with the record. Works in a new folder of its own. Needs chromium, node and npm.
# usage: tools/path-check.sh FOLDER [GRADINGS]     (AVOCET: the program, default the release build)
set -euo pipefail
out=${1:?usage: tools/path-check.sh FOLDER [GRADINGS]} most=${2:-300}
here=$(cd "$(dirname "$0")" && pwd)
avocet="${AVOCET:-$here/../target/release/avocet}"
[ -d "$here/pages/node_modules" ] || (cd "$here/pages" && npm ci --silent)
if [ -e "$out" ]; then
  echo "path: $out is there already; name a new folder" >&2
  exit 1
fi
mkdir -p "$out/evidence/many" "$out/evidence/large/all" "$out/examinations" "$out/sets" "$out/backups" "$out/demo"
out=$(cd "$out" && pwd)
"$avocet" demo "$out/demo" --quiet
mv "$out/demo/demo-device.dd" "$out/evidence/"
mv "$out/demo"/demo-known-* "$out/sets/"
# A folder of small generated pictures that no set has: patterns of colour, each another.
# And one of large ones, a level deeper so that the list of sources stays short, made longer by bytes that no decoder reads, so that an examination of it takes its time and is in many parts.
python3 - "$out/evidence" "$((most + 40))" "${AVOCET_SLOW_PICTURES:-1500}" <<'PYTHON'
import os, random, struct, sys, zlib
folder, many, slow = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
chunk = lambda kind, body: struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
def draw(path, seed, cell, rest):
    rng = random.Random(seed)
    cells = [b"".join(bytes(rng.randrange(256) for _ in range(3)) * cell for _ in range(8)) for _ in range(6)]
    rows = b"".join((b"\0" + row) * cell for row in cells)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8 * cell, 6 * cell, 8, 2, 0, 0, 0))
    png += chunk(b"IDAT", zlib.compress(rows, 1)) + rest + chunk(b"IEND", b"")
    open(path, "wb").write(png)
for n in range(many):
    draw(f"{folder}/many/picture-{n:04}.png", n, 20, b"")
for n in range(slow):
    draw(f"{folder}/large/all/picture-{n:04}.png", -1 - n, 190, chunk(b"raNd", os.urandom(400_000)))
PYTHON
cat > "$out/lead.xml" <<'LEAD'
<report>
  <incidentSummary><incidentType>Demo</incidentType><incidentDateTime>2026-11-20T07:00:00Z</incidentDateTime></incidentSummary>
  <personOrUserReported>
    <espService>Example service</espService>
    <ipCaptureEvent><ipAddress>192.0.2.17</ipAddress><dateTime>2026-11-19T21:15:00Z</dateTime><port>40017</port></ipCaptureEvent>
  </personOrUserReported>
</report>
LEAD
export AVOCET_STORE="$out/team" AVOCET_STORE_KEY="$out/team.store-key"
export AVOCET_PASSWORD="demo password" AVOCET_NEW_PASSWORD="demo password"
"$avocet" init --new-key "$AVOCET_STORE_KEY" --admin admin --title "Path" --quiet >/dev/null
for role in supervisor detective examiner grader auditor; do
  "$avocet" user add "$role" --role "$role" --as admin >/dev/null
done
coproc server { exec "$avocet" serve --listen 127.0.0.1:0 --quiet --examinations "$out/examinations" --evidence "$out/evidence" \
  --set-files "$out/sets" --backups "$out/backups"; }
pid=$server_PID
trap 'kill "$pid" 2>/dev/null || true' EXIT
read -r address <&"${server[0]}"
done=$(node "$here/pages/path.mjs" "${address%/}" "$out/lead.xml" "PA/1:many,DEMO/1:demo-device.dd,PL/1:large" "$most")
kill "$pid"
echo "$done"
# A page warns before its session ends, stays by a key, and is taken away when nobody does anything.
coproc short { exec "$avocet" serve --listen 127.0.0.1:0 --quiet --idle-minutes 1; }
pid=$short_PID
read -r address <&"${short[0]}"
node "$here/pages/session.mjs" "${address%/}" grader
kill "$pid"
"$avocet" ledger verify >/dev/null
"$avocet" record rebuild --check --as admin >/dev/null
day=$(date -u +%F)
account=$("$avocet" care own --from "$day" --to "$day" --as grader --json)
media=$("$avocet" grading totals I-1 --as supervisor --json)
status=$("$avocet" review status I-1 --as supervisor --json)
python3 - "$done" "$account" "$media" "$status" "$most" <<'PYTHON'
import json, sys
done, account, media, status = (json.loads(text) for text in sys.argv[1:5])
most = int(sys.argv[5])
times = lambda what: sum(line["times"] for line in account if line["what"] == what)
assert done["graded"] == most, (done, "fewer were graded than asked for")
assert times("graded") == done["graded"], (account, done)
assert times("clear") == done["clear"], (account, done)
assert times("veiled") >= done["tiles"], (account, done)
decided = sum(n for name, n in media.items() if name.startswith("media ") and any(f" {word}" in name for word in ("decided", "to-moderate")))
print("path: graded by keys", done["graded"], "- in the record", times("graded"), "- clear views", times("clear"), "- tiles", times("veiled"))
print("path:", json.dumps(media))
PYTHON
