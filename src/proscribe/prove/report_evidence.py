"""The second half of the report: plan, refusals, exemptions, coverage, digests, and how anyone can check them."""

from __future__ import annotations

from collections.abc import Sequence

from proscribe.documents import digest
from proscribe.inventory.model import Coverage, Visibility
from proscribe.page.markup import Cell, Column, Pen, Raw
from proscribe.plan.model import Refusal, RefusalReason
from proscribe.plan.reasons import REASONS
from proscribe.prove.report_model import ReportData
from proscribe.prove.report_words import ENROLMENTS, PLATFORMS, VISIBILITY
from proscribe.terms import Enrolment
from proscribe.text import Text, days, devices, plural

MAX_ALIKE = 6  # refusals of one kind that are spelt out

_MORE_IN_PLAN = (
    Text("more is in the plan itself", "autre figure dans le plan"),
    Text("more are in the plan itself", "autres figurent dans le plan"),
)
_NO_PLAN = Text("There is no plan yet: nothing was sent.", "Il n'y a pas encore de plan : rien n'a été envoyé.")


def waves(pen: Pen, data: ReportData) -> str:
    """The waves of the newest plan."""
    if data.plan is None:
        return f"<p>{pen.text(_NO_PLAN)}</p>"
    if not data.plan.waves:
        return _paragraph(pen, Text("The plan sends nothing.", "Le plan ne prévoit aucun envoi."))
    rows: list[list[Cell]] = [
        [
            f"{wave.number}. {wave.name}",
            len(wave.steps),
            wave.devices,
            "–" if wave.number == data.plan.waves[0].number else pen.share(round(wave.success_rate * 1000), 1000),
        ]
        for wave in data.plan.waves
    ]
    columns = [
        Column(Text("Wave", "Vague")),
        Column(Text("Changes", "Changements"), "number"),
        Column(Text("Devices reached", "Appareils touchés"), "number"),
        Column(Text("Success the wave before must reach", "Réussite exigée de la vague précédente"), "number"),
    ]
    counts = data.plan.counts
    removed = devices(counts.to_remove)
    others = plural(
        counts.block_only,
        Text("more that does", "autre qui ne la contient"),
        Text("more that do", "autres qui ne la contiennent"),
    )
    lead = _paragraph(
        pen,
        Text(
            f"The plan removes the app from {removed.en}. To do so it changes the settings "
            f"of {others.en} not hold it, and it can do nothing for "
            f"{pen.number(counts.cannot)}.",
            f"Le plan retire l'application de {removed.fr}. Il modifie pour cela les "
            f"paramètres de {others.fr} pas et ne peut rien pour "
            f"{pen.number(counts.cannot)}.",
        ),
    )
    return lead + pen.table(Text("Waves, in order", "Vagues, dans l'ordre"), columns, rows)


def refusals(pen: Pen, data: ReportData) -> str:
    """What will not be done, with its reason and a way out; what has both in common stands together."""
    if data.plan is None:
        return f"<p>{pen.text(_NO_PLAN)}</p>"
    together: dict[tuple[bool, RefusalReason, Text], list[Refusal]] = {}
    for refusal in data.plan.refusals:
        together.setdefault((not refusal.blocks, refusal.reason, refusal.remedy), []).append(refusal)
    if not together:
        return _paragraph(pen, Text("The plan refused nothing.", "Le plan n'a rien refusé."))
    ordered = sorted(together.items(), key=lambda item: (item[0][0], -_devices(item[1])))
    rows: list[list[Cell]] = [
        [
            Raw(_reason(pen, reason, stops=not goes_on)),
            _devices(alike),
            Raw(_what(pen, alike)),
            remedy,
        ]
        for (goes_on, reason, remedy), alike in ordered
    ]
    columns = [
        Column(Text("Reason", "Motif")),
        Column(Text("Devices", "Appareils"), "number"),
        Column(Text("What", "Objet")),
        Column(Text("Remedy", "Solution")),
    ]
    return pen.table(Text("Refusals of the plan", "Refus du plan"), columns, rows, wide=True)


def _devices(alike: Sequence[Refusal]) -> int:
    return len({device for refusal in alike for device in refusal.devices})


def _reason(pen: Pen, reason: RefusalReason, *, stops: bool) -> str:
    mark = f"<br>({pen.text(Text('stops the plan', 'arrête le plan'))})" if stops else ""
    return pen.text(REASONS[reason]) + mark


def _what(pen: Pen, alike: Sequence[Refusal]) -> str:
    said = [pen.text(refusal.what) for refusal in sorted(alike, key=lambda one: -len(one.devices))]
    if len(said) == 1:
        return said[0]
    items = "".join(f"<li>{one}</li>" for one in said[:MAX_ALIKE])
    if len(said) > MAX_ALIKE:
        rest = len(said) - MAX_ALIKE
        items += f"<li>{pen.text(plural(rest, *_MORE_IN_PLAN))}</li>"
    return f"<ul>{items}</ul>"


def exemptions(pen: Pen, data: ReportData) -> str:
    """Grounds, dates and counts; no device and no person."""
    if not data.exemptions:
        return _paragraph(pen, Text("None were granted.", "Aucune n'a été accordée."))
    rows: list[list[Cell]] = [
        [
            exemption.id,
            exemption.ground,
            exemption.devices,
            Raw(pen.day(exemption.starts)),
            Raw(pen.day(exemption.expires)),
            "; ".join(exemption.mitigations) or "–",
        ]
        for exemption in data.exemptions
    ]
    columns = [
        Column(Text("Exemption", "Exemption")),
        Column(Text("Ground", "Motif")),
        Column(Text("Devices", "Appareils"), "number"),
        Column(Text("From", "Du"), "date"),
        Column(Text("Until", "Au"), "date"),
        Column(Text("Mitigation", "Mesures d'atténuation")),
    ]
    return pen.table(Text("Exemptions on record", "Exemptions consignées"), columns, rows, wide=True)


def coverage(pen: Pen, data: ReportData) -> str:
    """By class of device: what can be seen at best, and what not."""
    if not data.coverage:
        return _paragraph(
            pen, Text("There is no inventory behind this report.", "Aucun inventaire ne sous-tend ce rapport.")
        )
    together: dict[tuple[Enrolment, Visibility, Text, int], list[Coverage]] = {}
    for row in data.coverage:
        together.setdefault((row.enrolment, row.sees, row.blind_to, row.stale_after_days), []).append(row)
    rows: list[list[Cell]] = [
        [
            ENROLMENTS[enrolment],
            "; ".join(dict.fromkeys(f"{row.system} ({PLATFORMS[row.platform]})" for row in alike)),
            sum(row.devices for row in alike),
            VISIBILITY[sees],
            blind_to if blind_to.en else "–",
            days(stale_after),
        ]
        for (enrolment, sees, blind_to, stale_after), alike in together.items()
    ]
    columns = [
        Column(Text("Class of device", "Catégorie d'appareils")),
        Column(Text("Source", "Source")),
        Column(Text("Devices", "Appareils"), "number"),
        Column(Text("Sees at best", "Voit au mieux")),
        Column(Text("Cannot see", "Ne peut voir")),
        Column(Text("Too old after", "Périmé après"), "word"),
    ]
    caption = Text("Coverage by class of device", "Couverture par catégorie d'appareils")
    return pen.table(caption, columns, rows, wide=True)


def chain(pen: Pen, data: ReportData) -> str:
    """The digests, each naming the one before."""
    facts: list[tuple[Text, str]] = [
        (
            Text(
                f"Directive {data.directive.id}, version {data.directive.version}",
                f"Directive {data.directive.id}, version {data.directive.version}",
            ),
            digest(data.directive),
        ),
        (Text("Target set", "Ensemble de cibles"), digest(data.targets)),
    ]
    last = len(data.snapshots)
    facts.extend(
        (Text(f"Snapshot {number} of {last}", f"Instantané {number} sur {last}"), value)
        for number, value in enumerate(data.snapshots, start=1)
        if number in (1, last)  # the manifest lists them all
    )
    if data.plan_digest is not None:
        facts.append((Text("Plan", "Plan"), data.plan_digest))
    if data.tree_head is not None:
        entries = plural(data.tree_head.size, Text("entry", "entrée"), Text("entries", "entrées"))
        facts.append(
            (
                Text(
                    f"Ledger, {entries.en}: root",
                    f"Registre, {entries.fr} : racine",
                ),
                data.tree_head.root,
            )
        )
    rows = "".join(f'<dt>{pen.text(name)}</dt><dd class="hash">{pen.text(value)}</dd>' for name, value in facts)
    lead = _paragraph(
        pen,
        Text(
            "Each document is known by the SHA-256 of its canonical bytes and names the documents it was made from. "
            "The ledger records them in order; nothing in it can change without changing its root.",
            "Chaque document est désigné par le SHA-256 de sa forme canonique et nomme ceux dont il est issu. Le "
            "registre les consigne dans l'ordre; rien ne peut y changer sans que sa racine change.",
        ),
    )
    signed = "".join(_paragraph(pen, line) for line in data.approvals)
    return f'{lead}<dl class="facts">{rows}</dl>{signed}'


def how_to_verify(pen: Pen, data: ReportData) -> str:
    """Two ways: with this program, and with what every computer has."""
    head = data.tree_head
    wanted = f" --head {head.size}:{head.root}" if head is not None else ""
    steps = [
        Text(
            "With Proscribe, offline and without its database:",
            "Avec Proscribe, hors ligne et sans sa base de données :",
        ),
        Text(
            "With standard tools, in an empty folder where the proof was unpacked:",
            "Avec des outils courants, dans un dossier vide où la preuve a été extraite :",
        ),
    ]
    commands = [f"proscribe prove verify proof.zip{wanted}", "sha256sum --check SHA256SUMS"]
    blocks = "".join(
        f"<p>{pen.text(step)}</p><pre><code>{pen.text(command)}</code></pre>"
        for step, command in zip(steps, commands, strict=True)
    )
    note = _paragraph(
        pen,
        Text(
            "README.txt in the proof holds a dozen lines of Python that compute the ledger's root. Note size and root "
            "of the ledger today: any later proof must go on from them.",
            "Le fichier README.txt de la preuve contient une douzaine de lignes de Python qui calculent la racine du "
            "registre. Notez dès aujourd'hui la taille et la racine du registre : toute preuve ultérieure doit les "
            "prolonger.",
        ),
    )
    return blocks + note


def method(pen: Pen, _data: ReportData) -> str:
    """What is claimed and what is not."""
    return "".join(
        _paragraph(pen, text)
        for text in (
            Text(
                "A management system that accepts an order answers at once, before any device has heard of it. Such an "
                "answer is kept as a receipt and proves nothing about a device.",
                "Un système de gestion qui accepte un ordre répond aussitôt, avant qu'un appareil n'en ait eu "
                "connaissance. Cette réponse est conservée à titre d'accusé de réception et ne prouve rien au sujet "
                "d'un appareil.",
            ),
            Text(
                "A device counts as compliant only where it reported, after the ban was in force on it, that the app "
                "is not there or cannot be opened. Where a part of a device cannot be seen, the device is never "
                "counted as compliant. What is not known is counted as not known.",
                "Un appareil n'est compté comme conforme que s'il a signalé, après l'entrée en vigueur de "
                "l'interdiction sur celui-ci, que l'application en est absente ou ne peut y être ouverte. Lorsqu'une "
                "partie d'un appareil ne peut être vue, celui-ci n'est jamais compté comme conforme. Ce qui est "
                "indéterminé est compté comme tel.",
            ),
            Text(
                "This report gives the reasons that the authority stated and no others. It makes no claim about the "
                "publisher of an app beyond them.",
                "Le présent rapport donne les motifs énoncés par l'autorité et nul autre. Il n'avance rien de plus au "
                "sujet de l'éditeur d'une application.",
            ),
        )
    )


def _paragraph(pen: Pen, text: Text) -> str:
    return f"<p>{pen.text(text)}</p>"
