"""Versions of the libraries that read packages, for the record of what an assessment was made with."""

from __future__ import annotations

from importlib import import_module


def version_of(package: str) -> str:
    """The release of a library that is imported anyway, as it says itself.

    Its metadata say the same, but what reads those brings the email package along (16 ms of every start).
    """
    module = import_module(package.replace("-", "_"))
    return str(module.__version__).partition("-")[0]
