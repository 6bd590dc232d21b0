"""The Django application that holds the governance state."""

from __future__ import annotations

from django.apps import AppConfig


class StoreConfig(AppConfig):
    """Tables are named ``proscribe_*``."""

    name = "proscribe.store"
    label = "proscribe"
    default_auto_field = "django.db.models.BigAutoField"
