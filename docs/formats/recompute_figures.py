"""Counts every figure again from the facts that `avocet figures export` writes, with the standard library alone.

    python3 recompute_figures.py DIR --from 2025-06-01 --to 2026-05-31 [--cutoff N]

Prints one JSON object: for each measure its number, and the ids of the records that it counts. No code is shared with
Avocet: the definitions are read from the sentences of figures.toml, the days of London from the rule of the clocks.
"""
import argparse
import csv
import json
import os
from collections import defaultdict
from datetime import date, datetime, timedelta, timezone
from statistics import median


def last_sunday(year, month):
    day = date(year, month, 31)
    return day - timedelta(days=(day.weekday() + 1) % 7)


def london(instant):
    """The date in London: an hour ahead between one o'clock UTC on the last Sundays of March and October."""
    day = instant.date()
    change = timezone.utc
    begin = datetime.combine(last_sunday(day.year, 3), datetime.min.time(), change) + timedelta(hours=1)
    end = datetime.combine(last_sunday(day.year, 10), datetime.min.time(), change) + timedelta(hours=1)
    return (instant + timedelta(hours=1)).date() if begin <= instant < end else day


def day_of(text):
    # Fractions of a second never change the date.
    return london(datetime.strptime(text.rstrip("Z").split(".")[0], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc))


class Facts:
    def __init__(self, folder, cutoff):
        self.folder, self.cutoff = folder, cutoff

    def read(self, name):
        """The facts of a file up to the cut-off, without those that a standing correction strikes."""
        with open(os.path.join(self.folder, name + ".csv"), newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if self.cutoff is None or int(row["entry"]) <= self.cutoff]
        # Spreadsheets are kept from reading a cell as a formula by a quotation mark before it.
        rows = [{k: v[1:] if v[:1] == "'" else v for k, v in row.items()} for row in rows]
        thing = next(iter(k for k in rows[0] if k not in ("entry", "recorded"))) if rows else ""
        struck = set()
        for row in sorted((r for r in rows if r.get("wrong")), key=lambda r: -int(r["entry"])):
            wrong = int(row["wrong"])
            if int(row["entry"]) not in struck and wrong < int(row["entry"]):
                # A correction reaches only facts of its own thing.
                struck |= {int(r["entry"]) for r in rows if int(r["entry"]) == wrong and r[thing] == row[thing]}
        return [row for row in rows if int(row["entry"]) not in struck]


def of_one_person(persons):
    """For each person the lowest id of the records that are of the same person."""
    said = {}
    for row in sorted(persons, key=lambda r: int(r["entry"])):
        if row["fact"] in ("person-same-as", "person-not-same-as"):
            said[frozenset((row["person"], row["other"]))] = row["fact"] == "person-same-as"
    neighbours = defaultdict(set)
    for pair, same in said.items():
        if same and len(pair) == 2:
            a, b = pair
            neighbours[a].add(b)
            neighbours[b].add(a)

    def one(person):
        group, todo = {person}, [person]
        while todo:
            for other in neighbours[todo.pop()] - group:
                group.add(other)
                todo.append(other)
        return min(group, key=number)

    return one


def number(name):
    return tuple(int(part) if part.isdigit() else part for part in name.replace("/", "-").split("-"))


def days(lengths):
    lengths = sorted(lengths.values())
    if not lengths:
        return {"count": 0, "median": None, "least": None, "most": None}
    middle = median(lengths)
    text = str(int(middle)) if middle == int(middle) else f"{middle:.1f}"
    return {"count": len(lengths), "median": text, "least": lengths[0], "most": lengths[-1]}


def figures(folder, first, last, cutoff):
    facts = Facts(folder, cutoff)
    inside = lambda text: first <= day_of(text) <= last
    before_end = lambda text: day_of(text) <= last
    out = {}

    def listed(measure, records):
        out[measure] = {"value": len(set(records)), "records": sorted(set(records), key=number)}

    def lasting(measure, lengths):
        out[measure] = {"value": days(lengths), "records": sorted(lengths, key=number)}

    referrals = {row["referral"]: row for row in facts.read("referrals")}
    listed("referrals-received/1", [r for r, row in referrals.items() if inside(row["received"])])
    linked = {}
    for row in facts.read("links"):
        linked.setdefault(row["referral"], row["recorded"])
    waiting = {
        r: (last - day_of(row["received"])).days
        for r, row in referrals.items()
        if before_end(row["received"]) and not (r in linked and before_end(linked[r]))
    }
    lasting("backlog-referrals/1", waiting)

    received = {row["investigation"]: row["received"] for row in facts.read("investigations")}
    entries = defaultdict(list)
    for row in facts.read("warrants"):
        entries[row["warrant"]].append(row["when"])
    listed("warrants-executed/1", [w for w, times in entries.items() if inside(min(times))])

    custody = defaultdict(list)
    for row in facts.read("custody"):
        custody[row["custody"]].append(row)
    begun = lambda rows, kinds: [row["when"] for row in rows if row["fact"] in kinds]
    for measure, kinds in (("arrests/1", ["suspect-arrested"]), ("arrests-or-interviews/1", ["suspect-arrested", "suspect-attended"])):
        listed(measure, [c for c, rows in custody.items() if begun(rows, kinds) and inside(min(begun(rows, kinds)))])

    exhibits = defaultdict(list)
    for row in facts.read("exhibits"):
        exhibits[row["exhibit"]].append(row)
    examined = {row["exhibit"]: row["recorded"] for row in reversed(facts.read("examinations"))}
    seized, excluded, queue = [], [], {}
    for exhibit, rows in exhibits.items():
        rows.sort(key=lambda row: (row["when"] or row["recorded"], int(row["entry"])))
        origin = next((r for r in rows if r["fact"] in ("exhibit-taken", "exhibit-excluded")), None)
        if origin is None:
            continue
        if origin["fact"] == "exhibit-excluded":
            excluded += [exhibit] if inside(origin["when"]) else []
            continue
        if origin["parent"]:
            continue
        seized += [exhibit] if inside(origin["when"]) else []
        worked = any(r["fact"] in ("exhibit-examined", "exhibit-returned", "exhibit-destroyed") and before_end(r["when"]) for r in rows)
        attached = exhibit in examined and before_end(examined[exhibit])
        if before_end(origin["when"]) and not worked and not attached:
            queue[exhibit] = (last - day_of(origin["when"])).days
    listed("devices-seized/1", seized)
    listed("devices-excluded/1", excluded)
    lasting("backlog-devices/1", queue)

    persons = facts.read("persons")
    one = of_one_person(persons)
    # A child is who is stated to be one, by what was said last in any record of that person.
    is_child = {}
    for row in persons:
        if row["fact"] in ("person-made", "person-roles-stated"):
            is_child[row["person"]] = row["child"] == "yes"
    children = {one(person) for person, child in is_child.items() if child}
    safe = defaultdict(list)
    actions = ("child seen and safe", "child moved to safety", "suspect kept away")
    for row in facts.read("safeguarding"):
        acted = row["fact"] == "child-made-safe" and row["action"] in actions
        safeguards = acted or row["fact"] in ("safeguarding-acknowledged", "child-protected")
        if safeguards and one(row["child"]) in children:
            safe[one(row["child"])].append(row["when"])
    listed("children-safeguarded/1", [c for c, times in safe.items() if any(inside(t) for t in times)])
    where = defaultdict(list)
    for row in persons:
        where[one(row["person"])].append(received.get(row["investigation"]))
    reached = {}
    for child, times in safe.items():
        known = [text for text in where[child] if text]
        if inside(min(times)) and known:
            reached[child] = (day_of(min(times)) - day_of(min(known))).days
    lasting("days-to-safeguarding/1", reached)

    begun = {}
    for row in persons:
        if row["fact"] == "person-made":
            begun.setdefault(row["person"], row)
    unnamed, named, known_as = set(), set(), {}
    for person, row in begun.items():
        child = one(person)
        if child in children and row["unidentified"] == "yes":
            unnamed.add(child)
            known_as[child] = min(row["known"], known_as.get(child, row["known"]))
        elif child in children and before_end(row["known"]):
            named.add(child)
    steps = defaultdict(list)
    for row in facts.read("identification"):
        if row["step"]:
            steps[one(row["child"])].append((row["when"], int(row["entry"]), row["step"] in ("identified", "located", "safeguarded")))
    first_known = {c: min(when for when, _, known in of if known) for c, of in steps.items() if any(s[2] for s in of)}
    listed("children-identified/1", [c for c, when in first_known.items() if c in unnamed and inside(when)])
    at_end = {c: max([s for s in of if before_end(s[0])], default=(0, 0, False))[2] for c, of in steps.items()}
    listed("children-unidentified/1", [c for c in unnamed - named if before_end(known_as[c]) and not at_end.get(c)])

    outcomes = facts.read("outcomes")
    charges, good, results = {}, defaultdict(list), defaultdict(list)
    for row in sorted(outcomes, key=lambda r: int(r["entry"])):
        if row["fact"] == "charged":
            charges.setdefault(f"{row['outcome']}/{row['charge']}", row["when"])
        if row["fact"] == "charged" or row["positive"] == "yes":
            good[row["outcome"]].append(row["when"])
        if row["fact"] in ("charged", "disposed"):
            results[row["investigation"]].append(row["when"])
    listed("charges/1", [c for c, when in charges.items() if inside(when)])
    listed("positive-outcomes/1", [o for o, times in good.items() if inside(min(times))])
    lasting(
        "days-to-result/1",
        {i: (day_of(min(t)) - day_of(received[i])).days for i, t in results.items() if i in received and inside(min(t))},
    )

    for measure, name in (("exposure/1", "views"), ("exposure-clear/1", "clear_views")):
        views = [row for row in facts.read(name) if inside(row["recorded"])]
        out[measure] = {
            "value": {"views": len(views), "people": len({row["by"] for row in views})},
            "records": [f"entry {row['entry']}" for row in views],
        }
    return out


def main():
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("folder")
    ask.add_argument("--from", dest="first", required=True, type=date.fromisoformat)
    ask.add_argument("--to", dest="last", required=True, type=date.fromisoformat)
    ask.add_argument("--cutoff", type=int)
    asked = ask.parse_args()
    print(json.dumps(figures(asked.folder, asked.first, asked.last, asked.cutoff), indent=1))


main()
