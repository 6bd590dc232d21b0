"""The words of the report: every term of the governance model in sentences a reader outside IT understands."""

from __future__ import annotations

from dataclasses import dataclass

from proscribe.directive.model import Compromise, Force, State
from proscribe.enforce.model import Outcome
from proscribe.inventory.model import Visibility
from proscribe.prove.report_model import Group
from proscribe.terms import Enrolment, Platform
from proscribe.text import Text


@dataclass(frozen=True, slots=True)
class OutcomeWords:
    """The name of an outcome, what it means, and what can be done about it (None: nothing is left to do)."""

    name: Text
    meaning: Text
    next: Text | None = None


OUTCOMES: dict[Outcome, OutcomeWords] = {
    Outcome.absent_verified: OutcomeWords(
        Text("Absent, verified", "Absence vérifiée"),
        Text(
            "The device itself reported its apps after the ban was in force on it, and the app was not among them.",
            "L'appareil a lui-même signalé ses applications après l'entrée en vigueur de l'interdiction sur celui-ci, "
            "et l'application n'y figurait pas.",
        ),
    ),
    Outcome.removed_verified: OutcomeWords(
        Text("Removed, verified", "Retrait vérifié"),
        Text(
            "The app was on the device before. The device has since reported its apps, and the app is gone.",
            "L'application se trouvait sur l'appareil. Depuis, l'appareil a signalé ses applications et celle-ci n'y "
            "est plus.",
        ),
    ),
    Outcome.contained: OutcomeWords(
        Text("Contained", "Neutralisée"),
        Text(
            "The app is still listed, but the device confirms a block that keeps it from being opened.",
            "L'application figure encore dans la liste, mais l'appareil confirme un blocage qui empêche de l'ouvrir.",
        ),
    ),
    Outcome.enforced_blind: OutcomeWords(
        Text("Blocked, but not visible", "Bloquée, mais sans visibilité"),
        Text(
            "The block was delivered to the personal side of the device. The platform hides that side, so nobody can "
            "confirm that the app is gone.",
            "Le blocage a été transmis au côté personnel de l'appareil. La plateforme masque ce côté : personne ne "
            "peut confirmer que l'application en a disparu.",
        ),
        Text(
            "Ask the holder for a written statement, or issue a fully managed device.",
            "Demander une attestation au détenteur, ou lui remettre un appareil entièrement géré.",
        ),
    ),
    Outcome.invisible: OutcomeWords(
        Text("Cannot be seen", "Non visible"),
        Text(
            "A part of the device belongs to its holder and is out of sight and out of reach by design. Nothing is "
            "claimed about it.",
            "Une partie de l'appareil relève de son détenteur; elle est, par choix de conception, invisible et hors "
            "d'atteinte. Rien n'est affirmé à son sujet.",
        ),
        Text(
            "Rely on terms of use and conditional access, or remove work data from such devices.",
            "S'en remettre aux conditions d'utilisation et à l'accès conditionnel, ou retirer de ces appareils les "
            "données de travail.",
        ),
    ),
    Outcome.pending_locked: OutcomeWords(
        Text("Waiting: device locked", "En attente : appareil verrouillé"),
        Text(
            "The device answered that it is locked and will carry out the order later.",
            "L'appareil a répondu qu'il est verrouillé et qu'il exécutera l'ordre plus tard.",
        ),
        Text("Ask the holder to unlock the device.", "Demander au détenteur de déverrouiller l'appareil."),
    ),
    Outcome.pending_sync: OutcomeWords(
        Text("Waiting: not heard from since", "En attente : sans nouvelles depuis"),
        Text(
            "The order was accepted by the management system, but the device has not reported since.",
            "Le système de gestion a accepté l'ordre, mais l'appareil ne s'est pas manifesté depuis.",
        ),
        Text(
            "Have the device switched on and connected; after the deadline, suspend its access.",
            "Faire allumer et connecter l'appareil; passé l'échéance, suspendre son accès.",
        ),
    ),
    Outcome.pending_vendor_approval: OutcomeWords(
        Text("Waiting: platform approval", "En attente : approbation de la plateforme"),
        Text(
            "The provider of the platform must approve the change before it takes effect.",
            "Le fournisseur de la plateforme doit approuver le changement avant qu'il ne prenne effet.",
        ),
        Text("Follow up with the provider.", "Assurer un suivi auprès du fournisseur."),
    ),
    Outcome.refused_by_user: OutcomeWords(
        Text("Refused by the holder", "Refus du détenteur"),
        Text(
            "The platform asked the holder of the device for consent, and the holder declined.",
            "La plateforme a demandé le consentement du détenteur de l'appareil, et celui-ci a refusé.",
        ),
        Text(
            "Speak with the holder; suspend access until the app is gone.",
            "Communiquer avec le détenteur; suspendre l'accès jusqu'au retrait de l'application.",
        ),
    ),
    Outcome.failed: OutcomeWords(
        Text("Failed", "Échec"),
        Text(
            "The app was still there when the device last reported, although the ban was in force on it, or the order "
            "was turned down.",
            "L'application s'y trouvait encore au dernier signalement de l'appareil, même si l'interdiction y était "
            "en vigueur, ou l'ordre a été rejeté.",
        ),
        Text(
            "Look into the device; the plan and the ledger say which order and why.",
            "Examiner l'appareil; le plan et le registre précisent l'ordre et le motif.",
        ),
    ),
    Outcome.impossible: OutcomeWords(
        Text("Cannot be done", "Ne peut être fait"),
        Text(
            "Nothing that the platform offers, or that is connected here, can remove or block the app on such a "
            "device. The refusals below give the reason, class by class.",
            "Rien de ce que la plateforme offre, ou de ce qui est relié ici, ne permet de retirer ou de bloquer "
            "l'application sur un tel appareil. Les refus présentés plus bas en donnent le motif, catégorie par "
            "catégorie.",
        ),
        Text(
            "Connect its management system, enrol the device in another way, replace it, or suspend its access.",
            "Relier son système de gestion, inscrire l'appareil autrement, le remplacer ou suspendre son accès.",
        ),
    ),
    Outcome.exempt: OutcomeWords(
        Text("Exempt", "Exemption"),
        Text(
            "The device keeps the app on an approved ground until a set date.",
            "L'appareil conserve l'application pour un motif approuvé, jusqu'à une date fixée.",
        ),
        Text("Review before the exemption ends.", "Réexaminer avant la fin de l'exemption."),
    ),
    Outcome.stale: OutcomeWords(
        Text("Last report too old", "Dernier signalement trop ancien"),
        Text(
            "What is known of the device is too old to say anything about today.",
            "Ce que l'on sait de l'appareil est trop ancien pour en dire quoi que ce soit aujourd'hui.",
        ),
        Text(
            "Find the device: in use, in a drawer, lost or written off?",
            "Retrouver l'appareil : en service, rangé dans un tiroir, perdu ou mis au rebut?",
        ),
    ),
    Outcome.unknown: OutcomeWords(
        Text("Not known", "Indéterminé"),
        Text(
            "The device is known, but its list of apps is not, or an observation does not settle the question.",
            "L'appareil est connu, mais sa liste d'applications ne l'est pas, ou l'observation ne permet pas de "
            "trancher.",
        ),
        Text(
            "Switch on the app report of the management system, then observe again.",
            "Activer le rapport sur les applications du système de gestion, puis observer de nouveau.",
        ),
    ),
}

GROUPS: dict[Group, Text] = {
    Group.verified: Text("Verified", "Vérifié"),
    Group.waiting: Text("Waiting", "En attente"),
    Group.unseen: Text("Not seen", "Non vu"),
    Group.not_done: Text("Not done", "Non fait"),
    Group.exempt: Text("Exempt", "Exempté"),
}

ENROLMENTS: dict[Enrolment, Text] = {
    Enrolment.fully_managed: Text("Android, fully managed", "Android, entièrement géré"),
    Enrolment.cope: Text(
        "Android, organisation-owned with a personal side", "Android, appareil de l'organisation avec un côté personnel"
    ),
    Enrolment.byod: Text("Android, personal with a work profile", "Android, personnel avec profil professionnel"),
    Enrolment.supervised: Text("Apple, supervised", "Apple, supervisé"),
    Enrolment.unsupervised: Text("Apple, not supervised", "Apple, non supervisé"),
    Enrolment.user_enrolment: Text("Apple, personal (User Enrolment)", "Apple, personnel (inscription d'utilisateur)"),
    Enrolment.unmanaged: Text("Not managed", "Non géré"),
    Enrolment.unknown: Text("Enrolment not known", "Mode d'inscription inconnu"),
}

PLATFORMS: dict[Platform, str] = {
    Platform.android: "Android",
    Platform.ios: "iOS, iPadOS",
    Platform.macos: "macOS",
    Platform.windows: "Windows",
    Platform.chromeos: "ChromeOS",
    Platform.unknown: "?",
}

VISIBILITY: dict[Visibility, Text] = {
    Visibility.all_apps: Text("all apps", "toutes les applications"),
    Visibility.user_apps: Text("apps people installed", "applications installées par les utilisateurs"),
    Visibility.work_side: Text("the work side only", "le côté professionnel seulement"),
    Visibility.managed_apps: Text("managed apps only", "les applications gérées seulement"),
    Visibility.nothing: Text("nothing", "rien"),
    Visibility.unknown: Text("not known", "inconnu"),
}

FORCE: dict[Force, Text] = {
    Force.binding: Text("Binding", "Contraignante"),
    Force.recommended: Text("Recommended", "Recommandée"),
    Force.mixed: Text("Binding in part", "Contraignante en partie"),
}

STATES: dict[State, Text] = {
    State.draft: Text("draft", "ébauche"),
    State.in_force: Text("in force", "en vigueur"),
    State.amended: Text("amended", "modifiée"),
    State.superseded: Text("superseded", "remplacée"),
    State.revoked: Text("revoked", "révoquée"),
}

COMPROMISE: dict[Compromise, Text] = {
    Compromise.none_stated: Text(
        "The decision states no finding that information was compromised.",
        "La décision ne fait état d'aucune compromission constatée de renseignements.",
    ),
    Compromise.alleged: Text(
        "The decision alleges that information was compromised.",
        "La décision allègue que des renseignements ont été compromis.",
    ),
    Compromise.confirmed: Text(
        "The decision states that a compromise was confirmed.",
        "La décision indique qu'une compromission a été confirmée.",
    ),
    Compromise.not_addressed: Text(
        "The decision does not say whether information was compromised.",
        "La décision ne précise pas si des renseignements ont été compromis.",
    ),
}
