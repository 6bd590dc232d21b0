"""A partner's bundle as proposals: our extension where it is there, else the best a plain bundle gives.

Nothing here acts, and nothing is believed: identifiers are judged again (``concerns``), what is not understood is
counted and left aside, signatures are carried along unchecked, and references are looked up once and never followed.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from proscribe.canonical import Digest, digest_bytes
from proscribe.catalogue.model import TargetSet
from proscribe.directive.library import find, shipped_ids
from proscribe.directive.model import Directive, SourceRef, State
from proscribe.directive.validate import texts
from proscribe.documents import digest, from_json
from proscribe.errors import ProscribeError, Where
from proscribe.publish.stix import extension, known, tlp
from proscribe.publish.stix.concerns import proposed, selector_concerns
from proscribe.publish.stix.errors import BundleTooBig, NothingProposed
from proscribe.publish.stix.known import one_line
from proscribe.publish.stix.model import AttachedEnvelope, KeptOut, Received, Tlp
from proscribe.publish.stix.opening import Opened, open_bundle
from proscribe.publish.stix.plain import named_in, plain_directive, plain_targets
from proscribe.text import Text
from proscribe.trust.envelope import envelope_of
from proscribe.trust.model import SignedDocument

MAX_BANS = 20
MAX_TARGETS = 5_000
MAX_TEXT = 20_000  # characters of one text
MAX_SAID = 20  # selectors that are pointed out one by one
_DIRECTIVE_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_SOURCE = "urn:proscribe:stix:"
_CLAIMS = ("course-of-action--", "grouping--", "indicator--", "note--", "report--")


def read(data: bytes, *, source: str = "") -> tuple[Received, ...]:
    """What a bundle proposes, one :class:`Received` a ban. The same bytes always give the same answer.

    Raises NotABundle, BundleTooBig, NothingProposed.
    """
    opened = open_bundle(data, source=source)
    for item in opened.objects.values():
        known.count_unknown(item, opened.kept_out)
    reading = _Reading(opened, digest_bytes(data), source)
    marked = [item for item in opened.of("course-of-action") if extension.ID in known.extensions(item)]
    if len(marked) > MAX_BANS:
        raise BundleTooBig(
            Text(f"more than {MAX_BANS} bans in one bundle", f"plus de {MAX_BANS} interdictions dans un lot"),
            remedy=Text("Ask the sender for one bundle a ban.", "Demandez un lot par interdiction."),
            where=Where(file=source),
        )
    bans = [ban for ban in map(reading.ours, marked) if ban is not None]
    return tuple(bans) or (reading.plain(),)


def draft(received: Received) -> Directive:
    """The directive to start from: a draft, whatever it was there, that names where it came from and how it is marked.

    The marking stands among its sources, so that it is still known when the draft has become a directive of ours.
    """
    origin = SourceRef(url=_SOURCE + received.bundle, kind="copy", note=received.tlp.label)
    kept = tuple(one for one in received.directive.sources if not one.url.startswith(_SOURCE))
    return replace(received.directive, state=State.draft, sources=(*kept, origin))


def marking_of(directive: Directive) -> Tlp | None:
    """The strictest marking under which parts of a directive came here; None where none did."""
    strictest: Tlp | None = None
    for one in directive.sources:
        if one.url.startswith(_SOURCE):
            found = next((level for level in Tlp if level.label == one.note), tlp.UNKNOWN)
            strictest = found if strictest is None else strictest.at_least(found)
    return strictest


class _Reading:
    """One bundle being read: what holds for all of its bans, worked out once."""

    def __init__(self, opened: Opened, bundle: Digest, source: str) -> None:
        self._opened = opened
        self._bundle = bundle
        self._source = source
        self._tlp, self._stated = _marking(opened)
        self._remarks: list[Text] = list(_general_remarks(opened, stated=self._stated))
        self._envelopes = tuple(_envelopes(opened))

    def ours(self, item: dict[str, Any]) -> Received | None:
        """The ban in our extension of this course of action; None where it is not sound."""
        content = known.extensions(item)[extension.ID]
        try:
            directive, targets, remarks = _documents(content, self._source)
        except ProscribeError as error:
            where = one_line(f" ({error.where.field})") if error.where.field else ""
            en, fr = one_line(error.what.en), one_line(error.what.fr)
            self._remarks.append(
                Text(
                    f"It carries our extension, which cannot be read{where}: {en}",
                    f"Il porte notre extension, mais elle est illisible{where}\u00a0: {fr}",
                )
            )
            self._opened.kept_out.add("extension")
            return None
        for name in sorted(set(content) - extension.FIELDS):
            self._opened.kept_out.add("property", "extension", name)
        return self._received(item, directive, targets, remarks, exact=True)

    def plain(self) -> Received:
        """The whole bundle as one proposal. Raises NothingProposed."""
        actions = self._opened.of("course-of-action")
        named = named_in(self._opened)
        if not named and not actions:
            raise NothingProposed(
                Text(
                    "the bundle names no app, no domain and no course of action",
                    "le lot ne nomme ni application, ni domaine, ni mesure",
                ),
                remedy=Text(
                    "Ask the sender what is meant to be banned.", "Demandez à l'expéditeur ce qui est à interdire."
                ),
                where=Where(file=self._source),
            )
        if len(named) > MAX_TARGETS:
            raise _too_many(self._source)
        targets = plain_targets(named)
        directive = plain_directive(self._opened, self._bundle, named)
        remark = Text(
            "A plain bundle, without our extension: force, dates and identifiers must be asked for.",
            "Un lot ordinaire, sans notre extension\u00a0: la force, les dates et les identifiants sont à demander.",
        )
        item = actions[0] if len(actions) == 1 else {}
        return self._received(item, directive, targets, [remark], exact=False)

    def _received(
        self, item: dict[str, Any], directive: Directive, targets: TargetSet | None, remarks: list[Text], *, exact: bool
    ) -> Received:
        judged = tuple(proposed(target) for target in (targets.targets if targets else ()))
        revoked = item.get("revoked") is True
        return Received(
            bundle=self._bundle,
            bundle_id=self._opened.bundle_id,
            producer=known.producer(item, self._opened),
            tlp=self._tlp,
            tlp_stated=self._stated,
            exact=exact,
            revoked=revoked,
            directive=directive,
            targets=targets,
            proposed=judged,
            envelope=_fitting(self._envelopes, directive),
            kept_out=tuple(KeptOut(what, count) for what, count in sorted(self._opened.kept_out.counts.items())),
            remarks=(*self._remarks, *remarks, *_doubts(directive, revoked=revoked)),
        )


def _documents(content: Any, source: str) -> tuple[Directive, TargetSet | None, list[Text]]:
    """The documents of our extension. Raises InvalidDocument, WrongDocumentVersion, BundleTooBig, NothingProposed."""
    if not isinstance(content, dict) or content.get("schema") is True or content.get("schema") != extension.SCHEMA:
        raise NothingProposed(
            Text("it is of another schema", "son schéma est autre"),
            remedy=Text("Use the release that wrote it.", "Utilisez la version qui l'a produit."),
        )
    remarks: list[Text] = []
    directive = from_json(Directive, content.get("directive"), source=source)
    if not _DIRECTIVE_ID.fullmatch(directive.id) or len(directive.id) > 100:
        raise NothingProposed(
            Text("the directive's id is no id", "l'identifiant de la directive n'en est pas un"),
            remedy=Text("Ask the sender.", "Demandez à l'expéditeur."),
        )
    if any(len(text.en) > MAX_TEXT or len(text.fr) > MAX_TEXT for _, text in texts(directive)):
        raise _too_many(source)
    if digest(directive) != content.get("directive_digest"):
        remarks.append(_changed(Text("directive", "directive")))
    targets: TargetSet | None = None
    if content.get("targets") is not None:
        targets = from_json(TargetSet, content["targets"], source=source)
        if len(targets.targets) > MAX_TARGETS:
            raise _too_many(source)
        if digest(targets) != content.get("targets_digest"):
            remarks.append(_changed(Text("target set", "ensemble de cibles")))
        if (targets.directive, targets.directive_version) != (directive.id, directive.version):
            remarks.append(
                Text(
                    "The target set is about another directive; it was left aside.",
                    "L'ensemble de cibles concerne une autre directive; il a été écarté.",
                )
            )
            targets = None
    return directive, targets, remarks


def _changed(what: Text) -> Text:
    return Text(
        f"The {what.en} is not the one whose digest stands beside it: it was changed on the way.",
        f"Ce document ({what.fr}) n'est pas celui dont l'empreinte figure à côté\u00a0: il a été modifié en chemin.",
    )


def _too_many(source: str) -> BundleTooBig:
    return BundleTooBig(
        Text("more identifiers or longer texts than a ban has", "plus d'identifiants ou de texte qu'une interdiction"),
        remedy=Text("Ask the sender for this ban alone.", "Demandez cette seule interdiction."),
        where=Where(file=source),
    )


def _marking(opened: Opened) -> tuple[Tlp, bool]:
    """The strictest TLP marking of any object, and whether every object that makes a claim carries one.

    Where one does not, the answer is ``UNKNOWN`` at least: what is not clear is not passed on.
    """
    strictest, unclear, claims = Tlp.clear, False, False
    for name, item in opened.objects.items():
        levels = [level for level in (_level(one, opened) for one in known.markings(item)) if level is not None]
        for level in levels:
            strictest = strictest.at_least(level)
        if name.startswith(_CLAIMS):
            claims = True
            unclear = unclear or not levels
    if unclear or not claims:
        return strictest.at_least(tlp.UNKNOWN), False
    return strictest, True


def _level(reference: str, opened: Opened) -> Tlp | None:
    """The level of a marking: by its well-known id, and by what the bundle says it is. None for any other marking."""
    definition = opened.objects.get(reference, {})
    said = known.extensions(definition).get(tlp.EXTENSION)
    word = said.get("tlp_2_0") if isinstance(said, dict) else None
    older = definition.get("definition")
    if word is None and isinstance(older, dict):
        word = "clear" if older.get("tlp") == "white" else older.get("tlp")
    by_content = next((level for level in Tlp if level.value == word), None)
    levels = [level for level in (tlp.KNOWN.get(reference), by_content) if level is not None]
    return max(levels, key=tuple(Tlp).index, default=None)


def _general_remarks(opened: Opened, *, stated: bool) -> Iterator[Text]:
    if not stated:
        yield Text(
            "Not everything it claims carries a TLP marking: handled as TLP:AMBER+STRICT at least. Ask the sender.",
            "Tout ce qu'il affirme ne porte pas un marquage TLP\u00a0: traité au moins comme TLP:AMBER+STRICT. "
            "Demandez à l'expéditeur.",
        )
    if opened.hidden:
        yield Text(
            f"Hidden or control characters were replaced: {opened.hidden}. Somebody may want a name to look otherwise.",
            f"Caractères cachés ou de commande remplacés\u00a0: {opened.hidden}. On veut peut-être déguiser un nom.",
        )
    if opened.kept_out.counts["contradicted"]:
        yield Text(
            "Objects of one id and date say different things; none of them was read.",
            "Des objets de même identifiant et de même date se contredisent; aucun n'a été lu.",
        )


def _doubts(directive: Directive, *, revoked: bool) -> Iterator[Text]:
    if revoked:
        yield Text("The partner has revoked this.", "Le partenaire a révoqué ceci.")
    for value, concern in islice(selector_concerns(directive), MAX_SAID):
        yield Text(f"{value}: {concern.en}", f"{value}\u00a0: {concern.fr}")
    if directive.id in shipped_ids() and _public(directive) != _public(find(directive.id)):
        yield Text(
            f"Its id, {directive.id}, is that of a directive of this release, which says something else.",
            f"Son identifiant, {directive.id}, est celui d'une directive fournie, qui dit autre chose.",
        )
    gaps = sum(not (text.en.strip() and text.fr.strip()) for _, text in texts(directive))
    if gaps:
        yield Text(
            f"Texts that lack a language: {gaps}. Nothing is published before both are there.",
            f"Textes auxquels manque une langue\u00a0: {gaps}. Rien n'est publié avant qu'elles y soient toutes deux.",
        )


def _public(directive: Directive) -> Directive:
    """A directive without what our own bundles leave out unless they are asked for it."""
    return replace(directive, analyst_context=())


def _envelopes(opened: Opened) -> Iterator[SignedDocument]:
    """The signed documents among the artifacts; other artifacts are counted and left aside."""
    for item in opened.of("artifact"):
        payload = item.get("payload_bin")
        try:
            raw = base64.b64decode(payload, validate=True) if isinstance(payload, str) else b""
            yield envelope_of(raw)
        except (ProscribeError, ValueError, RecursionError):
            opened.kept_out.add("artifact")


def _fitting(envelopes: tuple[SignedDocument, ...], directive: Directive) -> AttachedEnvelope | None:
    """The envelope around this directive; else the first there is, said not to fit."""
    wanted = digest(directive)
    attached = (
        AttachedEnvelope(signed, len(signed.envelope["signatures"]), fits=signed.of == wanted) for signed in envelopes
    )
    return max(attached, key=lambda one: one.fits, default=None)
