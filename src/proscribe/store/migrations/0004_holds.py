"""Records holds."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Made by makemigrations."""

    dependencies = (("proscribe", "0003_memory"),)

    operations = (
        migrations.CreateModel(
            name="HoldRow",
            fields=[
                ("id", models.CharField(max_length=200, primary_key=True, serialize=False)),
                ("starts", models.DateField()),
                ("body", models.BinaryField()),
                ("placed_at", models.DateTimeField()),
                ("released_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "proscribe_hold",
            },
        ),
    )
