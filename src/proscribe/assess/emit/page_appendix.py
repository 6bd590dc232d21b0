"""The appendix for an engineer: every finding with its evidence, and all else that somebody must be able to check."""

from __future__ import annotations

from proscribe.assess.emit.makers import match_lines, signer_line
from proscribe.assess.emit.markup import SHORT_DIGEST, Ink
from proscribe.assess.emit.reading import actor_name, members
from proscribe.assess.emit.words import (
    AREAS,
    DECLARATIONS,
    EVIDENCE,
    FORMATS,
    GRANTS,
    RUNGS,
    SIGNATURES,
)
from proscribe.assess.model import Assessment
from proscribe.assess.profile import Evidence, Finding, Reference, SdkPresence, Suppression
from proscribe.page.markup import Cell, Column, Raw
from proscribe.text import COLON, Text

_FINDING_COLUMNS = [
    Column(Text("Kind", "Type")),
    Column(Text("Subject", "Objet")),
    Column(Text("Caller", "Appelant")),
    Column(Text("Offset", "Décalage"), "number"),
    Column(Text("File, SHA-256", "Fichier, SHA-256")),
]


def findings(pen: Ink, assessment: Assessment) -> str:
    """Every finding, suppressed ones included, in the document's own order."""
    if not assessment.findings:
        return pen.paragraph(
            Text(
                "No finding. Read this together with what was read and what was not.",
                "Aucun constat. À lire en tenant compte de ce qui a été lu et de ce qui ne l'a pas été.",
            )
        )
    lead = pen.paragraph(
        Text(
            "Offsets count 16-bit code units from the start of the calling method. Digests are shortened here; "
            "they stand in full further down, with the files.",
            "Les décalages se comptent en unités de code de 16 bits depuis le début de la méthode appelante. Les "
            "empreintes sont abrégées ici; elles figurent en entier plus bas, avec les fichiers.",
        ),
        "note",
    )
    return lead + "".join(_finding(pen, one, number) for number, one in enumerate(assessment.findings, start=1))


def _finding(pen: Ink, finding: Finding, number: int) -> str:
    brief = [
        (Text("Id", "Identifiant"), pen.code(finding.id)),
        (Text("Area", "Domaine"), pen.text(AREAS[finding.area])),
        (Text("Evidence", "Preuve"), f"E{int(finding.ladder)}{pen.text(COLON)} {pen.text(RUNGS[finding.ladder])}"),
        (Text("Declaration", "Déclaration"), pen.text(DECLARATIONS[finding.declaration])),
        (Text("Who must agree", "Qui doit consentir"), pen.text(GRANTS[finding.grant])),
        (Text("Whose code", "Origine du code"), pen.text(actor_name(finding.actor, full=True))),
        *((Text(one.framework, one.framework), pen.text(", ".join(one.ids))) for one in finding.maps),
    ]
    said = [pen.paragraph(finding.caution, "note"), *(pen.paragraph(text, "note") for text in finding.counter)]
    if finding.suppressed is not None:
        said.append(_marked(pen, Text("Set aside: ", "Écarté : "), _set_aside(pen, finding.suppressed)))
    if finding.released is not None:
        words = f"{pen.text(finding.released.reason)} – {pen.text(finding.released.author)}"
        said.append(_marked(pen, Text("May be quoted outside: ", "Peut être cité à l'extérieur : "), words))
    return (
        f'<article class="finding"><h3 id="finding-{number}">{number}. {pen.text(finding.title)}</h3>'
        f"{pen.brief(brief)}{''.join(said)}{_evidence(pen, finding)}</article>"
    )


def _marked(pen: Ink, label: Text, words: str) -> str:
    return f"<p><strong>{pen.text(label)}</strong>{words}</p>"


def _set_aside(pen: Ink, suppression: Suppression) -> str:
    until = pen.text(Text("until", "jusqu'au"))
    words = f"{pen.text(suppression.reason)} – {pen.text(suppression.author)}"
    return f"{words}, {until} {pen.day(suppression.expires)}"


def _evidence(pen: Ink, finding: Finding) -> str:
    if not finding.evidence:
        return ""
    shown, total = len(finding.evidence), finding.evidence_total
    table = pen.table(
        Text(f"Evidence of {finding.id}", f"Éléments de preuve de {finding.id}"),
        _FINDING_COLUMNS,
        [_evidence_row(pen, one) for one in finding.evidence],
        wide=True,
    )
    if total <= shown:
        return table
    kept = Text(
        f"Kept in the document: {shown} of {total} pieces of evidence.",
        f"Conservés dans le document : {shown} éléments de preuve sur {total}.",
    )
    return pen.paragraph(kept, "note") + table


def _evidence_row(pen: Ink, evidence: Evidence) -> list[Cell]:
    subject = pen.code(evidence.subject)
    if evidence.detail:
        subject += f"<br>{pen.code(evidence.detail, 160)}"
    return [
        EVIDENCE[evidence.kind],
        Raw(subject),
        pen.code_cell(evidence.caller),
        pen.number(evidence.offset) if evidence.offset >= 0 else "–",
        Raw(f"{pen.code(evidence.member)}<br>{pen.code(evidence.sha256[:SHORT_DIGEST])}"),
    ]


def permissions(pen: Ink, assessment: Assessment) -> str:
    """Every permission with who can ever hold it."""
    if not assessment.permissions:
        return pen.paragraph(Text("No permission was read.", "Aucune autorisation n'a été lue."))
    columns = [
        Column(Text("Permission", "Autorisation")),
        Column(Text("Protection", "Protection")),
        Column(Text("Who must agree", "Qui doit consentir")),
        Column(Text("Counts", "Pris en compte"), "word"),
        Column(Text("Why", "Pourquoi")),
    ]
    rows: list[list[Cell]] = [
        [
            pen.code_cell(one.name),
            one.protection or "–",
            GRANTS[one.grant],
            Text("yes", "oui") if one.counted else Text("no", "non"),
            one.why,
        ]
        for one in assessment.permissions
    ]
    return pen.table(Text("Permissions asked for", "Autorisations demandées"), columns, rows, wide=True)


def sdks(pen: Ink, assessment: Assessment) -> str:
    """Other makers' code. Present is not active."""
    if not assessment.sdks:
        return pen.paragraph(
            Text(
                "No SDK of the catalogue was recognised; renamed ones go unseen.",
                "Aucune trousse SDK du catalogue n'a été reconnue; celles qui ont été renommées échappent à l'analyse.",
            )
        )
    columns = [
        Column(Text("SDK", "Trousse SDK")),
        Column(Text("Vendor", "Fournisseur")),
        Column(Text("Country", "Pays")),
        Column(Text("Purpose", "Fonction")),
        Column(Text("Classes", "Classes"), "number"),
        Column(Text("Call sites in findings", "Appels dans les constats"), "number"),
        Column(Text("Recognised by", "Reconnue par")),
    ]
    note = pen.paragraph(
        Text(
            "Present does not mean active: an SDK counts in the rating only where its code is called in a finding. "
            "Only an SDK with a service behind it counts in exposure; a library that needs none does not.",
            "Présence ne veut pas dire activité\u00a0: une trousse SDK ne compte dans la cote que si un constat relève "
            "un appel de son code. Seule une trousse qui s'appuie sur un service compte dans l'exposition; une "
            "bibliothèque qui s'en passe n'y compte pas.",
        ),
        "note",
    )
    groups = (
        (Text("SDKs with a service behind them", "Trousses SDK qui s'appuient sur un service"), True),
        (Text("Libraries that need nobody's service", "Bibliothèques qui se passent de tout service"), False),
    )
    tables = ""
    for caption, service in groups:
        found = [one for one in assessment.sdks if bool(one.operator) is service]
        if found:
            found.sort(key=lambda one: (-one.sites, -one.classes, one.id))
            tables += pen.table(caption, columns, [_sdk_row(pen, one) for one in found], wide=True)
    return note + tables


def _sdk_row(pen: Ink, sdk: SdkPresence) -> list[Cell]:
    return [
        sdk.name,
        sdk.vendor,
        sdk.country or "–",
        sdk.purpose,
        sdk.classes,
        sdk.sites,
        Raw("<br>".join(pen.code(evidence.subject) for evidence in sdk.evidence[:6]) or "–"),
    ]


def hosts(pen: Ink, assessment: Assessment) -> str:
    """Host names in the package, with three facts that are never merged."""
    exposure = assessment.exposure
    if not exposure.hosts:
        return pen.paragraph(Text("No host name was found.", "Aucun nom d'hôte n'a été trouvé."))
    columns = [
        Column(Text("Host", "Hôte")),
        Column(Text("Operator", "Exploitant")),
        Column(Text("Operator's country", "Pays de l'exploitant")),
        Column(Text("Domain's ending", "Terminaison du domaine")),
        Column(Text("Server's country", "Pays du serveur")),
        Column(Text("Found in", "Trouvé dans")),
    ]
    rows: list[list[Cell]] = [
        [
            pen.code_cell(one.host, 120),
            one.operator or "–",
            one.country or "–",
            one.tld_country or "–",
            one.server_country or "–",
            Raw("<br>".join(pen.code(member, 120) for member in one.members[:4]) or "–"),
        ]
        for one in exposure.hosts
    ]
    caption = Text("Hosts named in the package", "Hôtes nommés dans le paquet")
    if exposure.hosts_total > len(exposure.hosts):
        caption += Text(
            f" ({len(exposure.hosts)} of {exposure.hosts_total})",
            f" ({len(exposure.hosts)} sur {exposure.hosts_total})",
        )
    return pen.table(caption, columns, rows, wide=True)


def signature(pen: Ink, assessment: Assessment) -> str:
    """What verification showed, scheme by scheme; then certificates and lineage."""
    publisher = assessment.publisher
    facts = [(Text("Signed by", "Signé par"), pen.text(signer_line(assessment)))]
    if publisher.matches:
        facts.append((Text("In the catalogue", "Au catalogue"), pen.bullets(match_lines(assessment))))
    if publisher.claimed:
        facts.append(
            (
                Text("In the file, not verified", "Dans le fichier, non vérifiés"),
                "<br>".join(map(pen.code, publisher.claimed)),
            )
        )
    parts = [pen.facts(facts)]
    if publisher.schemes:
        columns = [
            Column(Text("Scheme", "Schéma")),
            Column(Text("Result", "Résultat")),
            Column(Text("Problem", "Problème")),
        ]
        rows: list[list[Cell]] = [
            [one.scheme, SIGNATURES[one.state], Raw(f"{pen.code(one.problem)} {pen.text(one.detail)}")]
            for one in publisher.schemes
        ]
        parts.append(pen.table(Text("Signature schemes", "Schémas de signature"), columns, rows))
    parts += [_certificates(pen, assessment), _lineage(pen, assessment)]
    return "".join(parts)


def _certificates(pen: Ink, assessment: Assessment) -> str:
    if not assessment.publisher.certificates:
        return ""
    columns = [
        Column(Text("Subject", "Sujet")),
        Column(Text("Issuer", "Émetteur")),
        Column(Text("Valid", "Validité")),
        Column(Text("Key", "Clé")),
        Column(Text("SHA-256 of the certificate", "SHA-256 du certificat")),
    ]
    rows: list[list[Cell]] = [
        [
            one.subject,
            one.issuer,
            Raw(f"{pen.text(one.not_before[:10])} –<br>{pen.text(one.not_after[:10])}"),
            one.key,
            pen.code_cell(one.sha256),
        ]
        for one in assessment.publisher.certificates
    ]
    return pen.table(Text("Certificates", "Certificats"), columns, rows, wide=True)


def _lineage(pen: Ink, assessment: Assessment) -> str:
    if not assessment.publisher.lineage:
        return ""
    columns = [
        Column(Text("Certificate, oldest first", "Certificat, du plus ancien au plus récent")),
        Column(Text("What newer ones still grant it", "Ce que les plus récents lui accordent encore")),
    ]
    rows: list[list[Cell]] = [
        [pen.code_cell(one.certificate), ", ".join(one.capabilities) or "–"] for one in assessment.publisher.lineage
    ]
    return pen.table(Text("Rotation of certificates", "Rotation des certificats"), columns, rows)


def files(pen: Ink, assessment: Assessment) -> str:
    """The package, its parts, and every member that evidence names, with digests in full; then anomalies."""
    package = assessment.package
    rows = [
        (Text("Format", "Format"), pen.text(FORMATS[package.format])),
        (Text("Size in bytes", "Taille en octets"), pen.number(package.size)),
        (Text("SHA-256", "SHA-256"), pen.code(package.sha256)),
    ]
    columns = [Column(Text("File in the package", "Fichier du paquet")), Column(Text("SHA-256", "SHA-256"))]
    parts: list[list[Cell]] = [
        [Raw(f"{pen.code(one.path)} ({pen.text(one.role)})"), pen.code_cell(one.sha256)]
        for one in package.parts
        if one.path
    ]
    named: list[list[Cell]] = [
        [pen.code_cell(member), pen.code_cell(digest)] for member, digest in members(assessment).items()
    ]
    caption = Text("Files that evidence names", "Fichiers nommés par les éléments de preuve")
    table = pen.table(caption, columns, parts + named, wide=True) if parts or named else ""
    return pen.facts(rows) + table + _anomalies(pen, assessment)


def _anomalies(pen: Ink, assessment: Assessment) -> str:
    heading = f"<h3>{pen.text(Text('Anomalies', 'Anomalies'))}</h3>"
    if not assessment.anomalies:
        return heading + pen.paragraph(Text("None: the package is well made.", "Aucune : le paquet est bien formé."))
    columns = [
        Column(Text("Code", "Code")),
        Column(Text("File in the package", "Fichier du paquet")),
        Column(Text("Detail", "Détail")),
    ]
    rows: list[list[Cell]] = [
        [pen.code_cell(one.code), pen.code_cell(one.member), one.detail or "–"] for one in assessment.anomalies
    ]
    caption = Text("What a well-made package does not have", "Ce qu'un paquet bien formé ne contient pas")
    return heading + pen.table(caption, columns, rows)


def made_with(pen: Ink, assessment: Assessment) -> str:
    """Everything that went into the assessment besides the file, by version and digest."""
    columns = [
        Column(Text("Input", "Intrant")),
        Column(Text("Version", "Version")),
        Column(Text("Digest", "Empreinte")),
    ]
    inputs: list[tuple[Text, Reference]] = [(Text("data pack", "ensemble de données"), one) for one in assessment.packs]
    inputs.append((Text("rubric", "grille"), assessment.rubric))
    if assessment.review is not None:
        inputs.append((Text("review", "examen"), assessment.review))
    inputs += [(Text("observations", "observations"), one) for one in assessment.observations]
    rows: list[list[Cell]] = [
        [Raw(f"{pen.text(kind)} {pen.code(one.id)}"), one.version or "–", pen.code_cell(one.digest)]
        for kind, one in inputs
    ]
    tools: list[list[Cell]] = [[pen.code_cell(one.name), one.version] for one in assessment.tools]
    return pen.table(Text("Data and rules", "Données et règles"), columns, rows, wide=True) + pen.table(
        Text("Programs and libraries", "Programmes et bibliothèques"),
        [Column(Text("Name", "Nom")), Column(Text("Version", "Version"))],
        tools,
    )


def recheck(pen: Ink, assessment: Assessment) -> str:
    """How anybody repeats the assessment and looks every piece of evidence up again."""
    lead = pen.paragraph(
        Text(
            "With the same file, data and rubric, the assessment comes out the same to the byte. This looks up every "
            "piece of evidence in the file again:",
            "Avec le même fichier, les mêmes données et la même grille, l'évaluation est identique à l'octet près. La "
            "commande suivante recherche de nouveau dans le fichier chaque élément de preuve :",
        )
    )
    app = {"ipa": "app.ipa", "apk": "app.apk"}.get(assessment.package.format, f"app.{assessment.package.format}")
    return f"{lead}<pre>proscribe assess {app} --out report.json\nproscribe assess --recheck report.json {app}</pre>"
