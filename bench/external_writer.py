"""Changes to a dataset from another process, as by another worker of the same installation."""

from itertools import count

from sqlalchemy import select

from bench.datasets import Dataset, open_services
from eventcal.events.models import Event, Room
from eventcal.kit.retry import call_again_in_next_second
from eventcal.members.caller import OPERATOR
from eventcal.talks.models import Talk
from eventcal.talks.queries import get_talk
from eventcal.talks.service import edit_talk

# The writer changes the talks on the first page of the list.
_FIRST_PAGE_SIZE = 50


class ExternalWriter:
    """Changes talks of the first event through models and feed index.

    `talks` are the ids of the talks in the order of the list.
    `rooms` are the ids of the rooms in their order.
    """

    def __init__(self, world: Dataset) -> None:
        self._services = open_services(world)
        self._numbers = count(1)
        with self._services.database.read_session() as session:
            event_id = session.scalars(select(Event.id).where(Event.slug == world.slug)).one()
            talks = select(Talk.id).where(Talk.event_id == event_id).order_by(Talk.sort_at, Talk.id)
            rooms = select(Room.id).where(Room.event_id == event_id).order_by(Room.position)
            self.talks = tuple(session.scalars(talks))
            self.rooms = tuple(session.scalars(rooms))

    def new_name(self) -> str:
        """Return a unique name."""
        return f"Another name, number {next(self._numbers)}"

    def change_next_talk(self) -> None:
        """Change and commit the title of one of the first 50 talks. Successive calls change successive talks."""
        number = next(self._numbers)
        self.set_title(self.talks[number % _FIRST_PAGE_SIZE], f"Another title, number {number}")

    def set_title(self, talk_id: str, title: str) -> None:
        """Change and commit the title of a talk, in the next second if it has just been changed."""

        def change() -> None:
            with self._services.database.unit_of_work() as unit:
                talk = get_talk(unit.session, talk_id, OPERATOR)
                edit_talk(unit.session, talk, {"title": title}, caller=OPERATOR, now=unit.now)

        call_again_in_next_second(change, clock=self._services.clock)

    def close(self) -> None:
        """Close the database connections."""
        self._services.database.engine.dispose()
