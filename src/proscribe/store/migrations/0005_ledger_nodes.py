"""The inner nodes of the ledger's tree, so that a head or a proof costs a few reads, however long the ledger is."""

from django.db import migrations, models

from proscribe.prove.ledger import Growing

_PAGE = 10_000
_SQLITE = (
    """
    CREATE TRIGGER proscribe_ledger_node_no_update BEFORE UPDATE ON proscribe_ledger_node
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END
    """,
    """
    CREATE TRIGGER proscribe_ledger_node_no_delete BEFORE DELETE ON proscribe_ledger_node
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END
    """,
)
_POSTGRESQL = (
    """
    CREATE TRIGGER proscribe_ledger_node_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON proscribe_ledger_node
    FOR EACH STATEMENT EXECUTE FUNCTION proscribe_ledger_refuse()
    """,
)


def back_fill(apps, _schema_editor):
    """The nodes over the entries that are there, from the leaf hashes taken when they were appended."""
    entries = apps.get_model("proscribe", "LedgerRow").objects.order_by("index").values_list("index", "leaf")
    nodes = apps.get_model("proscribe", "LedgerNodeRow")
    tree = Growing()
    while page := list(entries.filter(index__gte=tree.size)[:_PAGE]):
        found = []
        whole = [leaf for at, (index, leaf) in enumerate(page, tree.size) if index == at]
        for index, leaf in enumerate(whole, tree.size):
            if completed := tree.add(bytes(leaf)):
                found.append(nodes(index=index, hashes=b"".join(completed)))
        nodes.objects.bulk_create(found)
        if len(whole) < len(page):
            return  # an entry is missing: the ledger's check names it, and no node stands above a gap


def refuse_changes(_apps, schema_editor):
    """Create the triggers of this database."""
    for statement in _POSTGRESQL if schema_editor.connection.vendor == "postgresql" else _SQLITE:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    """Not reversible on purpose."""

    dependencies = (("proscribe", "0004_holds"),)
    operations = (
        migrations.CreateModel(
            name="LedgerNodeRow",
            fields=[
                ("index", models.BigIntegerField(primary_key=True, serialize=False)),
                ("hashes", models.BinaryField()),
            ],
            options={
                "db_table": "proscribe_ledger_node",
            },
        ),
        migrations.RunPython(back_fill),
        migrations.RunPython(refuse_changes),
    )
