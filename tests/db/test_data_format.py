"""docs/data-format.md: the example can be loaded, and the tables list every field."""

import re
from pathlib import Path

import pytest

from eventcal.datasets.import_service import SectionCounts, load_dataset
from eventcal.datasets.parser import SECTIONS, Section, parse_dataset
from eventcal.web.schemas.dataset_records import RECORDS, load_record
from tests.clocks import FixedClock
from tests.datasets import open_indexed_database

DOCUMENT = Path("docs/data-format.md").read_text()
ONE_NEW, ONE_UNCHANGED = SectionCounts(new=1, changed=0, unchanged=0), SectionCounts(new=0, changed=0, unchanged=1)


def test_documented_example_loads_and_reloading_changes_nothing(database_url: str, clock: FixedClock) -> None:
    example = re.search(r"```json\n(.*?)```", DOCUMENT, re.DOTALL)
    assert example
    calendar = open_indexed_database(database_url, clock)
    for expected in (ONE_NEW, ONE_UNCHANGED):
        clock.tick()
        with calendar.unit_of_work() as unit:
            report = load_dataset(unit, parse_dataset(example[1].encode(), load_record, source_name="the example"))
        assert set(report.values()) == {expected}
    calendar.engine.dispose()


@pytest.mark.parametrize("name", SECTIONS)
def test_documented_table_lists_every_field(name: Section) -> None:
    section = DOCUMENT.split(f"\n## {name.title()}\n")[1].split("\n## ")[0]
    first_cells = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    documented = {name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)}
    assert documented == set(RECORDS[name].fields)
