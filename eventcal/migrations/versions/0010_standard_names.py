"""Rename tables and columns. Data and serial numbers do not change, so no SEQUENCE increases."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# Old and new names of tables and their columns.
_TABLES = {
    ("kept_answers", "idempotency_keys"): {"kept_at": "created_at"},
    ("talk_steps", "talk_state_changes"): {"came_from": "from_state", "went_to": "to_state", "taken_at": "created_at"},
    ("ledger_entries", "feed_entries"): {
        "stamp": "last_modified",
        "content": "content_hash",
        "shown_until": "tombstone_until",
        "number": "serial",
    },
    ("ledger_state", "feed_state"): {
        "numbers": "last_serial",
        "reshaped_at": "full_rebuild_revision",
        "renderer": "renderer_version",
    },
}
_COLUMNS = {
    ("events", "shown_until"): "tombstone_until",
    ("events", "over_at"): "last_ends_at",
    ("talks", "shown_until"): "tombstone_until",
    ("sessions", "proved_at"): "reauthenticated_at",
    ("sessions", "notes"): "data",
}
_NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def upgrade() -> None:
    for (old, new), columns in _TABLES.items():
        _rename_table(old, new, columns)
    for (table, old), new in _COLUMNS.items():
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {old} TO {new}")


def downgrade() -> None:
    for (table, old), new in _COLUMNS.items():
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {new} TO {old}")
    for (old, new), columns in _TABLES.items():
        _rename_table(new, old, {after: before for before, after in columns.items()})


def _rename_table(old: str, new: str, columns: dict[str, str]) -> None:
    """Copy a table, because ALTER TABLE would keep the names of constraints, indexes and sequences."""
    bind = op.get_bind()
    metadata = sa.MetaData(naming_convention=_NAMING_CONVENTION)
    source = sa.Table(old, metadata, autoload_with=bind)
    target = sa.Table(
        new,
        metadata,
        *(
            sa.Column(columns.get(column.name, column.name), column.type, nullable=column.nullable)
            for column in source.columns
        ),
    )

    def renamed(found: sa.schema.ColumnCollectionConstraint | sa.Index) -> list[sa.Column[object]]:
        return [target.columns[columns.get(column.name, column.name)] for column in found.columns]

    for constraint in sorted(source.constraints, key=lambda found: str(found.name)):
        if isinstance(constraint, sa.ForeignKeyConstraint):
            referred = [element.target_fullname for element in constraint.elements]
            target.append_constraint(
                sa.ForeignKeyConstraint(renamed(constraint), referred, ondelete=constraint.ondelete)
            )
        elif isinstance(constraint, sa.PrimaryKeyConstraint | sa.UniqueConstraint):
            target.append_constraint(type(constraint)(*renamed(constraint)))
    for index in source.indexes:
        if not index.unique:
            sa.Index(None, *renamed(index))
    target.create(bind)
    bind.execute(target.insert().from_select(list(target.columns), sa.select(source)))
    if bind.dialect.name == "postgresql" and target.autoincrement_column is not None:
        key = target.autoincrement_column
        sequence = sa.func.pg_get_serial_sequence(new, key.name)
        bind.execute(sa.select(sa.func.setval(sequence, sa.func.max(key))).having(sa.func.max(key).is_not(None)))
    source.drop(bind)
