"""A scenario through the forms of pages: each is filled in and sent, also with mistakes."""

from io import BytesIO

from tests.comparison.application import PASSWORD
from tests.comparison.by_api import emailed_token
from tests.comparison.forms import fill_in, send
from tests.comparison.public import HTML
from tests.comparison.recorder import Person, Recorder, json_of
from tests.images import halved

_EVENT = {
    "title": "A gathering, in spring",
    "slug": "gathering",
    "timezone": "Europe/Berlin",
    "starts": "2026-05-04",
    "ends": "2026-05-06",
    "summary": "Three days.",
    "description": "*Three* days.\r\n\r\nOf talks.",
    "city": "Berlin",
    "country": "de",
    "tags": "xen, spring",
    "call": "yes",
    "call_note": "Please.",
}


def record_form_scenario(recorder: Recorder) -> None:
    """Record the scenario: an account, a talk and an event from their beginnings to their ends."""
    ann, olga, moderator = (recorder.person(name) for name in ("ann", "olga", "max"))
    _register(ann, "ann@example.org")
    _register(olga, "olga@example.org")
    _sign_in(moderator, "max@example.org")
    _account(ann)
    _propose(olga, moderator)
    _parts(olga)
    _sponsors(olga)
    _team(olga)
    talk = _submit(ann)
    _decide(olga, ann, talk)
    _schedule(olga, talk)
    _profiles(ann, moderator)
    _agenda(ann)
    _endings(ann, olga, moderator, talk=talk)
    recorder.write_emails("in the end")


def _register(person: Person, email: str) -> None:
    typed = {"email": email, "password": PASSWORD, "name": f"{person.name.title()} Newcomer"}
    fill_in(person, "/register", "/register", typed={**typed, "password": "short"})
    fill_in(person, "/register", "/register", typed=typed)
    fill_in(person, "/register", "/register", typed=typed, language="de")
    token = emailed_token(person.recorder, email, "/confirm")
    fill_in(person, f"/confirm?token={token}", "/confirm")
    fill_in(person, "/confirm?token=nonsense", "/confirm")
    fill_in(person, "/login?next=/me/account", "/login", typed={"email": email, "password": "wrong"})
    _sign_in(person, email)


def _sign_in(person: Person, email: str) -> None:
    fill_in(person, "/login", "/login", typed={"email": email, "password": PASSWORD})


def _account(ann: Person) -> None:
    fill_in(ann, "/me/account", "/me/account", typed={"name": "Ann the First"})
    fill_in(ann, "/me/account", "/me/account", typed={"name": " "})
    new = "another quiet bicycle"
    fill_in(ann, "/me/account", "/me/account/password", typed={"password": "wrong", "new_password": new})
    fill_in(ann, "/me/account", "/me/account/password", typed={"password": PASSWORD, "new_password": new})
    fill_in(ann, "/reset", "/reset", typed={"email": "ann@example.org"})
    token = emailed_token(ann.recorder, "ann@example.org", "/reset")
    fill_in(ann, f"/reset?token={token}", "/reset", typed={"password": "short"})
    fill_in(ann, f"/reset?token={token}", "/reset", typed={"password": PASSWORD})
    _sign_in(ann, "ann@example.org")
    zoe = ann.recorder.person("zoe")
    fill_in(zoe, "/register", "/register", typed={"email": "zoe@example.org", "password": PASSWORD, "name": "Zoë"})
    _sign_in(zoe, "zoe@example.org")
    fill_in(zoe, "/me/account", "/me/account/confirmation")
    fill_in(zoe, "/me/account", "/logout")
    token_form = {"name": "A script", "scopes": ["read", "submit"], "expires_at": "2026-12-31"}
    fill_in(ann, "/me/tokens", "/me/tokens", typed={**token_form, "scopes": []})
    fill_in(ann, "/me/tokens", "/me/tokens", typed=token_form)
    row = _link(ann, "/me/tokens", "/me/tokens/")
    fill_in(ann, row, row)
    fill_in(ann, "/me/feeds", "/me/feeds", typed={"name": ""})
    fill_in(ann, "/me/feeds", "/me/feeds", typed={"name": "Phone"})
    row = _link(ann, "/me/feeds", "/me/feeds/")
    fill_in(ann, row, row)


def _link(person: Person, page: str, start: str) -> str:
    """Return the first address on a page that begins like this."""
    found = person.get(page, Accept=HTML).text.partition(f'href="{start}')
    if not found[2]:
        raise AssertionError(f"{page} has no link to {start}")
    return start + found[2].partition('"')[0]


def _propose(olga: Person, moderator: Person) -> None:
    fill_in(olga, "/propose", "/propose", do="preview", typed=_EVENT)
    fill_in(olga, "/propose", "/propose", do="propose", typed={**_EVENT, "starts": "tomorrow", "country": "Germany"})
    fill_in(olga, "/propose", "/propose", do="propose", typed=_EVENT)
    fill_in(olga, "/propose", "/propose", do="propose", typed=_EVENT, language="de")
    fill_in(olga, "/propose", "/propose", do="propose", typed={**_EVENT, "title": "Unwanted", "slug": "unwanted"})
    page, home = "/organise/gathering/event", "/organise/gathering/publishing"
    stale = olga.get(page, Accept=HTML)
    fill_in(olga, page, page, do="preview", typed={"summary": "Two days."})
    fill_in(
        olga,
        page,
        page,
        do="save",
        typed={"summary": "Four days.", "call_opens": "2026-02-01", "call_opens_time": "08:00"},
    )
    send(olga, stale, page, do="save", typed={"summary": "Five days."})
    fill_in(olga, page, page, do="save", typed={"title": "", "starts": ""})
    fill_in(moderator, f"{home}/publish", home, do="publish")
    fill_in(olga, "/organise/unwanted/publishing/delete", "/organise/unwanted/publishing", do="delete")


def _parts(olga: Person) -> None:
    home = "/organise/gathering/parts"
    for kind, fields in (("room", {"capacity": "100"}), ("track", {"colour": "#2a7f62"})):
        typed = {f"new-{kind}-name": f"The {kind}", **{f"new-{kind}-{name}": value for name, value in fields.items()}}
        fill_in(olga, home, home, do=f"add-{kind}", typed=typed)
        fill_in(olga, home, home, do=f"add-{kind}", typed=typed)
        fill_in(olga, home, home, do=f"add-{kind}", typed={f"new-{kind}-name": f"Another {kind}"})
    removing = _link(olga, home, f"{home}/")
    part = removing.removeprefix(f"{home}/").removesuffix("/remove")
    fill_in(olga, home, home, do="save", row=part, typed={f"{part}-name": "The first room", f"{part}-capacity": "many"})
    fill_in(olga, home, home, do="save", row=part, typed={f"{part}-name": "The first room", f"{part}-capacity": ""})
    fill_in(olga, removing, home, do="remove")


def _sponsors(olga: Person) -> None:
    home = "/organise/gathering/sponsors"
    tier = {"new-tier-name": "Gold", "new-tier-price_amount": "1000,50", "new-tier-price_currency": "eur"}
    fill_in(
        olga,
        home,
        home,
        do="add-tier",
        typed={**tier, "new-tier-capacity": "1", "new-tier-benefits": "A table\r\nA logo"},
    )
    fill_in(olga, home, home, do="add-tier", typed={"new-tier-name": "", "new-tier-price_amount": "-1"})
    fill_in(olga, home, home, do="add-tier", typed={"new-tier-name": "Silver", "new-tier-rank": "2"})
    removing = _link(olga, home, f"{home}/tiers/")
    gold = removing.removeprefix(f"{home}/tiers/").removesuffix("/remove")
    fill_in(olga, home, home, do="save-tier", row=gold, typed={f"{gold}-benefits": "A chair"})
    sponsor = {
        "new-sponsor-tier": gold,
        "new-sponsor-name": "Company & Sons",
        "new-sponsor-url": "https://company.example/",
    }
    fill_in(olga, home, home, do="add-sponsor", typed={**sponsor, "new-sponsor-url": "nonsense"})
    fill_in(olga, home, home, do="add-sponsor", typed={**sponsor, "new-sponsor-note": "They called."})
    fill_in(olga, removing, home, do="remove-tier")
    cancelling = _link_that_ends(olga, home, "/cancel")
    held = cancelling.removeprefix(f"{home}/").removesuffix("/cancel")
    fill_in(olga, home, home, do="confirm", row=held)
    fill_in(olga, cancelling, home, do="cancel")
    fill_in(olga, removing, home, do="remove-tier")


def _link_that_ends(person: Person, page: str, end: str) -> str:
    """Return the first address on a page that ends like this."""
    before = person.get(page, Accept=HTML).text.partition(f'{end}"')[0]
    return before.rpartition('href="')[2] + end


def _team(olga: Person) -> None:
    home = "/organise/gathering/team"
    fill_in(olga, home, home, do="add", typed={"new-email": "nobody@example.org", "new-role": "reviewer"})
    fill_in(olga, home, home, do="add", typed={"new-email": "zoe@example.org", "new-role": "reviewer"})
    team = json_of(olga.api("GET", "/events/gathering/team"))["items"]
    someone = next(one["member_id"] for one in team if one["name"] == "Zoë")
    fill_in(olga, home, home, do="save", row=someone, typed={f"{someone}-role": "reviewer"})
    fill_in(olga, home, home, do="save", row=someone, typed={f"{someone}-role": "organiser"})
    fill_in(olga, f"{home}/{someone}/remove", home, do="remove")
    [own] = [one["member_id"] for one in team if one["member_id"] != someone]
    fill_in(olga, f"{home}/{own}/remove", home, do="remove")


def _submit(ann: Person) -> str:
    """Record how talks are submitted and changed, and return the identifier of one."""
    page = "/submit?event=gathering"
    ann.get("/submit", Accept=HTML)
    talk = {"title": "A talk to decide on", "abstract": "About **it**.\r\n\r\nAnd more.", "tags": "xen, arm"}
    fill_in(ann, page, "/submit", do="preview", typed=talk)
    fill_in(ann, page, "/submit", do="submit", typed={**talk, "title": "", "duration_minutes": "long", "language": "?"})
    fill_in(ann, page, "/submit", do="draft", typed=talk)
    here = _link(ann, "/me", "/me/talks/")
    stale = ann.get(here, Accept=HTML)
    fill_in(ann, here, here, do="save", typed={"title": "A better title", "duration_minutes": "40"})
    send(ann, stale, here, do="save", typed={"title": "A worse title"})
    fill_in(ann, here, here, do="save", typed={"title": ""})
    fill_in(ann, here, here, do="submit")
    for title in ("To withdraw", "To reject", "To redact"):
        fill_in(ann, page, "/submit", do="submit", typed={**talk, "title": title})
    listed = "/submit?event=hackday"
    fill_in(ann, listed, "/submit", do="submit", typed={**talk, "starts": "2026-05-02", "starts_time": "10:00"})
    ann.get("/me", label="German", Accept=HTML, Accept_Language="de")
    return here.removeprefix("/me/talks/")


def _decide(olga: Person, ann: Person, talk: str) -> None:
    home = "/organise/gathering"
    olga.get(f"{home}?state=all", Accept=HTML)
    one = f"{home}/talks/{talk}"
    stale = olga.get(one, Accept=HTML)
    fill_in(olga, one, one, do="save", typed={"tags": "xen", "track": "The track"})
    send(olga, stale, one, do="save", typed={"tags": "arm"})
    asking = f"{home}/decide?do={{}}&talk={talk}&back=talk"
    fill_in(olga, asking.format("waitlist"), f"{home}/decide", do="waitlist", typed={"reason": "Perhaps."})
    fill_in(olga, asking.format("accept"), f"{home}/decide", do="accept", typed={"reason": "Very good.\r\nCome!"})
    olga.get(asking.format("accept"), Accept=HTML)
    fill_in(ann, "/me", f"/me/talks/{talk}", do="confirm")
    stale = olga.get(asking.format("cancel"), Accept=HTML)
    nothing = fill_in(olga, asking.format("cancel"), f"{home}/decide", do="cancel", typed={"talk": []})
    send(olga, nothing, f"{home}/decide", do="cancel", typed={"reason": "x" * 2001, "talk": talk})


def _schedule(olga: Person, talk: str) -> None:
    page = "/organise/gathering/schedule"
    stale = olga.get(page, Accept=HTML)
    typed = {f"{talk}-starts": "2026-05-04", f"{talk}-starts_time": "10:00", f"{talk}-minutes": "45"}
    fill_in(olga, page, page, do="save", typed={**typed, f"{talk}-starts_time": "25:00"})
    fill_in(olga, page, page, do="save", typed=typed)
    send(olga, stale, page, do="save", typed={**typed, f"{talk}-starts_time": "11:00"})
    fill_in(olga, page, page, do="save")
    olga.get("/events/gathering/schedule", label="en", Accept=HTML)


def _profiles(ann: Person, moderator: Person) -> None:
    profile = {"bio": "Speaks *often*.", "link-1-title": "Home", "link-1-url": "https://ann.example/"}
    fill_in(ann, "/me/speaker", "/me/speaker", typed={**profile, "link-1-url": "nonsense", "name": ""})
    fill_in(ann, "/me/speaker", "/me/speaker", typed={**profile, "photo": (BytesIO(halved((300, 300))), "me.png")})
    fill_in(ann, "/me/speaker", "/me/speaker", typed={"remove_photo": "yes"})
    for page, typed in (
        ("/speakers/grace/edit", {"job_title": "Admiral"}),
        ("/sponsors/citrix/edit", {"description": "Sells."}),
    ):
        stale = moderator.get(page, Accept=HTML)
        fill_in(moderator, page, page, typed=typed)
        send(moderator, stale, page, typed=typed)


def _agenda(ann: Person) -> None:
    fill_in(ann, "/me/stars/confirmed", "/me/stars/confirmed")
    ann.get("/me/stars", Accept=HTML)
    fill_in(ann, "/me/stars", "/me/stars/confirmed", do="remove")


def _endings(ann: Person, olga: Person, moderator: Person, *, talk: str) -> None:
    """Record how talks, events and accounts come to their end."""
    home = "/organise/gathering"
    own = {one["title"]: one["id"] for one in json_of(ann.api("GET", "/me/talks"))["items"]}
    withdrawn, rejected, redacted = (own[title] for title in ("To withdraw", "To reject", "To redact"))
    fill_in(ann, f"/me/talks/{withdrawn}/withdraw", f"/me/talks/{withdrawn}", do="withdraw")
    fill_in(
        olga, f"{home}/decide?do=reject&talk={rejected}&talk={redacted}", f"{home}/decide", do="reject", language="de"
    )
    page = f"{home}/talks/{redacted}/redact"
    fill_in(moderator, page, page, do="redact")
    fill_in(olga, f"{home}/decide?do=cancel&talk={talk}", f"{home}/decide", do="cancel", typed={"reason": "No room."})
    fill_in(olga, f"{home}/publishing/cancel", f"{home}/publishing", do="cancel")
    fill_in(moderator, f"{home}/publishing/redact", f"{home}/publishing", do="redact")
    fill_in(ann, "/me/account/delete", "/me/account/delete", typed={"password": "wrong"})
    fill_in(ann, "/me/account/delete", "/me/account/delete", typed={"password": PASSWORD})
    fill_in(moderator, "/me", "/logout")
