"""The second half of the report: plan, refusals, exemptions, coverage, digests, and how anyone can check them."""

from __future__ import annotations

from proscribe.documents import digest
from proscribe.prove.markup import Cell, Column, Pen, Raw
from proscribe.prove.report_model import ReportData
from proscribe.prove.report_words import ENROLMENTS, PLATFORMS, REFUSALS, VISIBILITY
from proscribe.text import Text

MAX_REFUSALS = 100

_NO_PLAN = Text("There is no plan yet: nothing was sent.", "Il n'y a pas encore de plan : rien n'a été envoyé.")


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
    lead = _paragraph(
        pen,
        Text(
            f"The plan removes the app from {pen.number(counts.to_remove)} devices. To do so it changes the settings "
            f"of {pen.number(counts.block_only)} more that do not hold it, and it can do nothing for "
            f"{pen.number(counts.cannot)}.",
            f"Le plan retire l'application de {pen.number(counts.to_remove)} appareils. Il modifie pour cela les "
            f"paramètres de {pen.number(counts.block_only)} autres qui ne la contiennent pas, et ne peut rien pour "
            f"{pen.number(counts.cannot)}.",
        ),
    )
    return lead + pen.table(Text("Waves, in order", "Vagues, dans l'ordre"), columns, rows)


def refusals(pen: Pen, data: ReportData) -> str:
    """What will not be done, each with its reason and a way out."""
    if data.plan is None:
        return f"<p>{pen.text(_NO_PLAN)}</p>"
    listed = sorted(data.plan.refusals, key=lambda refusal: (not refusal.blocks, -len(refusal.devices)))
    if not listed:
        return _paragraph(pen, Text("The plan refused nothing.", "Le plan n'a rien refusé."))
    rows: list[list[Cell]] = [
        [
            REFUSALS[refusal.reason],
            pen.path(_place(refusal.system, refusal.scope)),
            len(refusal.devices),
            refusal.what,
            refusal.remedy,
            Text("yes", "oui") if refusal.blocks else Text("no", "non"),
        ]
        for refusal in listed[:MAX_REFUSALS]
    ]
    columns = [
        Column(Text("Reason", "Motif")),
        Column(Text("Where", "Où"), "code"),
        Column(Text("Devices", "Appareils"), "number"),
        Column(Text("What", "Objet")),
        Column(Text("Remedy", "Solution")),
        Column(Text("Stops the plan", "Arrête le plan"), "word"),
    ]
    more = ""
    if len(listed) > MAX_REFUSALS:
        rest = len(listed) - MAX_REFUSALS
        more = _paragraph(
            pen,
            Text(
                f"{rest} more refusals are in the plan itself.", f"{rest} autres refus figurent dans le plan lui-même."
            ),
        )
    return pen.table(Text("Refusals of the plan", "Refus du plan"), columns, rows, wide=True) + more


def _place(system: str, scope: str) -> str:
    return "/".join(part for part in (system, scope) if part) or "–"


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
    rows: list[list[Cell]] = [
        [
            ENROLMENTS[row.enrolment],
            f"{row.system}, {PLATFORMS[row.platform]}",
            row.devices,
            VISIBILITY[row.sees],
            row.blind_to if row.blind_to.en else "–",
            Text(f"{row.stale_after_days} days", f"{row.stale_after_days} jours"),
        ]
        for row in data.coverage
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
    facts.extend(
        (Text(f"Snapshot {number}", f"Instantané {number}"), value)
        for number, value in enumerate(data.snapshots, start=1)
    )
    if data.plan_digest is not None:
        facts.append((Text("Plan", "Plan"), data.plan_digest))
    if data.tree_head is not None:
        facts.append(
            (
                Text(
                    f"Ledger, {data.tree_head.size} entries: root",
                    f"Registre, {data.tree_head.size} entrées : racine",
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
    return f'{lead}<dl class="facts">{rows}</dl>'


def how_to_verify(pen: Pen, data: ReportData) -> str:
    """Two ways: with this program, and with what every computer has."""
    head = data.tree_head
    wanted = f" --head {head.size}:{head.root}" if head is not None else ""
    steps = [
        Text(
            "With Proscribe, offline and without its database:",
            "Avec Proscribe, hors ligne et sans sa base de données :",
        ),
        Text(
            "With standard tools, in an empty folder where the proof was unpacked:",
            "Avec des outils courants, dans un dossier vide où la preuve a été extraite :",
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
            "registre. Notez dès aujourd'hui la taille et la racine du registre : toute preuve ultérieure doit les "
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
