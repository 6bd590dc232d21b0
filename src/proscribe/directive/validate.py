"""What a schema cannot say about a directive: dates in order, both languages, targets that lead somewhere.

Each flaw names its field and the remedy. An empty answer means that the directive may be adopted; whether it is right
is for people to judge.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from proscribe.catalogue.identifiers import APP_IDS, GLOBS
from proscribe.catalogue.library import Catalogue
from proscribe.catalogue.model import SelectorKind
from proscribe.catalogue.protected import is_protected, protected_under
from proscribe.catalogue.selectors import format_selector
from proscribe.directive.model import Compromise, Directive, RequiredAction, Stance, State
from proscribe.directive.targets import resolve_directive
from proscribe.documents import Value
from proscribe.terms import Enrolment
from proscribe.text import Text

MAX_EXEMPTION_DAYS = 365
SOURCE_KINDS = ("primary", "copy", "secondary")
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_JURISDICTION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_HEX = re.compile(r"[0-9a-f]{64}")
_PLACEHOLDER = re.compile(r"\[.*\]", re.DOTALL)
_PERSONAL = (Enrolment.byod, Enrolment.user_enrolment)
# Names ("WeChat") are the same in both languages; a sentence is not.
_SENTENCE_WORDS = 5


@dataclass(frozen=True, slots=True)
class Flaw(Value):
    """Something to mend before a directive can be adopted. ``field`` is a path such as ``items[0].selectors``."""

    field: str
    what: Text
    remedy: Text


def validate(directive: Directive, catalogue: Catalogue, *, now: datetime | None = None) -> tuple[Flaw, ...]:
    """Every flaw of a directive, in the order of its fields. Targets are resolved at ``now`` (default: the present)."""
    moment = now or datetime.now(UTC).replace(microsecond=0)
    flaws = [flaw for check in _CHECKS for flaw in check(directive)]
    flaws += _targets(directive, catalogue, moment)
    return tuple(flaws)


def _identity(directive: Directive) -> Iterator[Flaw]:
    if not _ID.fullmatch(directive.id):
        yield Flaw(
            "id",
            Text("not an id", "ce n'est pas un identifiant"),
            Text(
                "Use lower-case letters, digits and single hyphens, such as ca-2026-example.",
                "Employez des minuscules, des chiffres et des traits d'union simples, par exemple ca-2026-exemple.",
            ),
        )
    if directive.version < 1:
        yield Flaw(
            "version",
            Text("versions count from 1", "les versions se comptent à partir de 1"),
            Text("Write 1 for a new directive.", "Écrivez 1 pour une nouvelle directive."),
        )
    if directive.supersedes == directive.id:
        yield Flaw(
            "supersedes",
            Text("a directive cannot supersede itself", "une directive ne peut se remplacer elle-même"),
            Text("Raise the version instead.", "Augmentez plutôt la version."),
        )
    if not _JURISDICTION.fullmatch(directive.authority.jurisdiction):
        yield Flaw(
            "authority.jurisdiction",
            Text("not an ISO 3166 code", "ce n'est pas un code ISO 3166"),
            Text("Write CA, or CA-QC for a subdivision.", "Écrivez CA, ou CA-QC pour une subdivision."),
        )


def _texts(directive: Directive) -> Iterator[Flaw]:
    for field, text in texts(directive):
        for language, value in (("en", text.en), ("fr", text.fr)):
            if not value.strip():
                yield Flaw(
                    f"{field}.{language}",
                    Text("this language is missing", "cette langue manque"),
                    Text(
                        "Both official languages, or it is not published.",
                        "Les deux langues officielles, ou rien n'est publié.",
                    ),
                )
        if text.en == text.fr and len(text.en.split()) >= _SENTENCE_WORDS:
            yield Flaw(
                f"{field}.fr",
                Text("the French is the English again", "le français reprend l'anglais"),
                Text("Translate it.", "Traduisez-le."),
            )
        if directive.state is not State.draft and (_PLACEHOLDER.fullmatch(text.en) or _PLACEHOLDER.fullmatch(text.fr)):
            yield Flaw(
                field,
                Text("this text is still to be written", "ce texte reste à rédiger"),
                Text("Replace the words in brackets.", "Remplacez le texte entre crochets."),
            )


def texts(value: Any, path: str = "") -> Iterator[tuple[str, Text]]:
    """Every text a person reads inside a value, with its path."""
    if isinstance(value, Text):
        yield path, value
    elif isinstance(value, tuple):
        for place, item in enumerate(value):
            yield from texts(item, f"{path}[{place}]")
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from texts(getattr(value, field.name), f"{path}.{field.name}" if path else field.name)


def _dates(directive: Directive) -> Iterator[Flaw]:
    announced, effective = directive.announced, directive.effective
    start = effective or announced
    if announced and effective and effective < announced:
        yield _disorder(
            "effective", Text("it takes effect before it is announced", "elle prend effet avant son annonce")
        )
    for name, day in (("review_on", directive.review_on), ("expires_on", directive.expires_on)):
        if day is not None and start is not None and day <= start:
            yield _disorder(
                name, Text("it is not after the directive begins", "elle n'est pas postérieure à la prise d'effet")
            )
    for place, action in enumerate(directive.actions):
        yield from _deadline(f"actions[{place}]", action, directive)


def _deadline(field: str, action: RequiredAction, directive: Directive) -> Iterator[Flaw]:
    starts = [day for day in (directive.announced, directive.effective) if day is not None]
    if action.days is not None and action.days < 0:
        yield _disorder(
            f"{field}.days", Text("a number of days is not negative", "un nombre de jours n'est pas négatif")
        )
    if action.by is not None and starts and action.by < min(starts):
        yield _disorder(f"{field}.by", Text("it is due before the directive", "l'échéance précède la directive"))
    if action.by is not None and action.days is not None and starts:
        due = [day + timedelta(days=action.days) for day in starts]
        if action.by not in due:
            yield Flaw(
                f"{field}.by",
                Text(
                    f"the number of days ({action.days}) leads to {due[-1].isoformat()}, not to "
                    f"{action.by.isoformat()}",
                    f"le délai en jours ({action.days}) mène au {due[-1].isoformat()}, non au {action.by.isoformat()}",
                ),
                Text("Correct the days or the date.", "Corrigez les jours ou la date."),
            )
    if action.time_zone:
        try:
            ZoneInfo(action.time_zone)
        except (OSError, ValueError):  # ZoneInfoNotFoundError is a KeyError only when no data is installed at all
            yield _no_zone(field)
        except KeyError:
            yield _no_zone(field)


def _no_zone(field: str) -> Flaw:
    return Flaw(
        f"{field}.time_zone",
        Text("no such time zone", "ce fuseau horaire n'existe pas"),
        Text("Write a name such as America/Toronto.", "Écrivez un nom tel que America/Toronto."),
    )


def _disorder(field: str, what: Text) -> Flaw:
    return Flaw(field, what, Text("Check the dates.", "Vérifiez les dates."))


def _scope(directive: Directive) -> Iterator[Flaw]:
    applies = directive.applies
    for name, values in (("platforms", applies.platforms), ("enrolments", applies.enrolments)):
        if not values:
            yield Flaw(
                f"applies.{name}",
                Text("it applies to no device at all", "elle ne s'applique à aucun appareil"),
                Text("List at least one.", "Inscrivez-en au moins un."),
            )
    personal = [enrolment for enrolment in applies.enrolments if enrolment in _PERSONAL]
    if applies.byod is Stance.included and not personal:
        yield Flaw(
            "applies.enrolments",
            Text(
                "personal devices are included, yet no such enrolment is listed",
                "elle vise les appareils personnels, mais aucun mode d'inscription personnel n'y figure",
            ),
            Text("Add byod or user_enrolment.", "Ajoutez byod ou user_enrolment."),
        )
    if applies.byod is not Stance.included and personal:
        yield Flaw(
            "applies.enrolments",
            Text(
                f"{', '.join(personal)}: the text does not include personal devices",
                f"{', '.join(personal)} : le texte ne vise pas les appareils personnels",
            ),
            Text("Leave them out, or set byod to included.", "Retirez-les, ou indiquez « byod: included »."),
        )


def _exceptions(directive: Directive) -> Iterator[Flaw]:
    rules = directive.exceptions
    if not 1 <= rules.max_days <= MAX_EXEMPTION_DAYS:
        yield Flaw(
            "exceptions.max_days",
            Text("an exemption lasts from 1 to 365 days", "une exemption dure de 1 à 365 jours"),
            Text("Renew it each year rather than forget it.", "Renouvelez-la chaque année plutôt que de l'oublier."),
        )
    if not rules.stated and (rules.grounds or rules.approver or rules.mitigations):
        yield Flaw(
            "exceptions.stated",
            Text("terms are given, yet no process is stated", "des conditions figurent, mais aucun processus"),
            Text("Set stated: true, or remove the terms.", "Indiquez « stated: true », ou retirez les conditions."),
        )


def _reasons(directive: Directive) -> Iterator[Flaw]:
    if directive.compromise_found is not Compromise.not_addressed and directive.compromise_basis is None:
        yield Flaw(
            "compromise_basis",
            Text("a claim about a compromise has no basis", "une affirmation de compromission ne cite aucun fondement"),
            Text("Say what the authority itself stated.", "Dites ce que l'autorité a elle-même déclaré."),
        )
    for place, reason in enumerate(directive.stated_reasons):
        if reason in directive.analyst_context:
            yield Flaw(
                f"stated_reasons[{place}]",
                Text("it is an analyst's context as well", "il figure aussi dans le contexte de l'analyste"),
                Text(
                    "Keep it where it belongs: the authority said it, or an analyst did.",
                    "Gardez-le à sa place : ou l'autorité l'a dit, ou un analyste.",
                ),
            )
    if not directive.sources:
        yield Flaw(
            "sources",
            Text("no source", "aucune source"),
            Text("Give the text itself, or where it was read.", "Donnez le texte même, ou l'endroit où il a été lu."),
        )
    for place, source in enumerate(directive.sources):
        if source.kind not in SOURCE_KINDS:
            yield Flaw(
                f"sources[{place}].kind",
                Text(f"unknown kind {source.kind!r}", f"type inconnu {source.kind!r}"),
                Text("Use primary, copy or secondary.", "Employez primary, copy ou secondary."),
            )
        if not source.url.strip():
            yield Flaw(
                f"sources[{place}].url",
                Text("no address", "aucune adresse"),
                Text("Give an address or a file number.", "Donnez une adresse ou un numéro de dossier."),
            )


def _contents(directive: Directive) -> Iterator[Flaw]:
    for name, values in (("items", directive.items), ("actions", directive.actions)):
        if not values:
            yield Flaw(
                name,
                Text("the directive asks for nothing", "la directive ne demande rien"),
                Text("List at least one.", "Inscrivez-en au moins un."),
            )
    for place, item in enumerate(directive.items):
        if not item.selectors:
            yield Flaw(
                f"items[{place}].selectors",
                Text("nothing says which apps are meant", "rien ne dit quelles applications sont visées"),
                Text(
                    "Add a selector, such as product:tencent/wechat.",
                    "Ajoutez un sélecteur, par exemple product:tencent/wechat.",
                ),
            )


def _targets(directive: Directive, catalogue: Catalogue, now: datetime) -> Iterator[Flaw]:
    resolved = resolve_directive(directive, catalogue, now=now)
    for one in resolved.unresolved:
        yield Flaw(
            f"items: {format_selector(one.selector)}",
            Text(f"it leads nowhere: {one.reason.en}", f"il ne mène nulle part : {one.reason.fr}"),
            Text("Correct the selector or the catalogue.", "Corrigez le sélecteur ou le catalogue."),
        )
    for target in resolved.targets:
        why: Text | None = None
        if target.type in APP_IDS:
            why = is_protected(target.platform, target.value)
        elif target.type in GLOBS and protected_under(target.platform, target.value.removesuffix("*")):
            why = Text("it would hit protected apps", "il frapperait des applications protégées")
        if why is not None:
            yield Flaw(
                f"items: {target.value}",
                why,
                Text(
                    "Name another app: this one is never acted upon.",
                    "Nommez-en une autre : celle-ci n'est jamais touchée.",
                ),
            )
    names = {selector.kind for selector in resolved.selectors} <= {SelectorKind.name}
    if resolved.targets and not names and not any(target.actionable for target in resolved.targets):
        yield Flaw(
            "items",
            Text("none of its targets may drive a change", "aucune de ses cibles ne permet d'agir"),
            Text(
                "See why with 'proscribe catalogue resolve'; confirm an identifier first.",
                "Voyez pourquoi avec « proscribe catalogue resolve »; confirmez d'abord un identifiant.",
            ),
        )
    for place, item in enumerate(directive.items):
        if item.publisher and item.publisher not in catalogue.publisher_ids():
            yield Flaw(
                f"items[{place}].publisher",
                Text(f"no publisher {item.publisher!r}", f"aucun éditeur {item.publisher!r}"),
                Text(
                    "Use a catalogue id, or leave it empty.", "Employez un identifiant du catalogue, ou laissez vide."
                ),
            )


def _assessments(directive: Directive) -> Iterator[Flaw]:
    packages = [one.package for one in directive.assessments]
    for place, one in enumerate(directive.assessments):
        if not _DIGEST.fullmatch(one.digest) or not _HEX.fullmatch(one.package):
            yield Flaw(
                f"assessments[{place}].digest",
                Text("not a SHA-256 digest", "ce n'est pas une empreinte SHA-256"),
                Text(
                    "Let 'proscribe directive attach' write it.",
                    "Laissez «\u00a0proscribe directive attach\u00a0» l'écrire.",
                ),
            )
        if one.package in packages[:place]:
            yield Flaw(
                f"assessments[{place}].package",
                Text("this package stands here twice", "ce paquet figure deux fois"),
                Text("Keep the newer assessment.", "Gardez l'évaluation la plus récente."),
            )


_CHECKS: tuple[Callable[[Directive], Iterator[Flaw]], ...] = (
    _identity,
    _texts,
    _dates,
    _scope,
    _contents,
    _exceptions,
    _reasons,
    _assessments,
)
