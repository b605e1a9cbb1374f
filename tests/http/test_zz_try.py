"""try"""
from tests.feed_changes import CHANGES, change
from tests.feed_world import open_world
from tests.fetching import fetch
from tests.clocks import FixedClock
from tests.make_feeds import Calendar
from tests.http_app import running, database_of, house_of
from tests.feed_world import make_world
from tests.http.test_kept_answers import _FEEDS, _LISTS
import random, os

def test_etags(sqlite_url, clock):
  with running(sqlite_url, clock) as app:
    world = make_world(Calendar(database_of(app), clock, house_of(app).ledger))
    extra = [f"/calendar.{f}?include=events,talks,deadlines&cancelled=mark&tz=utc" for f in ("ics","jscal")]
    extra += [f"/calendar.{f}?include=events,talks,deadlines" for f in ("ics","jcal","xcal","jscal","csv")] + ["/calendar.ics?profile=rich"]
    paths = [*_FEEDS, *_LISTS, *extra, "/api/v1/events/hackday", *(f"/api/v1/talks/{world.ids[n]}" for n in ("talk", "waiting", "again", "sequel"))]
    bodies = {}
    names = sorted(CHANGES)
    random.Random(1).shuffle(names)
    seen = set()
    out = open("/tmp/staletry/out.txt", "w")
    for name in names[:70]:
        change(world, name)
        for p in paths:
            a = fetch(app, p)
            if a.status_code != 200:
                continue
            k = (p, a.headers["ETag"])
            o, w = bodies.setdefault(k, a.data), a.data
            if o != w:
                i = next((i for i, (x, y) in enumerate(zip(o, w)) if x != y), min(len(o), len(w)))
                print(p, name, k[1], o[max(0,i-80):i+80], "=>", w[max(0,i-80):i+80], file=out, flush=True)
                bodies[k] = a.data
    print("done", file=out, flush=True)
