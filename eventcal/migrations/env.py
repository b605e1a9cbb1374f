"""Alembic environment: connects to the database and provides the models for autogenerate."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import MigrationScript
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Enum, NullPool, TypeDecorator, create_engine
from sqlalchemy.types import TypeEngine

from eventcal.schema import metadata


def render_item(kind: str, item: object, _autogen: AutogenContext) -> str | Literal[False]:
    """Render custom column types as standard types, so that migrations do not depend on eventcal."""
    if kind != "type":
        return False
    if isinstance(item, Enum):
        return f"sa.String(length={item.length})"
    if isinstance(item, TypeDecorator):
        plain: TypeEngine[Any] = item.impl_instance
        return f"sa.{plain!r}"
    return False


def number_revision(_context: MigrationContext, _revision: object, directives: list[MigrationScript]) -> None:
    """Use the next number as the revision id of a new migration."""
    head = context.script.get_current_head()
    for directive in directives:
        directive.rev_id = f"{int(head or '0') + 1:04d}"


def run(connection: Connection) -> None:
    """Run the Alembic command on this connection. The caller ends the transaction."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_item=render_item,
        render_as_batch=True,
        process_revision_directives=number_revision,
    )
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    raise NotImplementedError("Migrations need a database connection; --sql is not supported.")
given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    # The `alembic` command uses the scratch database configured in alembic.ini.
    engine = create_engine(context.config.get_main_option("sqlalchemy.url") or "sqlite://", poolclass=NullPool)
    with engine.begin() as connection:
        run(connection)
