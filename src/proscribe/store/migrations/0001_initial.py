"""The first tables."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Made by makemigrations."""

    initial = True

    dependencies = ()

    operations = (
        migrations.CreateModel(
            name="ExemptionRow",
            fields=[
                ("id", models.CharField(max_length=200, primary_key=True, serialize=False)),
                ("directive", models.CharField(max_length=200)),
                ("starts", models.DateField()),
                ("expires", models.DateField()),
                ("body", models.BinaryField()),
                ("added_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "proscribe_exemption",
            },
        ),
        migrations.CreateModel(
            name="FreezeRow",
            fields=[
                ("id", models.IntegerField(primary_key=True, serialize=False)),
                ("frozen", models.BooleanField()),
                ("actor", models.CharField(max_length=200)),
                ("reason", models.TextField(blank=True)),
                ("since", models.DateTimeField()),
            ],
            options={
                "db_table": "proscribe_freeze",
            },
        ),
        migrations.CreateModel(
            name="LedgerRow",
            fields=[
                ("index", models.BigIntegerField(primary_key=True, serialize=False)),
                ("body", models.BinaryField()),
                ("leaf", models.BinaryField()),
            ],
            options={
                "db_table": "proscribe_ledger",
            },
        ),
        migrations.CreateModel(
            name="SnapshotRow",
            fields=[
                ("digest", models.CharField(max_length=71, primary_key=True, serialize=False)),
                ("path", models.TextField()),
                ("taken_at", models.DateTimeField()),
                ("systems", models.JSONField()),
                ("serial", models.BigIntegerField(unique=True)),
            ],
            options={
                "db_table": "proscribe_snapshot",
            },
        ),
        migrations.CreateModel(
            name="ActionRow",
            fields=[
                ("key", models.CharField(max_length=71, primary_key=True, serialize=False)),
                ("directive", models.CharField(max_length=200)),
                ("plan", models.CharField(max_length=71)),
                ("step", models.CharField(max_length=200)),
                ("system", models.CharField(max_length=100)),
                ("scope", models.CharField(max_length=500)),
                ("method", models.CharField(max_length=100)),
                ("side", models.CharField(max_length=20)),
                ("app_ids", models.JSONField()),
                ("holders", models.JSONField()),
                ("wave", models.IntegerField()),
                ("state", models.CharField(max_length=20)),
                ("attempts", models.IntegerField()),
                ("not_before", models.DateTimeField(null=True)),
                ("prior", models.TextField(blank=True)),
                ("scope_version", models.BigIntegerField()),
                ("accepted_at", models.DateTimeField(null=True)),
                ("last_error", models.TextField(blank=True)),
                ("ours", models.JSONField()),
                ("turn", models.IntegerField()),
                ("ended", models.IntegerField()),
            ],
            options={
                "db_table": "proscribe_action",
                "indexes": [
                    models.Index(fields=["directive", "state"], name="action_directive_state"),
                    models.Index(fields=["system", "scope"], name="action_system_scope"),
                ],
            },
        ),
        migrations.CreateModel(
            name="DocumentRow",
            fields=[
                ("digest", models.CharField(max_length=71, primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=64)),
                ("subject", models.CharField(blank=True, default="", max_length=200)),
                ("stored_at", models.DateTimeField()),
                ("serial", models.BigIntegerField()),
                ("body", models.BinaryField()),
            ],
            options={
                "db_table": "proscribe_document",
                "indexes": [models.Index(fields=["kind", "subject", "-serial"], name="document_newest")],
            },
        ),
        migrations.CreateModel(
            name="OutcomeCountRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("directive", models.CharField(max_length=200)),
                ("at", models.DateTimeField()),
                ("outcome", models.CharField(max_length=30)),
                ("devices", models.BigIntegerField()),
            ],
            options={
                "db_table": "proscribe_outcome_count",
                "constraints": [
                    models.UniqueConstraint(fields=("directive", "at", "outcome"), name="outcome_count_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="OutcomeRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("directive", models.CharField(max_length=200)),
                ("device", models.CharField(max_length=300)),
                ("system", models.CharField(max_length=100)),
                ("enrolment", models.CharField(max_length=30)),
                ("department", models.CharField(max_length=200)),
                ("scope", models.CharField(max_length=500)),
                ("outcome", models.CharField(max_length=30)),
                ("why_en", models.TextField()),
                ("why_fr", models.TextField()),
                ("observed_at", models.DateTimeField(null=True)),
                ("evidence", models.JSONField()),
                ("held", models.BooleanField()),
                ("judged_at", models.DateTimeField()),
            ],
            options={
                "db_table": "proscribe_outcome",
                "indexes": [models.Index(fields=["directive", "outcome"], name="outcome_by_kind")],
                "constraints": [models.UniqueConstraint(fields=("directive", "device"), name="outcome_once")],
            },
        ),
    )
