"""What could not be seen, said before anything else: unread parts, packers, encryption, missing splits."""

from __future__ import annotations

from collections.abc import Iterator

from proscribe.assess.facts import Run
from proscribe.assess.gathered import Gathered
from proscribe.assess.profile import PackageFormat
from proscribe.assess.rate.evidence import Maker
from proscribe.assess.rate.verdict import fact_text
from proscribe.assess.rate.words import both, few
from proscribe.assess.terms import Extent
from proscribe.text import COLON, Text, plural

_UNREAD = (Extent.failed, Extent.hidden, Extent.partial)


def hidden(gathered: Gathered) -> tuple[Text, ...]:
    """Sentences, the gravest first; empty where all was read."""
    told = dict.fromkeys([*_runs(gathered), *_disagreements(gathered), *_code(gathered), *_splits(gathered)])
    told |= dict.fromkeys([*_no_code(gathered), *_left_unread(gathered)])
    return tuple(told)


def _runs(gathered: Gathered) -> Iterator[Text]:
    for extent in _UNREAD:
        for run in sorted((one for one in gathered.runs if one.extent is extent), key=_order):
            yield _sentence(run)


def _order(run: Run) -> tuple[str, str, str, str]:
    return (run.of.value, run.reader, run.problem, run.detail)


def _sentence(run: Run) -> Text:
    said = fact_text(run.of, run.extent)
    said = Text(said.en[:1].upper() + said.en[1:], said.fr[:1].upper() + said.fr[1:])
    if run.total:
        said += Text(f", {run.read} of {run.total}", f", {run.read} sur {run.total}")
    reason = " ".join(filter(None, (run.problem, run.detail)))
    if reason:
        said += Text(f" ({run.reader}{COLON.en} {reason})", f" ({run.reader}{COLON.fr} {reason})")
    return said + Text(".", ".")


def _disagreements(gathered: Gathered) -> Iterator[Text]:
    for one in gathered.android.disagreements if gathered.android else ():
        yield Text(
            f"Two parsers read '{one.about}' of the manifest differently; neither is taken for right.",
            f"Deux analyseurs lisent différemment «\u00a0{one.about}\u00a0» du manifeste; aucun n'est tenu pour exact.",
        )


def _code(gathered: Gathered) -> Iterator[Text]:
    code = gathered.code
    if code.packer_marks:
        marks = few([both(mark) for mark in code.packer_marks])
        yield Text(
            f"The code bears marks of a packer ({marks.en}): what it unpacks at run time was not seen.",
            f"Le code porte les marques d'un empaqueteur ({marks.fr})\u00a0: ce qu'il déballe à l'exécution n'a pas "
            "été vu.",
        )
    if code.encrypted_like:
        members = few([both(member) for member in code.encrypted_like])
        yield Text(
            f"Files read like encrypted code: {members.en}.",
            f"Des fichiers ressemblent à du code chiffré\u00a0: {members.fr}.",
        )
    encrypted = [item.member for item in Maker(gathered).hiding() if item.subject == "fairplay"]
    if encrypted:
        binaries = plural(len(encrypted), Text("binary", "binaire"), Text("binaries", "binaires"))
        yield Text(
            f"FairPlay encrypts the code of {binaries.en}: property lists, entitlements, libraries and imports can be "
            "read, strings and call sites cannot.",
            f"FairPlay chiffre le code de {binaries.fr}\u00a0: les listes de propriétés, les droits, les "
            "bibliothèques et les importations sont lisibles; les chaînes et les points d'appel ne le sont pas.",
        )


def _splits(gathered: Gathered) -> Iterator[Text]:
    facts = gathered.android
    if facts is None or gathered.package.format is not PackageFormat.apk or not facts.splits_required:
        return
    yield Text(
        "The app needs splits that are not in this file: their code and resources were not seen.",
        "L'application exige des paquets partiels absents de ce fichier\u00a0: leur code et leurs ressources n'ont pas "
        "été vus.",
    )


def _no_code(gathered: Gathered) -> Iterator[Text]:
    """Nothing was found in the code of a package that has none: what it runs comes from elsewhere."""
    facts = gathered.android
    if facts is None or not facts.components or gathered.code.dex:
        return
    yield Text(
        "The manifest declares components and the package holds no dex code: what they run was not seen.",
        "Le manifeste déclare des composants, et le paquet ne contient aucun code dex\u00a0: ce qu'ils exécutent n'a "
        "pas été vu.",
    )


def _left_unread(gathered: Gathered) -> Iterator[Text]:
    """Parts of the file that no reader opened and that can hold code, by what kept them from being read."""
    for code, told in _LEFT_UNREAD.items():
        found = [one for one in gathered.anomalies if one.code == code]
        if found:
            names = few([both(one.member or one.detail) for one in found])
            yield Text(f"{told.en}{COLON.en} {names.en}.", f"{told.fr}{COLON.fr} {names.fr}.")


_LEFT_UNREAD: dict[str, Text] = {
    "container.other-app": Text(
        "Another app lies in the same file and was not assessed",
        "Une autre application se trouve dans le même fichier et n'a pas été évaluée",
    ),
    "split.left-out": Text("Packages in the file that were not read", "Paquets présents dans le fichier, mais non lus"),
    "split.other-build": Text(
        "Builds of the app for other devices, not read", "Versions de l'application pour d'autres appareils, non lues"
    ),
    "container.not-read": Text(
        "Archives or code beside the packages, not read", "Archives ou code à côté des paquets, non lus"
    ),
    "zip.duplicate-name": Text(
        "Members whose name stands twice, of which only the first was read",
        "Membres dont le nom figure deux fois et dont seul le premier a été lu",
    ),
    "code.method-handles": Text(
        "Code that can call through method handles, which were not followed",
        "Code pouvant appeler par des descripteurs de méthode, qui n'ont pas été suivis",
    ),
    "code.nested-not-read": Text("Archives inside that were not read", "Archives internes non lues"),
    "code.disguised": Text("Code or archives in disguise, not read", "Code ou archives sous un déguisement, non lus"),
    "code.too-many-dex-elsewhere": Text("Dex files that were not read", "Fichiers dex non lus"),
    "code.members-not-looked-at": Text("Members that were not looked at", "Membres non examinés"),
}
