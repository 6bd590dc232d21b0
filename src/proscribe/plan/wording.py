"""The sentences of a plan: what will not be done, why, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from proscribe.catalogue.model import Target
from proscribe.directive.model import ActionVerb, Directive, Force
from proscribe.plan.labels import PLATFORMS
from proscribe.plan.limits import show
from proscribe.plan.model import Exemption, Hold, Limit, Verb
from proscribe.plan.wanted import KEEP_OUT, Wanted
from proscribe.terms import Held, Platform
from proscribe.text import Text, days, devices, number, plural

Pair = tuple[Text, Text]
"""What is wrong, and what to do."""


def not_reviewed(directive: Directive) -> Pair:
    """The target set has no reviewer."""
    return (
        Text(
            f"The target set of {directive.id} has not been reviewed by a person.",
            f"L'ensemble de cibles de {directive.id} n'a été examiné par personne.",
        ),
        Text(
            "Have the target set reviewed and approved, then plan from the approved set.",
            "Faites examiner et approuver l'ensemble de cibles, puis planifiez à partir de l'ensemble approuvé.",
        ),
    )


def wrong_targets(directive: Directive) -> Pair:
    """The target set is that of another directive, or of another version of it."""
    return (
        Text(
            f"The target set was not made for {directive.id}, version {directive.version}.",
            f"L'ensemble de cibles n'a pas été établi pour {directive.id}, version {directive.version}.",
        ),
        Text(
            "Resolve the directive again and have the result reviewed.",
            "Résolvez de nouveau la directive et faites examiner le résultat.",
        ),
    )


def not_in_force(directive: Directive) -> Pair:
    """The directive's state is not one that orders anything."""
    return (
        Text(
            f"{directive.id} is not in force ({directive.state.value}).",
            f"{directive.id} n'est pas en vigueur ({directive.state.value}).",
        ),
        Text("Plan from the version that is in force.", "Planifiez à partir de la version en vigueur."),
    )


def not_yet(directive: Directive, effective: date) -> Pair:
    """The directive takes effect later."""
    return (
        Text(f"{directive.id} takes effect on {effective}.", f"{directive.id} prend effet le {effective}."),
        Text("Plan again on that day.", "Planifiez de nouveau ce jour-là."),
    )


def over(directive: Directive, expired: date) -> Pair:
    """The directive has expired."""
    return (
        Text(f"{directive.id} expired on {expired}.", f"{directive.id} a expiré le {expired}."),
        Text("Have it renewed, or lift what it put in place.", "Faites-la renouveler ou levez ce qu'elle a imposé."),
    )


def not_binding(directive: Directive) -> Pair:
    """The directive recommends, in whole or in part."""
    word = Text("recommends only", "ne fait que recommander")
    if directive.force is Force.mixed:
        word = Text("binds in part only", "n'est contraignante qu'en partie")
    return (
        Text(f"{directive.id} {word.en}.", f"{directive.id} {word.fr}."),
        Text(
            "Choose explicitly to follow the recommendation (--follow-recommended), or do not act on it.",
            "Choisissez explicitement de suivre la recommandation (--follow-recommended) ou n'y donnez pas suite.",
        ),
    )


def not_asked(directive: Directive) -> Pair:
    """No required action changes a device."""
    return (
        Text(
            f"{directive.id} asks for no change on devices.",
            f"{directive.id} n'exige aucun changement sur les appareils.",
        ),
        Text(
            "Report what was found; nothing needs to be planned.", "Signalez les constats; il n'y a rien à planifier."
        ),
    )


def old_snapshot(taken: datetime, age: int, most: int) -> Pair:
    """The whole snapshot is older than the policy allows."""
    return (
        Text(
            f"The inventory is {days(age).en} old ({taken:%Y-%m-%d}); at most {days(most).en} may pass.",
            f"L'inventaire date de {days(age).fr} ({taken:%Y-%m-%d}); la limite est de {days(most).fr}.",
        ),
        Text("Observe or import again, then plan again.", "Observez ou importez de nouveau, puis replanifiez."),
    )


def scope_unsure(system: str) -> Pair:
    """Devices of which nobody can say whether the directive is about them."""
    return (
        Text(
            f"{system}: the source does not give the platform, enrolment or department of these devices, which decides "
            "whether the directive applies to them.",
            f"{system} : la source n'indique pas la plateforme, le mode d'inscription ou la direction de ces "
            "appareils, dont dépend leur assujettissement à la directive.",
        ),
        Text(
            "Import an export that names all three (e.g. the managed-devices list), then plan again.",
            "Importez une exportation qui précise ces trois éléments (p. ex. la liste des appareils gérés), puis "
            "planifiez de nouveau.",
        ),
    )


def stale_devices(system: str) -> Pair:
    """App lists too old to tell who holds the app."""
    return (
        Text(
            f"{system}: the app lists of these devices are too old to tell whether they hold the app.",
            f"{system} : les listes d'applications de ces appareils sont trop anciennes pour établir la présence "
            "de l'application.",
        ),
        Text(
            "Have the devices report, observe again, then plan again.",
            "Faites en sorte que les appareils communiquent leur état, observez de nouveau, puis replanifiez.",
        ),
    )


def stale_holder(system: str) -> Pair:
    """A removal on one device needs a fresh finding."""
    return (
        Text(
            f"{system}: the finding is too old for a removal on this one device.",
            f"{system} : le constat est trop ancien pour un retrait sur cet appareil.",
        ),
        Text("Query the device again, then plan again.", "Interrogez de nouveau l'appareil, puis replanifiez."),
    )


def protected(app_id: str, why: Text) -> Pair:
    """An app that may never be a target."""
    return (
        Text(f"{app_id} is protected: {why.en}.", f"{app_id} est protégée : {why.fr}."),
        Text(
            "Take it out of the target set and have the set reviewed again.",
            "Retirez-la de l'ensemble de cibles et faites examiner celui-ci de nouveau.",
        ),
    )


def low_confidence(target: Target) -> Pair:
    """A target that may not drive a change."""
    why = target.not_actionable_because or Text("its source is not sure enough", "sa source n'est pas assez sûre")
    return (
        Text(
            f"{target.label} ({target.value}) drives no change, because {why.en.rstrip('.')}.",
            f"{target.label} ({target.value}) n'entraîne aucun changement, car {why.fr.rstrip('.')}.",
        ),
        Text(
            "Confirm the identifier from a second source, raise its confidence in the catalogue, and review the set.",
            "Confirmez l'identifiant par une deuxième source, relevez sa fiabilité dans le catalogue et "
            "réexaminez l'ensemble.",
        ),
    )


def no_identifier(platform: Platform) -> Pair:
    """Nothing that may drive a change is known for a platform."""
    name = PLATFORMS[platform]
    return (
        Text(
            f"{name.en}: no identifier that is sure enough is known for this platform.",
            f"{name.fr} : aucun identifiant suffisamment sûr n'est connu pour cette plateforme.",
        ),
        Text(
            "Source and confirm an identifier for it in the catalogue, then review the target set.",
            "Documentez et confirmez un identifiant dans le catalogue, puis faites examiner l'ensemble de cibles.",
        ),
    )


def exempt(exemption: Exemption) -> Pair:
    """Devices that keep the app for now."""
    return (
        Text(
            f"Exempt until {exemption.expires}: {exemption.ground}.",
            f"Exempté jusqu'au {exemption.expires} : {exemption.ground}.",
        ),
        Text("Nothing to do; it ends by itself.", "Rien à faire; l'exemption prend fin d'elle-même."),
    )


def exempt_in_scope(system: str, scope: str, exempted: Sequence[str], *, known: bool) -> Pair:
    """A shared policy that would reach an exempt device."""
    count = plural(
        len(exempted), Text("exempt device", "appareil exempté"), Text("exempt devices", "appareils exemptés")
    )
    if known:
        what = Text(
            f"{system}, {scope}: the change would reach {count.en}, so this scope is left out.",
            f"{system}, {scope} : le changement toucherait {count.fr}; cette portée est donc exclue.",
        )
    else:
        what = Text(
            f"{system}, {scope}: the change may reach {count.en} managed by two systems, so this scope is left out.",
            f"{system}, {scope} : le changement pourrait toucher {count.fr}, que gèrent deux systèmes; cette portée "
            "est donc exclue.",
        )
    return what, Text(
        "Move the exempt devices to a policy of their own, observe again, then plan again.",
        "Déplacez les appareils exemptés vers une stratégie distincte, observez de nouveau, puis replanifiez.",
    )


def records_hold(held: Sequence[str], holds: Mapping[str, Hold]) -> Pair:
    """Devices whose records must be kept: removing the app would delete them."""
    count = devices(len(held))
    named = ", ".join(sorted({holds[device].id for device in held}))
    return Text(
        f"A records hold ({named}) is on {count.en}. Nothing is removed there: removing an app deletes its data.",
        f"Une mise en suspens de l'élimination ({named}) vise {count.fr}. Rien n'y est retiré, car retirer une "
        "application supprime ses données.",
    ), Text(
        "Preserve the records, release the hold ('proscribe hold release'), then plan again. A change that only blocks "
        "is sent all the same.",
        "Préservez les documents, levez la mise en suspens (« proscribe hold release »), puis planifiez de nouveau. "
        "Un changement qui ne fait que bloquer est envoyé malgré tout.",
    )


def kept_by_hold() -> tuple[Text, ...]:
    """A change that stands in for a removal while a records hold lasts."""
    return (
        Text(
            "A records hold keeps back the removal: the app stays, with its data, and is kept from being used. Once "
            "the hold is released, it is removed.",
            "Une mise en suspens de l'élimination retient le retrait\u00a0: l'application reste, avec ses données, "
            "et ne doit plus pouvoir servir. Une fois la mise en suspens levée, elle est retirée.",
        ),
    )


def scope_not_read(system: str, scope: str) -> Pair:
    """The policy or group that configures a device was not observed, or is not even named."""
    if not scope:
        what = Text(
            f"{system}: no policy or group is recorded for these devices.",
            f"{system} : aucune stratégie ni aucun groupe n'est consigné pour ces appareils.",
        )
    else:
        what = Text(
            f"{system}, {scope}: the settings were not read, so nothing can be merged into them.",
            f"{system}, {scope} : les paramètres n'ont pas été lus; rien ne peut donc y être fusionné.",
        )
    return what, Text(
        f"Observe {system} itself rather than an export, then plan again.",
        f"Observez {system} directement plutôt qu'une exportation, puis replanifiez.",
    )


def other_part(system: str, held: Held) -> Pair:
    """An app held in a way that the method does not reach."""
    ways = {
        Held.managed: Text("as a managed app", "à titre d'application gérée"),
        Held.unmanaged: Text("as an app the user installed", "à titre d'application installée par l'utilisateur"),
        Held.system: Text("as a system app", "à titre d'application système"),
        Held.unknown: Text("in a way the source does not say", "d'une manière que la source ne précise pas"),
    }
    way = ways[held]
    return (
        Text(
            f"{system}: the device holds the app {way.en}, which no method of this system removes.",
            f"{system} : l'appareil contient l'application {way.fr}; aucune méthode de ce système ne permet de la "
            "retirer.",
        ),
        Text(
            "Ask the user to remove it, and cut off access until an inventory shows it gone.",
            "Demandez à l'utilisateur de la retirer et coupez l'accès jusqu'à ce qu'un inventaire en atteste.",
        ),
    )


def over_limit(what: Text, count: int, limit: Limit, most: int, fleet: int) -> Pair:
    """More devices than a limit allows, with both numbers."""
    share = show(limit)
    return (
        Text(
            f"{what.en} {devices(count).en}; the limit is {share.en}, {number(most).en} of {number(fleet).en}.",
            f"{what.fr} {devices(count).fr}; la limite est de {share.fr}, soit {number(most).fr} sur "
            f"{number(fleet).fr}.",
        ),
        Text(
            "Check the targets and the blast radius; if they are right, raise the limit knowingly.",
            "Vérifiez les cibles et l'étendue des effets; s'il n'y a pas d'erreur, relevez la limite en toute "
            "connaissance de cause.",
        ),
    )


def empty_ring(name: str) -> Pair:
    """A ring that was set to no device at all."""
    return (
        Text(
            f"The ring {name} allows no device, so nothing can be sent.",
            f"L'anneau {name} n'admet aucun appareil; rien ne peut donc être envoyé.",
        ),
        Text("Give the ring a size above zero.", "Donnez à l'anneau une taille non nulle."),
    )


def outside_directive(count: int) -> tuple[Text, ...]:
    """A warning where the scope has devices that the directive is not about."""
    if count <= 0:
        return ()
    reached = devices(count)
    return (
        Text(
            f"It also reaches {reached.en} outside the directive.",
            f"Il touche aussi {reached.fr} que la directive ne vise pas.",
        ),
    )


def more_than_asked(extra: frozenset[Verb], wanted: Wanted) -> tuple[Text, ...]:
    """A warning where the method does what the directive does not ask for."""
    found: list[Text] = []
    if Verb.remove in extra:
        found.append(
            Text(
                "It also removes the app and its data, which the directive does not ask for.",
                "Il retire aussi l'application et ses données, ce que la directive n'exige pas.",
            )
        )
    if extra & KEEP_OUT and not wanted.keep_out:
        found.append(
            Text(
                "It also keeps the app out, which the directive does not ask for.",
                "Il empêche aussi le retour de l'application, ce que la directive n'exige pas.",
            )
        )
    return tuple(found)


def preserve_first(directive: Directive) -> tuple[Text, ...]:
    """A warning where records must be kept before anything is removed."""
    if not any(action.verb is ActionVerb.preserve for action in directive.actions):
        return ()
    return (
        Text(
            "Removal deletes the app's data: the directive asks to preserve records first.",
            "Le retrait supprime les données de l'application : la directive exige d'abord la préservation des "
            "documents.",
        ),
    )
