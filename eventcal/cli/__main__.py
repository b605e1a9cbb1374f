"""`python -m eventcal.cli` is `eventcal`."""

from eventcal.cli import main

if __name__ == "__main__":
    main(prog_name="eventcal")
