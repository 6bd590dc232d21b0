"""The names of the reasons for refusing, as headings; docs/reference/refusals.md explains each."""

from __future__ import annotations

from proscribe.plan.model import RefusalReason
from proscribe.text import Text

REASONS: dict[RefusalReason, Text] = {
    RefusalReason.protected_app: Text("Protected app", "Application protégée"),
    RefusalReason.low_confidence: Text("Identifier not sure enough", "Identifiant insuffisamment sûr"),
    RefusalReason.exempt_in_shared_scope: Text(
        "Exempt device in a shared policy", "Appareil exempté dans une stratégie partagée"
    ),
    RefusalReason.exempt: Text("Exempt", "Exempté"),
    RefusalReason.records_hold: Text("Records hold: nothing removed", "Mise en suspens : aucun retrait"),
    RefusalReason.limit_removals: Text("Beyond the removal limit", "Au-delà de la limite de retraits"),
    RefusalReason.limit_reach: Text("Beyond the reach limit", "Au-delà de la limite de portée"),
    RefusalReason.impossible: Text("Impossible", "Impossible"),
    RefusalReason.invisible: Text("Cannot be seen", "Invisible"),
    RefusalReason.no_connector: Text("By hand: no connector", "À la main (aucun connecteur)"),
    RefusalReason.preflight: Text("A setting would defeat it", "Un paramètre y ferait échec"),
    RefusalReason.not_reviewed: Text("Target set not reviewed", "Ensemble de cibles non examiné"),
    RefusalReason.stale_inventory: Text("Inventory too old", "Inventaire trop ancien"),
    RefusalReason.not_in_force: Text("Directive not in force", "Directive non en vigueur"),
    RefusalReason.scope_unread: Text("Policy not read", "Stratégie non lue"),
    RefusalReason.no_identifier: Text(
        "No sure identifier for the platform", "Aucun identifiant sûr pour la plateforme"
    ),
    RefusalReason.not_asked: Text("No change asked for", "Aucun changement exigé"),
    RefusalReason.scope_unsure: Text("Not known whether it is concerned", "Assujettissement inconnu"),
}
