"""Compiles the translation catalogues for distributions. Everything else is configured in pyproject.toml."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithCatalogues(build_py):
    """Writes a `.mo` file for each `.po` file. Editable installations read the `.po` files instead."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            self._compile_catalogues()

    def _compile_catalogues(self) -> None:
        from babel.messages.mofile import write_mo
        from babel.messages.pofile import read_po

        for source in Path("eventcal/translations").rglob("*.po"):
            target = Path(self.build_lib, source).with_suffix(".mo")
            target.parent.mkdir(parents=True, exist_ok=True)
            with source.open("rb") as catalogue, target.open("wb") as compiled:
                write_mo(compiled, read_po(catalogue, abort_invalid=True))


setup(cmdclass={"build_py": BuildWithCatalogues})
