"""Entry point for `python -m eventcal.cli`, which is equivalent to `eventcal`."""

from eventcal.cli import main

if __name__ == "__main__":
    main(prog_name="eventcal")
