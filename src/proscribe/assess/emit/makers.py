"""Who stands behind a package, worked out once for all outputs: the signer, the catalogue's word, the exposure."""

from __future__ import annotations

from dataclasses import dataclass

from proscribe.assess.emit.hostile import visible
from proscribe.assess.emit.reading import joined
from proscribe.assess.emit.words import RELATIONS
from proscribe.assess.model import Assessment
from proscribe.assess.terms import SignatureState
from proscribe.terms import Platform
from proscribe.text import COLON, Text, plural


def signer_line(assessment: Assessment) -> Text:
    """Who signed the package, in one line: never a certificate that was not verified."""
    publisher = assessment.publisher
    if not publisher.verified and assessment.platform is Platform.ios:
        if not publisher.team_id:
            return Text(
                "not established: this package names no team, and Apple's signature is not verified here",
                "non établi; ce paquet ne nomme aucune équipe, et la signature d'Apple n'est pas vérifiée ici",
            )
        return Text(
            f"team {publisher.team_id}, as signed into the binary; Apple's chain is not verified here",
            f"équipe {publisher.team_id}, selon la signature du binaire; la chaîne d'Apple n'est pas vérifiée ici",
        )
    if not publisher.verified:
        return Text("nobody: no valid signature was found", "personne; aucune signature valide n'a été trouvée")
    subjects = {one.sha256: one.subject for one in publisher.certificates}
    signers = [visible(subjects.get(one.certificate, one.certificate[:16]), 120) for one in publisher.signers]
    shown = "; ".join(dict.fromkeys(signers))
    verified = Text("signature verified", "signature vérifiée")
    if any(_TEST_IDENTITY in subjects.get(one.certificate, "").split(", ") for one in publisher.signers):
        verified += Text("; a test certificate, which names nobody", "; un certificat d'essai, qui ne nomme personne")
    return Text(f"{shown} ({verified.en})", f"{shown} ({verified.fr})")


_TEST_IDENTITY = "CN=Android Debug"
"""In the subject, in any order, of the certificate that Android's build tools make on any developer's machine."""


def match_lines(assessment: Assessment) -> list[Text]:
    """What the catalogue of publishers says of the signer and of the name."""
    return [
        Text(f"{match.publisher}: ", f"{match.publisher} : ")
        + RELATIONS.get(match.relation, Text(match.relation, match.relation))
        for match in assessment.publisher.matches
    ]


def is_lookalike(assessment: Assessment) -> bool:
    """Whether the package wears the name of a publisher that did not sign it."""
    return any(match.relation == "lookalike" for match in assessment.publisher.matches)


_NOT_SIGNED = "jar-sig.no-manifest"
"""What the check of a v1 signature says where there is nothing to check."""


_MIXED = frozenset({"split.other-package", "split.other-version", "signing.other-signer"})
"""Anomalies of a set of packages that no phone takes for one app."""


def alarms(assessment: Assessment) -> list[Text]:
    """What must be known before anything else is read: whose file this is not."""
    found = match_lines(assessment) if is_lookalike(assessment) else []
    if not _MIXED.isdisjoint(one.code for one in assessment.anomalies):
        found.append(
            Text(
                "The parts of this file are not of one app: they differ in package name, version or signer, and "
                "Android does not install them together.",
                "Les parties de ce fichier ne forment pas une seule application : leur nom de paquet, leur version ou "
                "leur signataire diffèrent, et Android ne les installe pas ensemble.",
            )
        )
    states = {
        SignatureState.absent if one.problem == _NOT_SIGNED else one.state for one in assessment.publisher.schemes
    }
    if assessment.publisher.verified or assessment.platform is not Platform.android:
        return found
    if SignatureState.failed in states:
        found.append(
            Text(
                "The signature does not hold: nothing shows whose file this is, or that it is as its maker left it.",
                "La signature n'est pas valide : rien ne montre de qui vient ce fichier, ni qu'il est resté tel que "
                "son auteur l'a laissé.",
            )
        )
    elif states == {SignatureState.absent}:
        found.append(
            Text(
                "The package is not signed: nothing shows whose file this is, and Android installs no such package.",
                "Le paquet n'est pas signé : rien ne montre de qui vient ce fichier, et Android n'installe aucun "
                "paquet de ce genre.",
            )
        )
    elif SignatureState.verified in states:
        found.append(
            Text(
                "A signature holds, and not for the whole package (a split signed by somebody else, or a scheme that "
                "Android no longer takes): nothing shows whose file this is.",
                "Une signature est valide, mais pas pour le paquet entier (paquet partiel signé par quelqu'un d'autre, "
                "ou schéma qu'Android n'accepte plus) : rien ne montre de qui vient ce fichier.",
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class CountryRow:
    """One country of the exposure axis. ``publisher`` is "" where another country's is, or none is known."""

    country: str
    name: Text
    publisher: str
    by_name: bool  # the publisher is known by the app's name alone: no verified signature is known to be its
    sdks: tuple[str, ...]  # with a service; a library on the device exposes nobody
    hosts: int
    operators: tuple[str, ...]
    laws: tuple[Text, ...]
    sources: tuple[str, ...]

    @property
    def publisher_words(self) -> Text:
        """``NetEase``, or ``NetEase (by name only)``."""
        known = Text(self.publisher, self.publisher)
        return known + Text(" (by name only)", " (selon son seul nom)") if self.by_name else known


def publisher_by_name(assessment: Assessment) -> bool:
    """Whether the publisher is known by the app's name alone, and not by who signed it."""
    publisher = assessment.exposure.publisher
    signed = any(
        publisher is not None and f"publisher: {publisher.name}" in one.through for one in assessment.exposure.countries
    )
    return publisher is not None and not signed


def exposure_rows(assessment: Assessment) -> list[CountryRow]:
    """Countries through which somebody could be made to use the access: publisher first, then by SDKs and hosts."""
    exposure = assessment.exposure
    named = {one.country: one for one in exposure.countries}
    publisher = exposure.publisher
    services = [sdk for sdk in assessment.sdks if sdk.operator]
    countries = dict.fromkeys(
        [
            *named,
            *([publisher.country] if publisher and publisher.country else []),
            *(sdk.country for sdk in services if sdk.country),
            *(host.country for host in exposure.hosts if host.country),
        ]
    )
    rows = []
    for country in countries:
        known = named.get(country)
        hosts = [host for host in exposure.hosts if host.country == country]
        mine = publisher is not None and publisher.country == country
        rows.append(
            CountryRow(
                country,
                known.name if known else Text(country, country),
                publisher.name if publisher is not None and mine else "",
                mine and publisher_by_name(assessment),
                tuple(sdk.name for sdk in sorted(services, key=lambda one: -one.sites) if sdk.country == country),
                len(hosts),
                tuple(dict.fromkeys(host.operator for host in hosts if host.operator)),
                known.laws if known else (),
                known.sources if known else (),
            )
        )
    return sorted(rows, key=lambda row: (not row.publisher, -len(row.sdks), -row.hosts, row.country))


_SDKS_NAMED = 3


def exposure_line(assessment: Assessment) -> Text:
    """The second axis in one line: ``China: publisher NetEase (by name only), Tencent TBS (X5), 10 hosts``."""
    rows = exposure_rows(assessment)
    if not rows:
        return Text("no operator in this package is known", "aucun exploitant connu dans ce paquet")
    return joined((row.name + COLON + Text(" ", " ") + joined(_ways(row)) for row in rows), "; ")


def _ways(row: CountryRow) -> list[Text]:
    """Through whom: the publisher, SDKs by name while they are few, hosts in number."""
    ways = []
    if row.publisher:
        ways.append(Text("publisher ", "éditeur ") + row.publisher_words)
    if 0 < len(row.sdks) <= _SDKS_NAMED:
        ways += [Text(name, name) for name in row.sdks]
    elif row.sdks:
        ways.append(plural(len(row.sdks), Text("SDK", "trousse SDK"), Text("SDKs", "trousses SDK")))
    if row.hosts:
        ways.append(plural(row.hosts, Text("host", "hôte"), Text("hosts", "hôtes")))
    return ways or [Text("by ownership", "par la propriété")]
