"""Query strings: their fields, and the filters and listings that they describe."""
