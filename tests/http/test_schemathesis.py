"""Proto."""
import copy
import dataclasses
import shutil
from functools import cache
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings

from eventcal.app import create_app
from eventcal.config import Settings
from eventcal.web.api.openapi.document import answered_schemas
from eventcal.web.conditional import RenditionCache
from tests import world
from tests.clocks import FixedClock
from tests.http_app import database_of, running


@cache
def _document():
    app = create_app(Settings(instance=Path("instance"), database_url="sqlite:////nonexistent/x.db", secret_key="k"*40))
    doc = copy.deepcopy(app.extensions["eventcal_openapi"]())
    for name in answered_schemas(doc):
        doc["components"]["schemas"][name]["additionalProperties"] = False
    slugs = {"events": world.EVENTS, "speakers": world.SPEAKERS, "sponsors": world.SPONSORS}
    for path, item in doc["paths"].items():
        for p in item.get("parameters", []):
            known = slugs[path.partition("/{slug}")[0].rpartition("/")[2]] if p["name"]=="slug" else world.NAMES[p["name"]]
            p["schema"]["enum"]=list(known)
        for op in item.values():
            if isinstance(op, dict):
                if path in {"/api/v1/talks","/api/v1/events/{slug}/talks"} or (path.endswith(".ics") and path!="/calendar.ics"):
                    op["parameters"]=[p for p in op["parameters"] if p.get("in")!="query"]
                b=op.get("requestBody",{}).get("content",{})
                if len(b)==2: b.pop("application/merge-patch+json")
    return doc

LABELS=[f"{m.upper()} {p}" for p,i in _document()["paths"].items() for m,o in i.items() if isinstance(o,dict)]

@cache
def _api():
    config = schemathesis.Config.from_dict({"generation": {"deterministic": True, "max-examples": 10}, "seed": 1})
    return schemathesis.openapi.from_dict(_document(), config=config)

class Place:
    def __init__(self, path, made, app): self.path, self.made, self.app, self.touched = path, made, app, False
    def fresh(self):
        if not self.touched: return
        database_of(self.app).engine.dispose()
        for s in ("-wal","-shm"): Path(str(self.path)+s).unlink(missing_ok=True)
        shutil.copyfile(self.made, self.path)
        self.app.extensions["eventcal"]=dataclasses.replace(self.app.extensions["eventcal"], renditions=RenditionCache(1000000))
        self.touched=False

@pytest.fixture(scope="session")
def _made(_sqlite_template, tmp_path_factory):
    path = tmp_path_factory.mktemp("world")/"w.db"
    shutil.copyfile(_sqlite_template, path)
    with running(f"sqlite:///{path}", FixedClock()) as app:
        world.build(app)
    return path

@pytest.fixture(scope="session")
def place(_made, tmp_path_factory):
    p = tmp_path_factory.mktemp("world")/"e.db"; shutil.copyfile(_made, p)
    with running(f"sqlite:///{p}", FixedClock()) as app:
        yield Place(p,_made,app)


import json
import os
import time

from schemathesis.checks import load_all_checks
from schemathesis.generation.feedback import FeedbackSources
from schemathesis.pytest._test_builder import build_operation_test

load_all_checks()
OUT=open(os.environ.get("OUT","/tmp/w/o_fail.jsonl"),"a")
SEEN=set()
STAT={}
@pytest.mark.parametrize("label", LABELS)
def test_x(label, place):
    s=_api().include(name=label)
    s.app=place.app
    [r]=list(s.get_all_operations())
    op=r.ok()
    n=0; t=time.perf_counter()
    def check(case):
        nonlocal n
        n+=1
        place.fresh()
        place.touched = case.method!="GET"
        kw={"headers": {"Authorization": "Bearer evc_moderator","Accept-Encoding":"identity"}}
        resp=case.call(**kw)
        STAT.setdefault(label,{}).setdefault(str(resp.status_code),0); STAT[label][str(resp.status_code)]+=1
        try: case.validate_response(resp, headers=kw["headers"], transport_kwargs=kw)
        except BaseExceptionGroup as g:
            for e in g.exceptions:
                key=(label,type(e).__name__,str(e)[:160])
                if key in SEEN: continue
                SEEN.add(key)
                m=case.meta
                print(json.dumps([label,type(e).__name__,str(e)[:500],resp.status_code,resp.text[:600],repr(case.body)[:400],repr(case.query)[:300],repr(case.path_parameters), repr(case.headers)[:200], m.generation.mode.value if m else "", m.phase.name.value if m else ""]),file=OUT,flush=True)
    fn=build_operation_test(config=s.config, operation=op, test_func=check, given_kwargs={}, feedback=FeedbackSources(),
       explicit_settings=settings(deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate], max_examples=int(os.environ.get("MX","10"))))
    fn()
    print(json.dumps(["STAT",label,n,round(time.perf_counter()-t,2),STAT[label]]),file=OUT,flush=True)
