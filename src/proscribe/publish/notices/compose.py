"""Notices out of a directive and its decision: one for each audience, complete in both languages or not at all.

A notice never says more than the decision did (DESIGN rule 12). Its words come from named fields of the directive and
the decision; analyst context, the vendor's public statements, the basis of a finding and open questions are not read.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from proscribe.decide.model import Decision
from proscribe.directive.model import Directive, State
from proscribe.documents import digest
from proscribe.errors import Where
from proscribe.publish.notices import departments, ended, public, staff, vendor
from proscribe.publish.notices.gaps import gaps_of, refuse, tidied
from proscribe.publish.notices.model import Audience, Contact, Gap, Notice, NoticeMismatch, Particulars, Section
from proscribe.publish.notices.words import Material
from proscribe.text import Text

_NEEDED = Text("it is missing", "il manque")

LABELS: dict[Audience, Text] = {
    Audience.public: public.LABEL,
    Audience.staff: staff.LABEL,
    Audience.departments: departments.LABEL,
}
"""What a notice is called; that of the vendor depends on whether a decision was taken."""


def compose(
    audience: Audience,
    directive: Directive,
    decision: Decision | None = None,
    *,
    contact: Contact,
    at: datetime,
    more: Particulars | None = None,
) -> Notice:
    """The notice to ``audience``. ``at`` is the moment of writing; where a decision is given, its own moment counts.

    Raises NoticeIncomplete that lists every gap by field, or NoticeMismatch where decision, directive and evidence do
    not belong together.
    """
    material = Material(directive, decision, contact, decision.at if decision else at, more or Particulars())
    _belongs(material)
    refuse(_gaps(audience, material))
    neat = replace(
        material,
        directive=tidied(directive),
        decision=tidied(decision),
        contact=tidied(contact),
        more=tidied(material.more),
    )
    label, lead, sections = _parts(audience, neat)
    notice = Notice(
        audience=audience,
        case=material.more.case or (decision.case if decision else ""),
        directive=directive.id,
        directive_digest=digest(directive),
        decision=digest(decision) if decision else None,
        at=material.at,
        issuer=neat.directive.authority.body,
        label=label,
        title=vendor.title(neat) if audience is Audience.vendor else neat.directive.title,
        lead=lead,
        sections=sections,
        contact=neat.contact,
    )
    refuse(gaps_of("", notice))
    return notice


def _parts(audience: Audience, material: Material) -> tuple[Text, Text, tuple[Section, ...]]:
    """Label, lead and sections."""
    if material.over:
        label = LABELS.get(audience) or vendor.label(material)
        return label, ended.lead(audience), ended.sections(audience, material)
    match audience:
        case Audience.public:
            return LABELS[audience], public.LEAD, public.sections(material)
        case Audience.staff:
            return LABELS[audience], staff.LEAD, staff.sections(material)
        case Audience.departments:
            return LABELS[audience], departments.lead(material), departments.sections(material)
        case Audience.vendor:
            return vendor.label(material), vendor.lead(material), vendor.sections(material)


def _belongs(material: Material) -> None:
    decision, evidence, case = material.decision, material.more.evidence, material.more.case
    if decision is not None and decision.directive != digest(material.directive):
        raise NoticeMismatch(
            Text(
                f"the decision of case {decision.case} was not taken on this version of {material.directive.id}",
                f"la décision du dossier {decision.case} n'a pas été prise sur cette version de "
                f"{material.directive.id}",
            ),
            remedy=Text("Give the directive that was decided on.", "Fournissez la directive visée par la décision."),
            where=Where(field="decision.directive"),
        )
    cases = {one for one in (case, decision.case if decision else "", evidence.case if evidence else "") if one}
    if len(cases) > 1:
        named = ", ".join(sorted(cases))
        raise NoticeMismatch(
            Text(
                f"decision, evidence and notice name different cases: {named}",
                f"la décision, les preuves et l'avis nomment des dossiers différents\u00a0: {named}",
            ),
            remedy=Text("Give the documents of one case.", "Fournissez les documents d'un seul dossier."),
            where=Where(field="case"),
        )


def _gaps(audience: Audience, material: Material) -> list[Gap]:
    """What is missing for this audience, then every text that is used, in both languages."""
    missing = [Gap(field, _NEEDED) for field, there in _needed(audience, material) if not there]
    used = [gap for name, value in _used(audience, material) for gap in gaps_of(name, value)]
    return missing + used


def _needed(audience: Audience, material: Material) -> list[tuple[str, Any]]:
    directive, decision, contact, more = material.directive, material.decision, material.contact, material.more
    owner = "decision" if decision is not None else "directive"
    fields: list[tuple[str, Any]] = [
        ("directive.items", directive.items),
        ("directive.actions", directive.actions),
        (f"{owner}.stated_reasons", material.reasons),
        ("contact.email", contact.email or contact.telephone or contact.address),
    ]
    if audience is Audience.vendor:
        fields.append(("vendor", vendor.addressee(material).en))
        fields.append(("reply_by", vendor.reply_by(more) or vendor.final(material) or material.over))
        if more.evidence is not None and not material.over:
            fields.append(("evidence.claims", vendor.public_claims(more.evidence)))
    else:
        fields.append(("directive.effective", directive.effective))
        # A directive alone may stand for a decision taken elsewhere; in a case the decision is a document of its own.
        fields.append(("decision", decision is not None or not (more.case or directive.state is State.draft)))
    if audience is Audience.departments and not material.over:
        fields += [("acknowledge_by", more.acknowledge_by), ("attest_by", more.attest_by)]
    return fields


_DECIDERS = frozenset({Audience.public, Audience.departments})
"""Whose notices always say who decided."""


def _used(audience: Audience, material: Material) -> list[tuple[str, Any]]:
    """The inputs whose words enter the notice, by the names their authors know."""
    directive, decision, more = material.directive, material.decision, material.more
    owner = "decision" if decision is not None else "directive"
    used: list[tuple[str, Any]] = [
        ("directive.title", directive.title),
        ("directive.authority.body", directive.authority.body),
        ("directive.applies.devices", directive.applies.devices),
        ("directive.applies.entities", directive.applies.entities),
        *((f"directive.items[{i}].wording", one.wording) for i, one in enumerate(directive.items)),
        *((f"directive.items[{i}].carve_outs", one.carve_outs) for i, one in enumerate(directive.items)),
        *((f"directive.actions[{i}].what", one.what) for i, one in enumerate(directive.actions)),
        (f"{owner}.stated_reasons", material.reasons),
        ("contact", material.contact),
    ]
    decided_by = decision.decided_by if decision is not None else directive.authority.decided_by
    legal = decision.legal_basis if decision is not None else directive.authority.legal_basis
    if material.over or audience in _DECIDERS or (audience is Audience.vendor and decision is not None):
        used += [
            (f"{owner}.decided_by" if decision else "directive.authority.decided_by", decided_by),
            (f"{owner}.legal_basis" if decision else "directive.authority.legal_basis", legal),
            ("directive.instrument", directive.instrument),
        ]
    if material.over:
        return used
    if audience is Audience.vendor:
        return used + _of_vendor(more)
    used.append(("directive.applies.exclusions", directive.applies.exclusions))
    if directive.exceptions.stated:
        used.append(("directive.exceptions", directive.exceptions))
    if audience is Audience.staff:
        used.append(("alternatives", more.alternatives))
    return used


def _of_vendor(more: Particulars) -> list[tuple[str, Any]]:
    used: list[tuple[str, Any]] = [("vendor", more.vendor or (more.record and more.record.vendor))]
    if more.evidence is None:
        return used
    for claim in vendor.public_claims(more.evidence):
        used.append((f"evidence.claims[{claim.id}]", claim))
        used += [(f"vendor.responses[{claim.id}]", one) for one in vendor.responses(more, claim)]
        for item in vendor.public_items(more.evidence, claim):
            used += [
                (f"evidence.items[{item.id}].title", item.title),
                (f"evidence.items[{item.id}].does_not_show", item.does_not_show),
            ]
    return used
