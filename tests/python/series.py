"""The days of series as python-dateutil has them, which shares no code with ours.

Reads JSON from standard input, a list of series, each with

    rule, endless   a recurrence rule, and the same without COUNT and UNTIL
    first           the first local start, 2027-03-21T10:00
    except          local days to leave out
    zone            an IANA zone

and prints for each of them its local starts ("local"), their instants in UTC ("instants"; null for
one that a clock change skips, where policies differ), and the local starts that the endless rule
has in the five years after its end, ten at most ("further"). tests/it/dateutil.rs compares them.
"""

import json
import sys
from datetime import datetime
from itertools import islice, takewhile

from dateutil import tz
from dateutil.relativedelta import relativedelta
from dateutil.rrule import rruleset, rrulestr
from dateutil.zoneinfo import get_zonefile_instance

# The zones that come with dateutil: the machine may have none.
ZONES = get_zonefile_instance()
MINUTES = "%Y-%m-%dT%H:%M"


def instant(local, zone):
    if not tz.datetime_exists(local, zone):
        return None
    return local.replace(tzinfo=zone).astimezone(tz.UTC).strftime(MINUTES)


def days_of(series):
    first = datetime.strptime(series["first"], MINUTES)
    days = rruleset()
    days.rrule(rrulestr(series["rule"], dtstart=first))
    without = {datetime.strptime(day, "%Y-%m-%d").date() for day in series["except"]}
    for day in without:
        days.exdate(datetime.combine(day, first.time()))
    local = list(days)
    last = list(rrulestr(series["rule"], dtstart=first))[-1]
    endless = rrulestr(series["endless"], dtstart=first)
    beyond = endless.xafter(last)
    end = last + relativedelta(years=5)
    further = (start for start in takewhile(lambda start: start <= end, beyond) if start.date() not in without)
    zone = ZONES.get(series["zone"])
    return {
        "local": [start.strftime(MINUTES) for start in local],
        "instants": [instant(start, zone) for start in local],
        "further": [start.strftime(MINUTES) for start in islice(further, 10)],
    }


json.dump([days_of(series) for series in json.load(sys.stdin)], sys.stdout)
