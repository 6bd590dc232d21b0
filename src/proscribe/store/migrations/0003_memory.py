"""What connectors remember, their inbox and counters."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Made by makemigrations."""

    dependencies = (("proscribe", "0002_append_only"),)

    operations = (
        migrations.CreateModel(
            name="CounterRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("system", models.CharField(max_length=100)),
                ("name", models.CharField(max_length=100)),
                ("value", models.BigIntegerField()),
            ],
            options={
                "db_table": "proscribe_counter",
                "constraints": [models.UniqueConstraint(fields=("system", "name"), name="counter_once")],
            },
        ),
        migrations.CreateModel(
            name="InboxRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("system", models.CharField(max_length=100)),
                ("message", models.CharField(max_length=200)),
                ("serial", models.BigIntegerField()),
                ("received_at", models.DateTimeField()),
                ("body", models.BinaryField()),
                ("done", models.BooleanField()),
            ],
            options={
                "db_table": "proscribe_inbox",
                "indexes": [
                    models.Index(fields=["system", "done", "serial"], name="inbox_unread"),
                    models.Index(fields=["serial"], name="inbox_serial"),
                ],
                "constraints": [models.UniqueConstraint(fields=("system", "message"), name="inbox_once")],
            },
        ),
        migrations.CreateModel(
            name="MemoryRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("system", models.CharField(max_length=100)),
                ("kind", models.CharField(max_length=40)),
                ("key", models.CharField(max_length=300)),
                ("owner", models.CharField(blank=True, default="", max_length=300)),
                ("mark", models.CharField(blank=True, default="", max_length=40)),
                ("body", models.TextField()),
            ],
            options={
                "db_table": "proscribe_memory",
                "indexes": [
                    models.Index(fields=["system", "kind", "owner"], name="memory_by_owner"),
                    models.Index(fields=["system", "kind", "mark"], name="memory_by_mark"),
                ],
                "constraints": [models.UniqueConstraint(fields=("system", "kind", "key"), name="memory_once")],
            },
        ),
    )
