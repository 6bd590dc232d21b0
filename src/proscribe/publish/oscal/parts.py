"""What the two OSCAL documents share: identifiers, metadata, observations and risks.

What was not seen comes first everywhere, and nothing here counts as satisfied that no device was seen to satisfy.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from proscribe.canonical import Digest, canonical_bytes
from proscribe.directive.model import Directive
from proscribe.enforce.model import Outcome
from proscribe.prove.members import DIRECTIVE, MANIFEST, TARGETS
from proscribe.prove.model import Counts, ExemptionSummary, NotSeen
from proscribe.prove.report_words import OUTCOMES
from proscribe.text import Language, Text, devices

OSCAL_VERSION = "1.2.1"
NAMESPACE = "https://proscribe.example.org/oscal"
"""Of our properties: a name, not an address that answers."""
_UUIDS = uuid.uuid5(uuid.NAMESPACE_URL, NAMESPACE)
_BREAKS = re.compile(r"[ \t\n\v\f\r\x1c-\x1f\x85\u2028\u2029]+")  # and not the no-break spaces of French
_ANSWERED = (Outcome.absent_verified, Outcome.removed_verified, Outcome.contained)
_NOT_SEEN = (
    Outcome.unknown,
    Outcome.invisible,
    Outcome.enforced_blind,
    Outcome.stale,
)
ORDER = (*_NOT_SEEN, *(one for one in Outcome if one not in (*_NOT_SEEN, *_ANSWERED)), *_ANSWERED)
"""The outcomes as they are listed: what was not seen, what is not done, what is verified."""


@dataclass(frozen=True)
class Assessed:
    """What became of one directive at one moment, counted: no device and no person is in it."""

    organisation: Text
    at: datetime
    directive: Directive
    directive_digest: Digest
    targets_digest: Digest
    counts: Counts
    not_seen: NotSeen
    exemptions: tuple[ExemptionSummary, ...]
    proof: Digest | None = None  # of the manifest of the proof bundle it was read from


class Pen:
    """Writes the parts of one document in one language. The same input gives the same identifiers."""

    def __init__(self, assessed: Assessed, language: Language, document: str) -> None:
        self.assessed = assessed
        self._language = language
        self._document = document

    def say(self, text: Text) -> str:
        """A text in the document's language, never empty."""
        return (text.fr if self._language == "fr" else text.en).strip() or "-"

    def line(self, text: Text | str) -> str:
        """The same on one line: OSCAL's titles and values hold no line break."""
        words = self.say(text) if isinstance(text, Text) else text
        return _BREAKS.sub(" ", words).strip() or "-"

    def uid(self, *key: str) -> str:
        """A version 5 UUID of this document for ``key``."""
        seed = [
            self._language,
            self.assessed.directive_digest,
            self.moment(self.assessed.at),
            self.assessed.organisation.en,
            *key,
        ]
        return str(uuid.uuid5(_UUIDS, canonical_bytes(seed).decode()))

    def own_uid(self) -> str:
        """The identifier of the document: of all that went into it."""
        content = [
            self._document,
            {name.value: number for name, number in self.assessed.counts.by_outcome.items()},
            [[text.en, text.fr] for text in self.assessed.not_seen.statements],
            [one.id for one in self.assessed.exemptions],
            self.assessed.proof or "",
        ]
        return self.uid(canonical_bytes(content).decode())

    @staticmethod
    def moment(at: datetime) -> str:
        """A time as OSCAL writes it."""
        return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def prop(self, name: str, value: str) -> dict[str, Any]:
        """A property in our namespace."""
        return {"name": name, "ns": NAMESPACE, "value": self.line(value)}

    def metadata(self, title: Text) -> dict[str, Any]:
        """Title, time, versions, language and the organisation that answers for it."""
        directive = self.assessed.directive
        separator = Text(": ", "\N{NO-BREAK SPACE}: ")
        return {
            "title": self.line(title + separator + directive.title),
            "last-modified": self.moment(self.assessed.at),
            "version": str(directive.version),
            "oscal-version": OSCAL_VERSION,
            "props": [self.prop("language", self._language), self.prop("directive", directive.id)],
            "parties": [
                {
                    "uuid": self.uid("party"),
                    "type": "organization",
                    "name": self.line(self.assessed.organisation),
                }
            ],
        }

    def back_matter(self) -> dict[str, Any]:
        """The documents everything rests on, named as in the proof bundle, with their digests."""
        files = [(DIRECTIVE, self.assessed.directive_digest), (TARGETS, self.assessed.targets_digest)]
        if self.assessed.proof is not None:
            files.append((MANIFEST, self.assessed.proof))
        return {
            "resources": [
                {
                    "uuid": self.uid("resource", name),
                    "title": name,
                    "rlinks": [
                        {
                            "href": name,
                            "media-type": "application/json",
                            "hashes": [{"algorithm": "SHA-256", "value": digest.removeprefix("sha256:")}],
                        }
                    ],
                }
                for name, digest in files
            ]
        }

    def resource(self, name: str) -> str:
        """A reference into the back matter."""
        return f"#{self.uid('resource', name)}"

    def blind_spots(self) -> Iterator[tuple[str, str]]:
        """Key and words of each thing that no source sees."""
        for number, statement in enumerate(self.assessed.not_seen.statements, start=1):
            yield f"blind-{number}", self.say(statement)

    def outcomes(self) -> Iterator[tuple[Outcome, int]]:
        """The outcomes that occur with their devices, in ``ORDER``."""
        for outcome in ORDER:
            if number := self.assessed.counts.by_outcome.get(outcome, 0):
                yield outcome, number

    def observations(self) -> list[dict[str, Any]]:
        """One for each blind spot, one for each outcome."""
        found = [
            self._observation(
                key, Text("Not seen", "Non vu"), words, [self.prop("seen", "no")], method="EXAMINE", evidence=False
            )
            for key, words in self.blind_spots()
        ]
        for outcome, number in self.outcomes():
            words = OUTCOMES[outcome]
            counted = self.say(words.name + Text(": ", "\N{NO-BREAK SPACE}: ") + devices(number))
            found.append(
                self._observation(
                    outcome.value,
                    words.name,
                    f"{counted}. {self.say(words.meaning)}",
                    [self.prop("outcome", outcome.value), self.prop("devices", str(number))],
                    method="TEST" if outcome.compliant else "EXAMINE",
                    evidence=True,
                )
            )
        return found

    def _observation(
        self, key: str, title: Text, words: str, props: list[dict[str, Any]], *, method: str, evidence: bool
    ) -> dict[str, Any]:
        made: dict[str, Any] = {
            "uuid": self.uid("observation", key),
            "title": self.line(title),
            "description": words,
            "props": props,
            "methods": [method],
            "types": ["control-objective"],
            "collected": self.moment(self.assessed.at),
        }
        if evidence and self.assessed.proof is not None:
            made["relevant-evidence"] = [
                {
                    "href": self.resource(MANIFEST),
                    "description": self.say(Text("The proof bundle", "Le dossier de preuve")),
                }
            ]
        return made

    def risks(self) -> list[dict[str, Any]]:
        """What was not seen, then what is not done, then what is exempt."""
        return [
            *(self._blind_risk(key, words) for key, words in self.blind_spots()),
            *(
                self._open_risk(outcome, number)
                for outcome, number in self.outcomes()
                if not outcome.compliant and outcome is not Outcome.exempt
            ),
            *(self._exempt_risk(one) for one in self.assessed.exemptions),
        ]

    def _blind_risk(self, key: str, words: str) -> dict[str, Any]:
        return {
            "uuid": self.uid("risk", key),
            "title": self.line(Text("Not seen", "Non vu")),
            "description": words,
            "statement": self.say(
                Text(
                    "Nobody can say whether the app is there; it is not counted as absent.",
                    "Personne ne peut dire si l'application s'y trouve; elle n'est pas comptée comme absente.",
                )
            ),
            "status": "open",
            "related-observations": [{"observation-uuid": self.uid("observation", key)}],
        }

    def _open_risk(self, outcome: Outcome, number: int) -> dict[str, Any]:
        words = OUTCOMES[outcome]
        made: dict[str, Any] = {
            "uuid": self.uid("risk", outcome.value),
            "title": self.line(words.name),
            "description": self.say(words.meaning),
            "statement": self.say(
                devices(number) + Text(" not verified as compliant.", " dont la conformité n'est pas vérifiée.")
            ),
            "status": "open",
            "related-observations": [{"observation-uuid": self.uid("observation", outcome.value)}],
        }
        if words.next is not None:
            made["remediations"] = [
                {
                    "uuid": self.uid("remediation", outcome.value),
                    "lifecycle": "recommended",
                    "title": self.line(Text("What can be done", "Ce qui peut être fait")),
                    "description": self.say(words.next),
                }
            ]
        return made

    def _exempt_risk(self, one: ExemptionSummary) -> dict[str, Any]:
        made: dict[str, Any] = {
            "uuid": self.uid("risk", "exemption", one.id),
            "title": self.line(Text(f"Exemption {one.id}", f"Exemption {one.id}")),
            "description": self.say(Text(f"Ground: {one.ground}", f"Motif\N{NO-BREAK SPACE}: {one.ground}")),
            "statement": self.say(
                devices(one.devices)
                + Text(f" exempt from {one.starts} to {one.expires}.", f" exemptés du {one.starts} au {one.expires}.")
            ),
            "props": [self.prop("devices", str(one.devices)), self.prop("starts", one.starts.isoformat())],
            "status": "deviation-approved" if self.in_force(one) else "open",
            "deadline": self._end_of(one.expires),
        }
        if one.mitigations:
            made["mitigating-factors"] = [
                {"uuid": self.uid("mitigation", one.id, str(number)), "description": self.line(words)}
                for number, words in enumerate(one.mitigations, start=1)
            ]
        if self.assessed.counts.by_outcome.get(Outcome.exempt, 0):
            made["related-observations"] = [{"observation-uuid": self.uid("observation", Outcome.exempt.value)}]
        return made

    def in_force(self, one: ExemptionSummary) -> bool:
        """Whether an exemption holds at the moment of the assessment."""
        return one.starts <= self.assessed.at.astimezone(UTC).date() <= one.expires

    @staticmethod
    def _end_of(day: date) -> str:
        return f"{day.isoformat()}T23:59:59Z"


def written(document: dict[str, Any]) -> bytes:
    """The bytes of an OSCAL document: the same input gives the same."""
    return json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n"
