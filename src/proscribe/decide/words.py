"""The words for stages, tracks and roads, as a person meets them."""

from __future__ import annotations

from proscribe.decide.model import ClaimStatus, EvidenceKind, Origin, ReviewKind, ReviewOutcome, Stage, Track
from proscribe.text import Text

STAGES: dict[Stage, Text] = {
    Stage.intake: Text("intake", "réception"),
    Stage.assess: Text("assess", "évaluation"),
    Stage.targets: Text("targets", "cibles"),
    Stage.impact: Text("impact", "incidence"),
    Stage.vendor: Text("vendor", "fournisseur"),
    Stage.reviews: Text("reviews", "examens"),
    Stage.decide: Text("decide", "décision"),
    Stage.sign: Text("sign", "signatures"),
    Stage.publish: Text("publish", "publication"),
    Stage.acknowledge: Text("acknowledge", "accusés de réception"),
    Stage.act: Text("act", "exécution"),
    Stage.attest: Text("attest", "attestations"),
    Stage.confirm: Text("confirm", "confirmation"),
    Stage.review: Text("review", "réexamen"),
    Stage.amend: Text("amend", "modification"),
    Stage.supersede: Text("supersede", "remplacement"),
    Stage.revoke: Text("revoke", "révocation"),
}

TRACKS: dict[Track, Text] = {
    Track.standard: Text("standard", "ordinaire"),
    Track.interim: Text("interim", "provisoire"),
}

ORIGINS: dict[Origin, Text] = {
    Origin.concern: Text("a concern", "une préoccupation"),
    Origin.referral: Text("a referral", "un renvoi"),
    Origin.partner: Text("a notice of a partner", "un avis d'un partenaire"),
    Origin.feed: Text("a directive of the authority above", "une directive de l'autorité supérieure"),
    Origin.assessment: Text("an assessment", "une évaluation"),
}

CLAIMS: dict[ClaimStatus, Text] = {
    ClaimStatus.asserted: Text("asserted", "avancée"),
    ClaimStatus.contested: Text("contested", "contestée"),
    ClaimStatus.upheld: Text("contested, upheld after weighing", "contestée, maintenue après examen"),
    ClaimStatus.withdrawn: Text("withdrawn", "retirée"),
}

EVIDENCE: dict[EvidenceKind, Text] = {
    EvidenceKind.assessment: Text("assessment", "évaluation"),
    EvidenceKind.measurement: Text("measurement", "mesure"),
    EvidenceKind.statute: Text("statute", "loi"),
    EvidenceKind.publication: Text("publication", "publication"),
    EvidenceKind.testimony: Text("testimony", "témoignage"),
    EvidenceKind.partner: Text("partner", "partenaire"),
    EvidenceKind.vendor: Text("vendor", "fournisseur"),
    EvidenceKind.internal: Text("internal", "interne"),
}

REVIEWS: dict[ReviewKind, Text] = {
    ReviewKind.privacy: Text("privacy", "protection de la vie privée"),
    ReviewKind.records: Text("records", "gestion documentaire"),
    ReviewKind.legal: Text("legal", "avis juridique"),
    ReviewKind.languages: Text("official languages", "langues officielles"),
    ReviewKind.accessibility: Text("accessibility", "accessibilité"),
}

OPINIONS: dict[ReviewOutcome, Text] = {
    ReviewOutcome.favourable: Text("favourable", "favorable"),
    ReviewOutcome.with_conditions: Text("favourable with conditions", "favorable sous conditions"),
    ReviewOutcome.unfavourable: Text("unfavourable", "défavorable"),
}
