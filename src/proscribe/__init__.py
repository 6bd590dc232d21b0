"""Proscribe: ban an app from every phone an organisation manages, and prove it."""

__version__ = "0.1.0"
