"""try"""
import re
from tests.feed_changes import CHANGES, change
from tests.feed_world import make_world
from tests.fetching import fetch
from tests.http.test_kept_answers import _FEEDS, _LISTS
from tests.make_feeds import Calendar
from tests.http_app import database_of, house_of
import pytest, random

@pytest.mark.parametrize("seed", range(6))
def test_etags(app, clock, seed):
    world = make_world(Calendar(database_of(app), clock, house_of(app).ledger))
    extra = [f"/calendar.{f}?include=events,talks,deadlines&cancelled={c}&tz={t}" for f in ("ics","jcal","xcal","jscal") for c in ("mark",) for t in ("utc",)]
    extra += [f"/calendar.{f}?include=events,talks,deadlines" for f in ("ics","jcal","xcal","jscal","csv")] + ["/calendar.ics?profile=rich", "/calendar.xcal?profile=rich"]
    paths = [*_FEEDS, *_LISTS, *extra, "/api/v1/events/hackday", "/events/hackday.ics", *(f"/api/v1/talks/{world.ids[n]}" for n in ("talk", "waiting", "again", "draft", "sequel"))]
    bodies = {}
    bad = {}
    names = sorted(CHANGES)
    random.Random(seed).shuffle(names)
    held = {}
    for name in names[:70]:
        change(world, name)
        for p in paths:
            a = fetch(app, p)
            if a.status_code != 200:
                continue
            k = (p, a.headers["ETag"])
            if bodies.setdefault(k, a.data) != a.data:
                bad.setdefault(p, []).append((name, bodies[k], a.data))
                bodies[k] = a.data
    for p, l in bad.items():
        print(p, len(l))
        for n, o, w in l[:2]:
            i = next(i for i, (x, y) in enumerate(zip(o, w)) if x != y) if o[:min(len(o),len(w))] != w[:min(len(o),len(w))] else min(len(o), len(w))
            print("   ", n, o[max(0,i-60):i+80], "=>", w[max(0,i-60):i+80])
    assert not bad
