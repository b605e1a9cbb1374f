"""Changes to a world from outside, as another worker of the same installation would make them."""

from itertools import count

from sqlalchemy import select

from bench.worlds import World, open_house
from eventcal.events.models import Event, Room
from eventcal.members.caller import OPERATOR
from eventcal.talks.models import Talk
from eventcal.talks.queries import get_talk
from eventcal.talks.service import edit_talk

# What is changed from outside: the talks on the first page of the list.
_FIRST_PAGE = 50


class Outsider:
    """Knows the first event's talks and rooms by their ids, and changes talks through models and ledger.

    talks: in the order of the list. rooms: in their own order.
    """

    def __init__(self, world: World) -> None:
        self._house = open_house(world)
        self._numbers = count(1)
        with self._house.database.reading() as session:
            event_id = session.scalars(select(Event.id).where(Event.slug == world.slug)).one()
            talks = select(Talk.id).where(Talk.event_id == event_id).order_by(Talk.sort_at, Talk.id)
            rooms = select(Room.id).where(Room.event_id == event_id).order_by(Room.position)
            self.talks = tuple(session.scalars(talks))
            self.rooms = tuple(session.scalars(rooms))

    def new_name(self) -> str:
        """Return a name that nothing has yet."""
        return f"Another name, number {next(self._numbers)}"

    def change_a_talk(self) -> None:
        """Change the title of one of the first fifty talks, each in its turn; it is committed then."""
        number = next(self._numbers)
        with self._house.database.unit_of_work() as unit:
            talk = get_talk(unit.session, self.talks[number % _FIRST_PAGE], OPERATOR)
            edit_talk(unit.session, talk, {"title": f"Another title, number {number}"}, caller=OPERATOR, now=unit.now)

    def close(self) -> None:
        """Let go of the database."""
        self._house.database.engine.dispose()
