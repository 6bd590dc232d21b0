"""What an update added to an app's access, and what it dropped: two assessments side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from proscribe import documents
from proscribe.assess.facts import Component
from proscribe.assess.model import AreaChange, Assessment, Difference
from proscribe.assess.profile import AreaAccess, Finding
from proscribe.assess.rate.verdict import counts
from proscribe.assess.rate.words import AREAS, FOUND, RATINGS
from proscribe.assess.terms import Ladder
from proscribe.canonical import Digest
from proscribe.text import Text


def difference(before: Assessment, after: Assessment, *, digests: tuple[Digest, Digest] | None = None) -> Difference:
    """Compare two assessments of an app. ``digests``: of the two documents, computed where they are left out."""
    old, new = _by_id(before.findings), _by_id(after.findings)
    both = [name for name in new if name in old]
    first, second = digests or (documents.digest(before), documents.digest(after))
    permissions = _changed((one.name for one in before.permissions), (one.name for one in after.permissions))
    components = _changed(_components(before), _components(after))
    special = _changed(_special(before), _special(after))
    sdks = _changed((one.id for one in before.sdks), (one.id for one in after.sdks))
    hosts = _changed((one.host for one in before.exposure.hosts), (one.host for one in after.exposure.hosts))
    return Difference(
        app_id=after.app_id,
        before=first,
        after=second,
        version_before=_version(before),
        version_after=_version(after),
        rating_before=before.rating.rating,
        rating_after=after.rating.rating,
        same_signer=same_signer(before, after),
        notable=tuple(_notable(before, after)),
        areas=tuple(_areas(before, after)),
        permissions_added=permissions[0],
        permissions_removed=permissions[1],
        components_added=components[0],
        components_removed=components[1],
        special_added=special[0],
        special_removed=special[1],
        findings_added=tuple(finding for name, finding in new.items() if name not in old),
        findings_removed=tuple(finding for name, finding in old.items() if name not in new),
        findings_raised=tuple(name for name in both if _weight(new[name]) > _weight(old[name])),
        findings_lowered=tuple(name for name in both if _weight(new[name]) < _weight(old[name])),
        sdks_added=sdks[0],
        sdks_removed=sdks[1],
        hosts_added=hosts[0],
        hosts_removed=hosts[1],
    )


def same_signer(before: Assessment, after: Assessment) -> bool:
    """Whether the update's signer may follow the first one's: the same, or by a verified rotation.

    Two packages without a verified signer are never signed by the same; of iOS, the team id as signed decides.
    """
    old, new = before.publisher, after.publisher
    if old.team_id or new.team_id:
        return old.team_id == new.team_id
    if not (old.verified and new.verified):
        return False
    first = {one.certificate for one in old.signers}
    second = {one.certificate for one in new.signers}
    if first == second:
        return bool(first)
    return bool(first) and first <= {step.certificate for step in new.lineage} | second


def _notable(before: Assessment, after: Assessment) -> Iterator[Text]:
    """What has to be said before any list."""
    if before.platform is not after.platform or before.app_id != after.app_id:
        yield Text(
            f"These are two different apps: {before.app_id or '?'} ({before.platform.value}) and "
            f"{after.app_id or '?'} ({after.platform.value}).",
            f"Ce sont deux applications différentes\u00a0: {before.app_id or '?'} ({before.platform.value}) et "
            f"{after.app_id or '?'} ({after.platform.value}).",
        )
    if before.package.sha256 == after.package.sha256:
        yield Text("Both are the very same file.", "Il s'agit du même fichier.")
    if not same_signer(before, after):
        yield _signer(before, after)
    if before.rating.rating is not after.rating.rating:
        old, new = RATINGS[before.rating.rating], RATINGS[after.rating.rating]
        yield Text(
            f"Access was rated {old.en} and is now rated {new.en}.",
            f"L'accès était jugé {old.fr} et est maintenant jugé {new.fr}.",
        )
    if before.packs != after.packs or before.rubric != after.rubric:
        yield Text(
            "The two were assessed with different data packs or rubrics: assess both anew to compare them.",
            "Les deux évaluations reposent sur des ensembles de données ou des grilles différents\u00a0: évaluez de "
            "nouveau les deux pour les comparer.",
        )


def _signer(before: Assessment, after: Assessment) -> Text:
    if before.publisher.verified and after.publisher.verified:
        return Text(
            "The signer changed, and no verified rotation leads from the old one to the new one: phones refuse such an "
            "update, and it may not come from the same maker.",
            "Le signataire a changé, et aucune rotation vérifiée ne mène de l'ancien au nouveau\u00a0: les téléphones "
            "refusent une telle mise à jour, et elle peut venir d'un autre éditeur.",
        )
    if before.publisher.team_id or after.publisher.team_id:
        return Text("The team id changed.", "L'identifiant d'équipe a changé.")
    return Text(
        "At least one of the two has no verified signer, so nothing shows that both come from the same maker.",
        "L'un des deux au moins n'a pas de signataire vérifié\u00a0: rien ne montre que les deux viennent du même "
        "éditeur.",
    )


def _areas(before: Assessment, after: Assessment) -> Iterator[AreaChange]:
    for old, new in zip(before.access, after.access, strict=True):
        if (old.ladder, old.counts) != (new.ladder, new.counts):
            yield AreaChange(area=new.area, before=_rung(old), after=_rung(new), summary=_change(old, new))


def _rung(row: AreaAccess) -> Ladder:
    """What counts: an area whose access cannot work is not reached."""
    return row.ladder if row.counts else Ladder.none


def _change(old: AreaAccess, new: AreaAccess) -> Text:
    name, was, now = AREAS[new.area], _state(old), _state(new)
    return Text(
        f"{name.en[:1].upper()}{name.en[1:]}: before, {was.en}; now, {now.en}.",
        f"{name.fr[:1].upper()}{name.fr[1:]}\u00a0: avant, {was.fr}; maintenant, {now.fr}.",
    )


def _state(row: AreaAccess) -> Text:
    found = FOUND[row.ladder]
    found = Text(found.en[:1].lower() + found.en[1:], found.fr[:1].lower() + found.fr[1:])
    return found if row.counts or row.ladder is Ladder.none else found + Text(" (not counted)", " (non compté)")


def _weight(finding: Finding) -> tuple[bool, int]:
    """A finding weighs more where it began to count, then by its rung."""
    return counts(finding), int(finding.ladder)


def _by_id(findings: Iterable[Finding]) -> Mapping[str, Finding]:
    return {one.id: one for one in sorted(findings, key=lambda one: one.id)}


def _components(report: Assessment) -> Iterator[str]:
    components: Sequence[Component] = report.android.components if report.android else ()
    yield from (f"{one.kind} {one.name}" for one in components)
    yield from (f"extension {one}" for one in report.ios.extensions) if report.ios else ()


def _special(report: Assessment) -> Iterator[str]:
    for one in report.android.special if report.android else ():
        yield " ".join(filter(None, (one.kind.value, one.component, *one.details, *one.policies)))
    for entitlement in report.ios.entitlements if report.ios else ():
        yield f"{entitlement.key}={entitlement.value}"


def _version(report: Assessment) -> str:
    return f"{report.version} ({report.build})" if report.build else report.version


def _changed(before: Iterable[str], after: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(added, removed), sorted."""
    old, new = set(before), set(after)
    return tuple(sorted(new - old)), tuple(sorted(old - new))
