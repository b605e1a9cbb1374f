"""A scenario for the forms on web pages. Each form is submitted with valid values, and some with invalid values."""

from io import BytesIO

from tests.comparison.api_scenario import find_emailed_token
from tests.comparison.application import PASSWORD
from tests.comparison.forms import fill_in_form, submit_form
from tests.comparison.public_responses import HTML_TYPE
from tests.comparison.recorder import Recorder, RecordingClient, get_json
from tests.images import make_two_colour_image

_EVENT_FORM = {
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
    """Record the scenario: an account, a talk and an event from creation to deletion."""
    ann, olga, moderator = (recorder.create_client(name) for name in ("ann", "olga", "max"))
    _register(ann, "ann@example.org")
    _register(olga, "olga@example.org")
    _sign_in(moderator, "max@example.org")
    _record_account(ann)
    _record_proposal(olga, moderator)
    _record_rooms_and_tracks(olga)
    _record_sponsors(olga)
    _record_team(olga, ann)
    talk = _record_submissions(ann)
    _record_decisions(olga, ann, talk)
    _record_schedule(olga, talk)
    _record_profiles(ann, moderator)
    _record_agenda(ann)
    _record_deletions(ann, olga, moderator, talk=talk)
    recorder.write_emails("in the end")


def _register(person: RecordingClient, email: str) -> None:
    typed = {"email": email, "password": PASSWORD, "name": f"{person.name.title()} Newcomer"}
    fill_in_form(person, "/register", "/register", typed={**typed, "password": "short"})
    fill_in_form(person, "/register", "/register", typed=typed)
    fill_in_form(person, "/register", "/register", typed=typed, language="de")
    token = find_emailed_token(person.recorder, email, "/confirm?token=")
    fill_in_form(person, f"/confirm?token={token}", "/confirm", typed={"password": PASSWORD})
    fill_in_form(person, "/login?next=/me/account", "/login", typed={"email": email, "password": "wrong"})
    _sign_in(person, email)


def _sign_in(person: RecordingClient, email: str) -> None:
    fill_in_form(person, "/login", "/login", typed={"email": email, "password": PASSWORD})


def _record_account(ann: RecordingClient) -> None:
    fill_in_form(ann, "/me/account", "/me/account", typed={"name": "Ann the First"})
    fill_in_form(ann, "/me/account", "/me/account", typed={"name": " "})
    new = "another quiet bicycle"
    fill_in_form(ann, "/me/account", "/me/account/password", typed={"password": "wrong", "new_password": new})
    fill_in_form(ann, "/me/account", "/me/account/password", typed={"password": PASSWORD, "new_password": new})
    fill_in_form(ann, "/me/account/email", "/me/account/email", typed={"email": "new@example.org", "password": "wrong"})
    fill_in_form(ann, "/me/account/email", "/me/account/email", typed={"email": "new@example.org", "password": new})
    fill_in_form(ann, "/reset", "/reset", typed={"email": "ann@example.org"})
    token = find_emailed_token(ann.recorder, "ann@example.org", "/reset?token=")
    fill_in_form(ann, f"/reset?token={token}", "/reset", typed={"password": "short"})
    fill_in_form(ann, f"/reset?token={token}", "/reset", typed={"password": PASSWORD})
    _sign_in(ann, "ann@example.org")
    zoe = ann.recorder.create_client("zoe")
    fill_in_form(zoe, "/register", "/register", typed={"email": "zoe@example.org", "password": PASSWORD, "name": "Zoë"})
    _sign_in(zoe, "zoe@example.org")
    fill_in_form(zoe, "/me/account", "/me/account/confirmation")
    fill_in_form(zoe, "/me/account", "/logout")
    token_form = {"name": "A script", "scopes": ["read", "submit"], "expires_at": "2026-12-31"}
    fill_in_form(ann, "/me/tokens", "/me/tokens", typed={**token_form, "scopes": []})
    fill_in_form(ann, "/me/tokens", "/me/tokens", typed=token_form)
    row = _find_link_by_prefix(ann, "/me/tokens", "/me/tokens/")
    fill_in_form(ann, row, row)
    fill_in_form(ann, "/me/feeds", "/me/feeds", typed={"name": ""})
    fill_in_form(ann, "/me/feeds", "/me/feeds", typed={"name": "Phone"})
    row = _find_link_by_prefix(ann, "/me/feeds", "/me/feeds/")
    fill_in_form(ann, row, row)


def _find_link_by_prefix(person: RecordingClient, page: str, start: str) -> str:
    """Return the first URL on a page with this prefix."""
    found = person.get(page, Accept=HTML_TYPE).text.partition(f'href="{start}')
    if not found[2]:
        raise AssertionError(f"{page} has no link to {start}")
    return start + found[2].partition('"')[0]


def _record_proposal(olga: RecordingClient, moderator: RecordingClient) -> None:
    fill_in_form(olga, "/propose", "/propose", do="preview", typed=_EVENT_FORM)
    fill_in_form(
        olga, "/propose", "/propose", do="propose", typed={**_EVENT_FORM, "starts": "tomorrow", "country": "Germany"}
    )
    fill_in_form(olga, "/propose", "/propose", do="propose", typed=_EVENT_FORM)
    fill_in_form(olga, "/propose", "/propose", do="propose", typed=_EVENT_FORM, language="de")
    fill_in_form(
        olga, "/propose", "/propose", do="propose", typed={**_EVENT_FORM, "title": "Unwanted", "slug": "unwanted"}
    )
    page, home = "/organise/gathering/event", "/organise/gathering/publishing"
    stale = olga.get(page, Accept=HTML_TYPE)
    fill_in_form(olga, page, page, do="preview", typed={"summary": "Two days."})
    fill_in_form(
        olga,
        page,
        page,
        do="save",
        typed={"summary": "Four days.", "call_opens": "2026-02-01", "call_opens_time": "08:00"},
    )
    submit_form(olga, stale, page, do="save", typed={"summary": "Five days."})
    fill_in_form(olga, page, page, do="save", typed={"title": "", "starts": ""})
    fill_in_form(moderator, f"{home}/publish", home, do="publish")
    fill_in_form(olga, "/organise/unwanted/publishing/delete", "/organise/unwanted/publishing", do="delete")


def _record_rooms_and_tracks(olga: RecordingClient) -> None:
    home = "/organise/gathering/parts"
    for kind, fields in (("room", {"capacity": "100"}), ("track", {"colour": "#2a7f62"})):
        typed = {f"new-{kind}-name": f"The {kind}", **{f"new-{kind}-{name}": value for name, value in fields.items()}}
        fill_in_form(olga, home, home, do=f"add-{kind}", typed=typed)
        fill_in_form(olga, home, home, do=f"add-{kind}", typed=typed)
        fill_in_form(olga, home, home, do=f"add-{kind}", typed={f"new-{kind}-name": f"Another {kind}"})
    removing = _find_link_by_prefix(olga, home, f"{home}/")
    part = removing.removeprefix(f"{home}/").removesuffix("/remove")
    fill_in_form(
        olga, home, home, do="save", row=part, typed={f"{part}-name": "The first room", f"{part}-capacity": "many"}
    )
    fill_in_form(
        olga, home, home, do="save", row=part, typed={f"{part}-name": "The first room", f"{part}-capacity": ""}
    )
    fill_in_form(olga, removing, home, do="remove")


def _record_sponsors(olga: RecordingClient) -> None:
    home = "/organise/gathering/sponsors"
    tier = {"new-tier-name": "Gold", "new-tier-price_amount": "1000,50", "new-tier-price_currency": "eur"}
    fill_in_form(
        olga,
        home,
        home,
        do="add-tier",
        typed={**tier, "new-tier-capacity": "1", "new-tier-benefits": "A table\r\nA logo"},
    )
    fill_in_form(olga, home, home, do="add-tier", typed={"new-tier-name": "", "new-tier-price_amount": "-1"})
    fill_in_form(olga, home, home, do="add-tier", typed={"new-tier-name": "Silver", "new-tier-rank": "2"})
    removing = _find_link_by_prefix(olga, home, f"{home}/tiers/")
    gold = removing.removeprefix(f"{home}/tiers/").removesuffix("/remove")
    fill_in_form(olga, home, home, do="save-tier", row=gold, typed={f"{gold}-benefits": "A chair"})
    sponsor = {
        "new-sponsor-tier": gold,
        "new-sponsor-name": "Company & Sons",
        "new-sponsor-url": "https://company.example/",
    }
    fill_in_form(olga, home, home, do="add-sponsor", typed={**sponsor, "new-sponsor-url": "nonsense"})
    fill_in_form(olga, home, home, do="add-sponsor", typed={**sponsor, "new-sponsor-note": "They called."})
    fill_in_form(olga, removing, home, do="remove-tier")
    cancelling = _find_link_by_suffix(olga, home, "/cancel")
    held = cancelling.removeprefix(f"{home}/").removesuffix("/cancel")
    fill_in_form(olga, home, home, do="confirm", row=held)
    fill_in_form(olga, cancelling, home, do="cancel")
    fill_in_form(olga, removing, home, do="remove-tier")


def _find_link_by_suffix(person: RecordingClient, page: str, end: str) -> str:
    """Return the first URL on a page with this suffix."""
    before = person.get(page, Accept=HTML_TYPE).text.partition(f'{end}"')[0]
    return before.rpartition('href="')[2] + end


def _record_team(olga: RecordingClient, ann: RecordingClient) -> None:
    home = "/organise/gathering/team"
    for email in ("nobody@example.org", "zoe@example.org", "ann@example.org"):
        fill_in_form(olga, home, home, do="add", typed={"new-email": email, "new-role": "reviewer"})
    link = f"/invitations/{find_emailed_token(ann.recorder, 'nobody@example.org', '/invitations/')}"
    ann.get(link, Accept=HTML_TYPE)
    fill_in_form(ann.recorder.create_client("nobody"), link, link, do="decline")
    [invitation] = get_json(ann.call_api("GET", "/me/invitations"))["items"]
    fill_in_form(ann, "/me", f"/me/invitations/{invitation['id']}", do="accept")
    team = get_json(olga.call_api("GET", "/events/gathering/team"))
    fill_in_form(olga, home, home, do="withdraw", row=team["invitations"][0]["id"])
    someone = next(one["member_id"] for one in team["members"] if one["role"] == "reviewer")
    fill_in_form(olga, home, home, do="save", row=someone, typed={f"{someone}-role": "reviewer"})
    fill_in_form(olga, home, home, do="save", row=someone, typed={f"{someone}-role": "organiser"})
    fill_in_form(olga, f"{home}/{someone}/remove", home, do="remove")
    [own] = [one["member_id"] for one in team["members"] if one["member_id"] != someone]
    fill_in_form(olga, f"{home}/{own}/remove", home, do="remove")


def _record_submissions(ann: RecordingClient) -> str:
    """Record the submission and editing of talks, and return the id of a talk."""
    page = "/submit?event=gathering"
    ann.get("/submit", Accept=HTML_TYPE)
    talk = {"title": "A talk to decide on", "abstract": "About **it**.\r\n\r\nAnd more.", "tags": "xen, arm"}
    fill_in_form(ann, page, "/submit", do="preview", typed=talk)
    fill_in_form(
        ann, page, "/submit", do="submit", typed={**talk, "title": "", "duration_minutes": "long", "language": "?"}
    )
    fill_in_form(ann, page, "/submit", do="draft", typed=talk)
    here = _find_link_by_prefix(ann, "/me", "/me/talks/")
    stale = ann.get(here, Accept=HTML_TYPE)
    fill_in_form(ann, here, here, do="save", typed={"title": "A better title", "duration_minutes": "40"})
    submit_form(ann, stale, here, do="save", typed={"title": "A worse title"})
    fill_in_form(ann, here, here, do="save", typed={"title": ""})
    fill_in_form(ann, here, here, do="submit")
    for title in ("To withdraw", "To reject", "To redact"):
        fill_in_form(ann, page, "/submit", do="submit", typed={**talk, "title": title})
    listed = "/submit?event=hackday"
    fill_in_form(ann, listed, "/submit", do="submit", typed={**talk, "starts": "2026-05-02", "starts_time": "10:00"})
    ann.get("/me", label="German", Accept=HTML_TYPE, Accept_Language="de")
    return here.removeprefix("/me/talks/")


def _record_decisions(olga: RecordingClient, ann: RecordingClient, talk: str) -> None:
    home = "/organise/gathering"
    olga.get(f"{home}?state=all", Accept=HTML_TYPE)
    one = f"{home}/talks/{talk}"
    stale = olga.get(one, Accept=HTML_TYPE)
    fill_in_form(olga, one, one, do="save", typed={"tags": "xen", "track": "The track"})
    submit_form(olga, stale, one, do="save", typed={"tags": "arm"})
    asking = f"{home}/decide?do={{}}&talk={talk}&back=talk"
    fill_in_form(olga, asking.format("waitlist"), f"{home}/decide", do="waitlist", typed={"reason": "Perhaps."})
    fill_in_form(olga, asking.format("accept"), f"{home}/decide", do="accept", typed={"reason": "Very good.\r\nCome!"})
    olga.get(asking.format("accept"), Accept=HTML_TYPE)
    fill_in_form(ann, "/me", f"/me/talks/{talk}", do="confirm")
    stale = olga.get(asking.format("cancel"), Accept=HTML_TYPE)
    nothing = fill_in_form(olga, asking.format("cancel"), f"{home}/decide", do="cancel", typed={"talk": []})
    submit_form(olga, nothing, f"{home}/decide", do="cancel", typed={"reason": "x" * 2001, "talk": talk})


def _record_schedule(olga: RecordingClient, talk: str) -> None:
    page = "/organise/gathering/schedule"
    stale = olga.get(page, Accept=HTML_TYPE)
    typed = {f"{talk}-starts": "2026-05-04", f"{talk}-starts_time": "10:00", f"{talk}-minutes": "45"}
    fill_in_form(olga, page, page, do="save", typed={**typed, f"{talk}-starts_time": "25:00"})
    fill_in_form(olga, page, page, do="save", typed=typed)
    submit_form(olga, stale, page, do="save", typed={**typed, f"{talk}-starts_time": "11:00"})
    fill_in_form(olga, page, page, do="save")
    olga.get("/events/gathering/schedule", label="en", Accept=HTML_TYPE)


def _record_profiles(ann: RecordingClient, moderator: RecordingClient) -> None:
    profile = {"bio": "Speaks *often*.", "link-1-title": "Home", "link-1-url": "https://ann.example/"}
    fill_in_form(ann, "/me/speaker", "/me/speaker", typed={**profile, "link-1-url": "nonsense", "name": ""})
    fill_in_form(
        ann,
        "/me/speaker",
        "/me/speaker",
        typed={**profile, "photo": (BytesIO(make_two_colour_image((300, 300))), "me.png")},
    )
    fill_in_form(ann, "/me/speaker", "/me/speaker", typed={"remove_photo": "yes"})
    for page, typed in (
        ("/speakers/grace/edit", {"job_title": "Admiral"}),
        ("/sponsors/citrix/edit", {"description": "Sells."}),
    ):
        stale = moderator.get(page, Accept=HTML_TYPE)
        fill_in_form(moderator, page, page, typed=typed)
        submit_form(moderator, stale, page, typed=typed)


def _record_agenda(ann: RecordingClient) -> None:
    fill_in_form(ann, "/me/stars/confirmed", "/me/stars/confirmed")
    ann.get("/me/stars", Accept=HTML_TYPE)
    fill_in_form(ann, "/me/stars", "/me/stars/confirmed", do="remove")


def _record_deletions(ann: RecordingClient, olga: RecordingClient, moderator: RecordingClient, *, talk: str) -> None:
    """Record the end of talks, events and accounts: withdrawal, rejection, erasure and deletion."""
    home = "/organise/gathering"
    own = {one["title"]: one["id"] for one in get_json(ann.call_api("GET", "/me/talks"))["items"]}
    withdrawn, rejected, redacted = (own[title] for title in ("To withdraw", "To reject", "To redact"))
    fill_in_form(ann, f"/me/talks/{withdrawn}/withdraw", f"/me/talks/{withdrawn}", do="withdraw")
    fill_in_form(
        olga, f"{home}/decide?do=reject&talk={rejected}&talk={redacted}", f"{home}/decide", do="reject", language="de"
    )
    page = f"{home}/talks/{redacted}/redact"
    fill_in_form(moderator, page, page, do="redact")
    fill_in_form(
        olga, f"{home}/decide?do=cancel&talk={talk}", f"{home}/decide", do="cancel", typed={"reason": "No room."}
    )
    fill_in_form(olga, f"{home}/publishing/cancel", f"{home}/publishing", do="cancel")
    fill_in_form(moderator, f"{home}/publishing/redact", f"{home}/publishing", do="redact")
    fill_in_form(ann, "/me/account/delete", "/me/account/delete", typed={"password": "wrong"})
    fill_in_form(ann, "/me/account/delete", "/me/account/delete", typed={"password": PASSWORD})
    fill_in_form(moderator, "/me", "/logout")
