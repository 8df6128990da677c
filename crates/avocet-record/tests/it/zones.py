"""For each civil time (seconds since 1970 as if it were UTC) what instants it can be in a zone, by zoneinfo."""

import datetime
import sys
import zoneinfo

zone = zoneinfo.ZoneInfo(sys.argv[1])
utc = datetime.timezone.utc
for line in sys.stdin:
    civil = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=int(line))
    found = []
    for fold in (0, 1):
        instant = civil.replace(tzinfo=zone, fold=fold).astimezone(utc)
        # Only what comes back as the same civil time ever was.
        if instant.astimezone(zone).replace(tzinfo=None) == civil:
            seconds = int((instant - datetime.datetime(1970, 1, 1, tzinfo=utc)).total_seconds())
            if seconds not in found:
                found.append(seconds)
    print(" ".join(map(str, found)))
