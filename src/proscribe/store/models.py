"""The tables. Rows are turned into the domain's types by the repositories; nothing else reads them."""

from __future__ import annotations

from django.db import models


class DocumentRow(models.Model):
    """A document by its digest. ``body`` holds its canonical bytes, exactly as digested and signed."""

    digest = models.CharField(max_length=71, primary_key=True)
    kind = models.CharField(max_length=64)
    subject = models.CharField(max_length=200, blank=True, default="")
    stored_at = models.DateTimeField()
    serial = models.BigIntegerField()  # order of storing: two documents of one second have an order too
    body = models.BinaryField()

    class Meta:
        db_table = "proscribe_document"
        indexes = (models.Index(fields=["kind", "subject", "-serial"], name="document_newest"),)


class ActionRow(models.Model):
    """One order with its state (``enforce.model.Action``)."""

    key = models.CharField(max_length=71, primary_key=True)
    directive = models.CharField(max_length=200)
    plan = models.CharField(max_length=71)
    step = models.CharField(max_length=200)
    system = models.CharField(max_length=100)
    scope = models.CharField(max_length=500)
    method = models.CharField(max_length=100)
    side = models.CharField(max_length=20)
    app_ids = models.JSONField()
    holders = models.JSONField()
    wave = models.IntegerField()
    state = models.CharField(max_length=20)
    attempts = models.IntegerField()
    not_before = models.DateTimeField(null=True)
    prior = models.TextField(blank=True)
    scope_version = models.BigIntegerField()
    accepted_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)
    ours = models.JSONField()
    turn = models.IntegerField()
    ended = models.IntegerField()

    class Meta:
        db_table = "proscribe_action"
        indexes = (
            models.Index(fields=["directive", "state"], name="action_directive_state"),
            models.Index(fields=["system", "scope"], name="action_system_scope"),
        )


class LedgerRow(models.Model):
    """One ledger entry. A trigger in the database refuses every change of a row that is there."""

    index = models.BigIntegerField(primary_key=True)
    body = models.BinaryField()
    leaf = models.BinaryField()

    class Meta:
        db_table = "proscribe_ledger"


class LedgerNodeRow(models.Model):
    """The inner nodes of the ledger's tree that one entry completed, lowest first, 32 bytes each; append-only too."""

    index = models.BigIntegerField(primary_key=True)
    hashes = models.BinaryField()

    class Meta:
        db_table = "proscribe_ledger_node"


class SnapshotRow(models.Model):
    """Where a snapshot lies."""

    digest = models.CharField(max_length=71, primary_key=True)
    path = models.TextField()
    taken_at = models.DateTimeField()
    systems = models.JSONField()
    serial = models.BigIntegerField(unique=True)

    class Meta:
        db_table = "proscribe_snapshot"


class OutcomeRow(models.Model):
    """The latest outcome of one device under one directive."""

    directive = models.CharField(max_length=200)
    device = models.CharField(max_length=300)
    system = models.CharField(max_length=100)
    enrolment = models.CharField(max_length=30)
    department = models.CharField(max_length=200)
    scope = models.CharField(max_length=500)
    outcome = models.CharField(max_length=30)
    why_en = models.TextField()
    why_fr = models.TextField()
    observed_at = models.DateTimeField(null=True)
    evidence = models.JSONField()
    held = models.BooleanField()
    judged_at = models.DateTimeField()

    class Meta:
        db_table = "proscribe_outcome"
        constraints = (models.UniqueConstraint(fields=["directive", "device"], name="outcome_once"),)
        indexes = (models.Index(fields=["directive", "outcome"], name="outcome_by_kind"),)


class OutcomeCountRow(models.Model):
    """How many devices had an outcome at one moment: convergence over time."""

    directive = models.CharField(max_length=200)
    at = models.DateTimeField()
    outcome = models.CharField(max_length=30)
    devices = models.BigIntegerField()

    class Meta:
        db_table = "proscribe_outcome_count"
        constraints = (models.UniqueConstraint(fields=["directive", "at", "outcome"], name="outcome_count_once"),)


class ExemptionRow(models.Model):
    """One exemption. It is ended, never deleted."""

    id = models.CharField(max_length=200, primary_key=True)
    directive = models.CharField(max_length=200)
    starts = models.DateField()
    expires = models.DateField()
    body = models.BinaryField()
    added_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "proscribe_exemption"


class HoldRow(models.Model):
    """One records hold. It is released, never deleted."""

    id = models.CharField(max_length=200, primary_key=True)
    starts = models.DateField()
    body = models.BinaryField()
    placed_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "proscribe_hold"


class FreezeRow(models.Model):
    """The emergency stop: one row, with id 1."""

    id = models.IntegerField(primary_key=True)
    frozen = models.BooleanField()
    actor = models.CharField(max_length=200)
    reason = models.TextField(blank=True)
    since = models.DateTimeField()

    class Meta:
        db_table = "proscribe_freeze"


class MemoryRow(models.Model):
    """One thing that a connector remembers (``connectors.memory.Row``)."""

    system = models.CharField(max_length=100)
    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=300)
    owner = models.CharField(max_length=300, blank=True, default="")
    mark = models.CharField(max_length=40, blank=True, default="")
    body = models.TextField()

    class Meta:
        db_table = "proscribe_memory"
        constraints = (models.UniqueConstraint(fields=["system", "kind", "key"], name="memory_once"),)
        indexes = (
            models.Index(fields=["system", "kind", "owner"], name="memory_by_owner"),
            models.Index(fields=["system", "kind", "mark"], name="memory_by_mark"),
        )


class InboxRow(models.Model):
    """One message that a system sent by itself. ``body`` is erased once it was dealt with."""

    system = models.CharField(max_length=100)
    message = models.CharField(max_length=200)
    serial = models.BigIntegerField()
    received_at = models.DateTimeField()
    body = models.BinaryField()
    done = models.BooleanField()

    class Meta:
        db_table = "proscribe_inbox"
        constraints = (models.UniqueConstraint(fields=["system", "message"], name="inbox_once"),)
        indexes = (
            models.Index(fields=["system", "done", "serial"], name="inbox_unread"),
            models.Index(fields=["serial"], name="inbox_serial"),
        )


class CounterRow(models.Model):
    """A number that only grows."""

    system = models.CharField(max_length=100)
    name = models.CharField(max_length=100)
    value = models.BigIntegerField()

    class Meta:
        db_table = "proscribe_counter"
        constraints = (models.UniqueConstraint(fields=["system", "name"], name="counter_once"),)
