"""The database itself refuses to change or delete a ledger row, whoever asks."""

from django.db import migrations

_SQLITE = (
    """
    CREATE TRIGGER proscribe_ledger_no_update BEFORE UPDATE ON proscribe_ledger
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END
    """,
    """
    CREATE TRIGGER proscribe_ledger_no_delete BEFORE DELETE ON proscribe_ledger
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END
    """,
)
_POSTGRESQL = (
    """
    CREATE FUNCTION proscribe_ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$
    """,
    """
    CREATE TRIGGER proscribe_ledger_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON proscribe_ledger
    FOR EACH STATEMENT EXECUTE FUNCTION proscribe_ledger_refuse()
    """,
)


def forwards(_apps, schema_editor):
    """Create the triggers of this database."""
    for statement in _POSTGRESQL if schema_editor.connection.vendor == "postgresql" else _SQLITE:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    """Not reversible on purpose."""

    dependencies = (("proscribe", "0001_initial"),)
    operations = (migrations.RunPython(forwards),)
