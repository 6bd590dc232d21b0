"""Everything that was read from one package, handed from the readers to ``rate``."""

from __future__ import annotations

from dataclasses import dataclass

from proscribe.assess.facts import AndroidFacts, Anomaly, CodeFacts, IosFacts, Run, SigningFacts
from proscribe.assess.profile import Package, Tool
from proscribe.terms import Platform


@dataclass(frozen=True, slots=True)
class Gathered:
    """The facts of one package. ``signing`` holds one entry for each APK (base first); it is empty for an IPA.

    ``digests``: sha256 (hex) of every member that facts name, by member, for the evidence.
    """

    platform: Platform
    package: Package
    android: AndroidFacts | None
    ios: IosFacts | None
    signing: tuple[SigningFacts, ...]
    code: CodeFacts
    runs: tuple[Run, ...]
    anomalies: tuple[Anomaly, ...]
    digests: dict[str, str]
    tools: tuple[Tool, ...]
