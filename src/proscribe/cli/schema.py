"""``proscribe schema``: the published JSON Schema of every document kind, made from its type."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import click

from proscribe.service.kinds import UnknownKind, kinds
from proscribe.text import Text

if TYPE_CHECKING:
    from proscribe.documents import Document

DESCRIPTIONS: dict[str, Text] = {
    "proscribe.acknowledgement": Text(
        "A department acknowledges a directive", "Un organisme accuse réception d'une directive"
    ),
    "proscribe.adoption": Text("A directive of a feed, adopted here", "Une directive d'un fil, adoptée ici"),
    "proscribe.assessment": Text("How much of a device an app can reach", "Ce qu'une application peut atteindre"),
    "proscribe.assessment-batch": Text("A folder of packages, assessed", "Un dossier de paquets, évalués"),
    "proscribe.assessment-difference": Text("What an update added and dropped", "Ce qu'une mise à jour a changé"),
    "proscribe.attestation": Text("What a department attests to", "Ce qu'un organisme atteste"),
    "proscribe.case": Text("A case, from concern to decision", "Un dossier, de la préoccupation à la décision"),
    "proscribe.case-desk": Text("What lies ready for a case", "Ce qui est prêt pour un dossier"),
    "proscribe.case-step": Text("One transition of a case", "Une étape d'un dossier"),
    "proscribe.challenge": Text("Random entries asked for", "Des entrées demandées au hasard"),
    "proscribe.challenge-answer": Text(
        "The entries asked for, with proofs", "Les entrées demandées, avec leurs preuves"
    ),
    "proscribe.challenge-result": Text(
        "What checking an answer found", "Ce que la vérification d'une réponse a établi"
    ),
    "proscribe.check": Text("The result of 'proscribe check'", "Le résultat de « proscribe check »"),
    "proscribe.counts": Text("The outcomes of a directive, counted", "Les résultats d'une directive, dénombrés"),
    "proscribe.cured": Text("Findings that had gone", "Les constats disparus"),
    "proscribe.data-list": Text("The data packs in use", "Les ensembles de données en service"),
    "proscribe.data-update": Text("What an update of a data pack changed", "Ce qu'une mise à jour a changé"),
    "proscribe.data-verification": Text("What checking the data packs found", "Ce que la vérification a établi"),
    "proscribe.decision": Text("What was decided, and on what", "Ce qui a été décidé, et sur quelle base"),
    "proscribe.department-heads": Text("Tree heads of the departments", "Les têtes d'arbre des organismes"),
    "proscribe.directive": Text("A decision about apps", "Une décision au sujet d'applications"),
    "proscribe.evaluation": Text("The summary of an evaluation", "Le résumé d'une évaluation"),
    "proscribe.evidence": Text("The evidence register of a case", "Le registre des éléments de preuve d'un dossier"),
    "proscribe.exemption": Text("An exemption as it is granted", "Une exemption telle qu'elle est accordée"),
    "proscribe.exemption-list": Text("The exemptions in a proof", "Les exemptions d'un dossier de preuve"),
    "proscribe.exemption-report": Text("Exemptions, for the authority", "Les exemptions, pour l'autorité"),
    "proscribe.exemption-request": Text("An exemption that is asked for", "Une exemption demandée"),
    "proscribe.exemptions": Text("The register of exemptions", "Le registre des exemptions"),
    "proscribe.feed-item": Text("One file of a feed, as it was met", "Un fichier d'un fil, tel que reçu"),
    "proscribe.feed-pull": Text("What a pull of a feed brought", "Ce qu'une lecture du fil a apporté"),
    "proscribe.feed-state": Text("What was accepted of a feed", "Ce qui a été accepté d'un fil"),
    "proscribe.feed-status": Text("How a feed stands", "L'état d'un fil de diffusion"),
    "proscribe.head-proof": Text("A signed head with its proofs", "Une tête signée avec ses preuves"),
    "proscribe.holds": Text("The register of records holds", "Le registre des mises en suspens de l'élimination"),
    "proscribe.impact": Text("Whom and what a ban would touch", "Ce qu'une interdiction toucherait"),
    "proscribe.key-list": Text("Whose key may sign what", "Quelle clé peut signer quoi"),
    "proscribe.ledger-check": Text("What checking the ledger found", "Ce que la vérification du registre a établi"),
    "proscribe.ledger-entry": Text("One entry of the ledger", "Une entrée du registre"),
    "proscribe.ledger-proofs": Text("The ledger's root and its proofs", "La racine du registre et ses preuves"),
    "proscribe.not-seen": Text("What could not be seen or settled", "Ce qui n'a pu être ni vu ni tranché"),
    "proscribe.notice": Text("What is said to whom of a decision", "Ce qui est dit d'une décision, et à qui"),
    "proscribe.observations": Text("What was seen at run time", "Ce qui a été observé à l'exécution"),
    "proscribe.plan": Text("What will be done, and what will not", "Ce qui sera fait, et ce qui ne le sera pas"),
    "proscribe.policy": Text("The limits and waves of a plan", "Les limites et les vagues d'un plan"),
    "proscribe.proof": Text("The contents of a proof bundle", "Le contenu d'un dossier de preuve"),
    "proscribe.received-proof": Text("A proof that was handed over", "Une preuve qui a été remise"),
    "proscribe.received": Text("A ban that a partner proposes", "Une interdiction proposée par un partenaire"),
    "proscribe.recheck": Text(
        "The evidence of a report, looked up again", "Les éléments de preuve d'un rapport, revérifiés"
    ),
    "proscribe.registration": Text("Where signatures were recorded", "Où des signatures ont été consignées"),
    "proscribe.review": Text(
        "A word on findings: set aside, released", "Un avis sur des constats\u00a0: écartés, diffusables"
    ),
    "proscribe.review-opinion": Text("One specialist review", "Un examen spécialisé"),
    "proscribe.revocation": Text("A directive taken back", "Une directive révoquée"),
    "proscribe.rollup": Text("Where every department stands", "Où en est chaque organisme"),
    "proscribe.rubric": Text("How findings become a rating", "Comment les constats deviennent une cote"),
    "proscribe.scheduled-review": Text("A decision looked at again", "Une décision réexaminée"),
    "proscribe.signature-list": Text("The signatures in a proof", "Les signatures d'un dossier de preuve"),
    "proscribe.signature-verification": Text(
        "What checking signatures found", "Ce que la vérification des signatures a établi"
    ),
    "proscribe.signed": Text("A signed document", "Un document signé"),
    "proscribe.snapshot": Text("What an inventory snapshot is made of", "La composition d'un instantané d'inventaire"),
    "proscribe.standing": Text("The decision that is enforced here", "La décision appliquée ici"),
    "proscribe.standing-order": Text(
        "What may be done later without asking", "Ce qui peut être fait plus tard sans demander"
    ),
    "proscribe.statement": Text("What a signature covers", "Ce que couvre une signature"),
    "proscribe.status": Text("Where a directive stands", "L'état d'une directive"),
    "proscribe.target-set": Text("What a directive means, in identifiers", "Le sens d'une directive, en identifiants"),
    "proscribe.tick": Text("What one tick did", "Ce qu'un passage a fait"),
    "proscribe.tree-head": Text("A signed head of a ledger", "Une tête de registre signée"),
    "proscribe.vendor-record": Text("Notice to the vendor and its reply", "L'avis au fournisseur et sa réponse"),
    "proscribe.verification": Text("What checking a proof found", "Ce que la vérification d'une preuve a établi"),
    "proscribe.witnessed-head": Text("A head of somebody else's ledger", "Une tête du registre d'autrui"),
}


def _named(kind: str) -> type[Document]:
    known = kinds()
    for name in (kind, f"proscribe.{kind}"):
        if name in known:
            return known[name]
    near = difflib.get_close_matches(f"proscribe.{kind.removeprefix('proscribe.')}", known, n=1)
    hint = Text(f" Did you mean {near[0]}?", f" Vouliez-vous dire {near[0]}?") if near else Text("", "")
    raise UnknownKind(
        Text(f"there is no document kind {kind!r}", f"il n'existe pas de document de type « {kind} »"),
        remedy=Text("Run 'proscribe schema' for the list.", "« proscribe schema » en donne la liste.") + hint,
    )


@click.command(
    help=str(
        Text(
            "Print the JSON Schema (2020-12) of a document kind; without a kind, list the kinds.",
            "Afficher le schéma JSON (2020-12) d'un type de document; sans type, énumérer les types.",
        )
    )
)
@click.argument("kind", metavar=str(Text("[KIND]", "[TYPE]")), required=False)
def command(kind: str | None) -> None:
    from proscribe.cli.output import print_json, print_table
    from proscribe.documents import json_schema

    if kind is not None:
        print_json(json_schema(_named(kind)))
        return
    print_table(
        "",
        (str(Text("Kind", "Type")), str(Text("What it is", "Ce que c'est"))),
        [(name, DESCRIPTIONS.get(name, "")) for name in kinds()],
    )
