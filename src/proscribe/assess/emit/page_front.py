"""What a busy reader sees first: the rating and why, what could not be seen, and the access map with its numbers."""

from __future__ import annotations

from proscribe.assess.emit.exposure_picture import countries
from proscribe.assess.emit.makers import CountryRow, alarms, exposure_line, exposure_rows, signer_line
from proscribe.assess.emit.markup import Ink
from proscribe.assess.emit.picture import actor_mark, fill_mark, phone, signal_mark
from proscribe.assess.emit.reading import (
    actor_names,
    actors_of,
    condition_of,
    evidence_count,
    joined,
    not_seen,
    reach,
    reach_line,
    rung_of,
    suppressed_findings,
    telling,
)
from proscribe.assess.emit.words import AREAS, GRANTS, MEANINGS, RATINGS, RUNGS, SCALE, SHORT_RUNGS
from proscribe.assess.model import Assessment
from proscribe.assess.profile import AreaAccess
from proscribe.assess.terms import CONTENT_AREAS, ActorKind, Ladder, Rating
from proscribe.page.markup import Cell, Column, Raw
from proscribe.text import COLON, Text

MOST_TELLING = 6
DOING = (ActorKind.app, ActorKind.sdk, ActorKind.unattributed)


def answer(pen: Ink, assessment: Assessment) -> str:
    """The first screen: words on the left, the phone on the right; on a phone one under the other."""
    return (
        f'<div class="front"><div class="words">{_words(pen, assessment)}</div>'
        f'<figure class="map">{phone(pen, assessment)}</figure>'
        f'<div class="reading">{_facts(pen, assessment)}{_legend(pen)}</div></div>'
    )


def _words(pen: Ink, assessment: Assessment) -> str:
    rating = assessment.rating
    parts = [_scale(pen, rating.rating)]
    if alarms(assessment):
        parts.append(f'<div class="alarm">{pen.bullets(alarms(assessment))}</div>')
    if rating.because:
        parts.append(pen.paragraph(rating.because[0], "lead"))
    parts.append(_telling(pen, assessment))
    parts.append(_not_seen(pen, assessment))
    return "".join(parts)


def _facts(pen: Ink, assessment: Assessment) -> str:
    """Who signed it, the other axis in a line, and what a person set aside."""
    apart = pen.text(Text("who could be made to use it", "qui pourrait être contraint de s'en servir"))
    rows = [
        (Text("Signed by", "Signé par"), pen.text(signer_line(assessment))),
        (
            Text("Exposure, a question apart", "Exposition, une question à part"),
            f'{pen.text(exposure_line(assessment))} (<a href="#exposure">{apart}</a>)',
        ),
    ]
    set_aside = suppressed_findings(assessment)
    if set_aside:
        titles = joined((one.title for one in set_aside), "; ")
        rows.append(
            (
                Text("Set aside by a review", "Écarté par un examen"),
                f'{pen.text(titles)} (<a href="#rating">{pen.text(Text("reasons", "motifs"))}</a>)',
            )
        )
    return pen.facts(rows)


def _scale(pen: Ink, rating: Rating) -> str:
    """The four ratings in a row, this one marked; ``inconclusive`` stands on none of them."""
    here = pen.text(Text("this app", "cette application"))
    steps = "".join(
        f'<li class="here"><b>{pen.text(RATINGS[step])}</b><span>{here}</span></li>'
        if step is rating
        else f"<li>{pen.text(RATINGS[step])}</li>"
        for step in SCALE
    )
    label = pen.text(Text("Rating of access", "Cote d'accès"))
    lead = ""
    if rating is Rating.inconclusive:
        lead = pen.paragraph(
            Text(
                "Inconclusive. What was read does not allow a rating; that is not the same as little access.",
                "Cote non concluante. Ce qui a été lu ne permet pas d'attribuer une cote; cela ne veut pas dire que "
                "l'accès est faible.",
            ),
            "lead open",
        )
    return f'{lead}<p class="over" id="scale">{label}</p><ol class="scale" aria-labelledby="scale">{steps}</ol>'


def _telling(pen: Ink, assessment: Assessment) -> str:
    """What it does that says most, with whose code does it."""
    found = telling(assessment)[:MOST_TELLING]
    if not found:
        return ""
    items = "".join(
        f"<li>{pen.text(one.title)} <span>– {pen.text(actor_names(one.actors, 2))}</span></li>" for one in found
    )
    more = pen.text(Text("Every reason", "Tous les motifs"))
    return f'<ul class="telling">{items}<li class="more"><a href="#rating">{more}</a></li></ul>'


def _not_seen(pen: Ink, assessment: Assessment) -> str:
    heading = pen.text(Text("What could not be seen", "Ce qui n'a pas pu être vu"))
    return f'<div class="unseen"><h3>{heading}</h3>{pen.bullets(not_seen(assessment))}</div>'


def _legend(pen: Ink) -> str:
    """How to read the picture."""
    rungs = "".join(
        f"<li>{fill_mark(ladder)}<span><b>{pen.text(SHORT_RUNGS[ladder])}</b> – "
        f"{pen.text(MEANINGS[ladder])}</span></li>"
        for ladder in sorted(Ladder, reverse=True)
    )
    withheld = Text(
        "found, but without effect: not declared, never granted to a store app, or set aside by a review",
        "trouvé, mais sans effet : non déclaré, jamais accordé à une application de boutique, ou écarté par un examen",
    )
    actors = "".join(
        f"<li>{actor_mark(kind)}<span>{pen.text(words)}</span></li>"
        for kind, words in (
            (ActorKind.app, Text("the app's own code", "le code même de l'application")),
            (
                ActorKind.sdk,
                Text("another maker's code inside (SDK)", "le code d'un autre éditeur, intégré (trousse SDK)"),
            ),
            (ActorKind.unattributed, Text("code that nobody claims", "code que personne ne revendique")),
        )
    )
    return (
        f"<h3>{pen.text(Text('How to read it', 'Comment la lire'))}</h3>"
        f'<ul class="legend">{rungs}<li>{fill_mark(None)}<span>{pen.text(withheld)}</span></li>{actors}</ul>'
    )


def access_table(pen: Ink, assessment: Assessment) -> str:
    """The numbers of the picture: all 18 areas, contents first."""
    columns = [
        Column(Text("Area", "Domaine")),
        Column(Text("Evidence", "Preuve")),
        Column(Text("Who must agree", "Qui doit consentir")),
        Column(Text("Whose code", "Origine du code")),
        Column(Text("Pieces of evidence", "Éléments de preuve"), "number"),
        Column(Text("Counts", "Pris en compte")),
    ]
    contents = [_row(pen, assessment, row) for row in assessment.access if row.area in CONTENT_AREAS]
    behaviour = [_row(pen, assessment, row) for row in assessment.access if row.area not in CONTENT_AREAS]
    return (
        pen.paragraph(reach_line(reach(assessment)), "lead")
        + pen.table(Text("Contents of the device", "Contenu de l'appareil"), columns, contents, wide=True)
        + pen.table(Text("How the app behaves", "Comment l'application se comporte"), columns, behaviour, wide=True)
    )


def _row(pen: Ink, assessment: Assessment, row: AreaAccess) -> list[Cell]:
    if row.ladder is Ladder.none:
        return [AREAS[row.area], _rung(pen, assessment, row), "–", "–", 0, "–"]
    actors = actors_of(assessment, row)
    marks = "".join(actor_mark(kind) for kind in dict.fromkeys(one.kind for one in actors) if kind in DOING)
    whose = Raw(f"{marks}{pen.text(actor_names(actors, 3))}")
    counts = Text("yes", "oui")
    if not row.counts:
        counts = Text("no: ", "non : ") + condition_of(assessment, row)
    pieces = evidence_count(assessment, row)
    return [AREAS[row.area], _rung(pen, assessment, row), GRANTS[row.grant], whose, pieces, counts]


def _rung(pen: Ink, assessment: Assessment, row: AreaAccess) -> Raw:
    word = pen.text(rung_of(assessment, row, RUNGS))
    return Raw(f"{signal_mark(row.ladder)}E{int(row.ladder)}{pen.text(COLON)} {word}")


def exposure(pen: Ink, assessment: Assessment) -> str:
    """Who could be made to use the access. Another question than what the code can do, and never added to it."""
    lead = pen.paragraph(
        Text(
            "Access says what the code can do. Exposure says who stands behind that code, and which country's law they "
            "answer to. The two are never added up: whoever decides weighs them together.",
            "L'accès dit ce que le code peut faire. L'exposition dit qui se trouve derrière ce code, et aux lois "
            "de quel pays chacun est soumis. Les deux ne sont jamais additionnés : il revient à la personne qui "
            "décide de les soupeser ensemble.",
        )
    )
    rows = exposure_rows(assessment)
    if not rows:
        return lead + pen.paragraph(
            Text(
                "No operator is known for the publisher, the SDKs or the hosts of this package.",
                "Aucun exploitant n'est connu pour l'éditeur, les trousses SDK ou les hôtes de ce paquet.",
            )
        )
    columns = [
        Column(Text("Country", "Pays")),
        Column(Text("Publisher", "Éditeur")),
        Column(Text("SDKs with a service", "Trousses SDK avec un service")),
        Column(Text("Hosts named", "Hôtes nommés"), "number"),
        Column(Text("Laws that can compel", "Lois pouvant contraindre")),
    ]
    table = pen.table(
        Text("Exposure by country", "Exposition par pays"),
        columns,
        [
            [
                row.name,
                row.publisher_words if row.publisher else "–",
                ", ".join(row.sdks) or "–",
                row.hosts,
                _laws(pen, row),
            ]
            for row in rows
        ],
        wide=True,
    )
    return (
        f'{lead}<div class="keep">{countries(pen, rows)}</div>{table}{_of_laws(pen)}{_unknown_hosts(pen, assessment)}'
    )


def _laws(pen: Ink, row: CountryRow) -> Raw:
    if not row.laws:
        return Raw(pen.text(Text("none on record here", "aucune n'est inscrite ici")))
    source = pen.text(Text("source: ", "source : "))
    return Raw(f'{pen.bullets(row.laws)}<span class="note">{source}{pen.text(", ".join(row.sources))}</span>')


def _of_laws(pen: Ink) -> str:
    """What a reader must know before quoting a law from here."""
    return pen.paragraph(
        Text(
            "Laws are told in short, in words of our own: read the law at its source before relying on it. That a law "
            "exists does not show that it was used.",
            "Les lois sont résumées ici en nos propres termes : lisez le texte à sa source avant de vous y fier. "
            "L'existence d'une loi ne montre pas qu'elle a été appliquée.",
        ),
        "note",
    )


def _unknown_hosts(pen: Ink, assessment: Assessment) -> str:
    found = assessment.exposure
    return pen.paragraph(
        Text(
            f"Hosts named in the package: {found.hosts_total}; of unknown operator: {found.unattributed_hosts}. "
            "A name does not show that the host is ever contacted, and a country is that of the company, not of the "
            "server.",
            f"Hôtes nommés dans le paquet : {found.hosts_total}; d'exploitant inconnu : "
            f"{found.unattributed_hosts}. Un nom dans le paquet ne montre pas que l'hôte soit jamais contacté, et le "
            "pays est celui de l'entreprise, non celui du serveur.",
        ),
        "note",
    )
