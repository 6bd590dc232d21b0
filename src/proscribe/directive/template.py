"""A directive to start from: every field that matters, explained in a comment, valid from the first save."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from proscribe.catalogue.library import Catalogue
from proscribe.catalogue.model import Selector, SelectorKind

_BREADTHS = {
    SelectorKind.product: "product",
    SelectorKind.suite: "suite",
    SelectorKind.publisher: "publisher_wide",
    SelectorKind.category: "category",
}


def template(directive_id: str, selectors: Sequence[Selector], catalogue: Catalogue, *, today: date) -> str:
    """YAML of a draft directive that bans ``selectors``.

    What stands in brackets is to be written by people, in both languages; the draft validates, and keeps doing so as a
    draft until they are replaced.
    """
    items = "".join(_item(selector, catalogue) for selector in selectors)
    return _TEMPLATE.format(id=directive_id, today=today.isoformat(), items=items)


def _item(selector: Selector, catalogue: Catalogue) -> str:
    platform = f", platform: {selector.platform}" if selector.platform else ""
    return f"""- publisher: "{_publisher(selector, catalogue)}"  # id in the catalogue; "" for a rule without one
  wording:  # the app as the text of the decision names it
    en: "[The app as the decision names it]"
    fr: "[L'application telle que la décision la nomme]"
  breadth: {_BREADTHS.get(selector.kind, "list")}  # product | suite | publisher_wide | category | list
  selectors:  # what it means on a device; see 'proscribe catalogue resolve'
  - {{kind: {selector.kind}, value: "{selector.value}"{platform}}}
  # included | excluded | unstated. "unstated" is an answer of its own: nothing is acted upon.
  successors: unstated
  web_access: unstated
  embedded_components: unstated
"""


def _publisher(selector: Selector, catalogue: Catalogue) -> str:
    if selector.kind in (SelectorKind.product, SelectorKind.suite, SelectorKind.publisher):
        publisher = selector.value.partition("/")[0]
        if publisher in catalogue.publisher_ids():
            return publisher
    return ""


_TEMPLATE = """\
# A directive is a decision about apps. Text in [brackets] is to be written, in English and French alike.
# Check it at any time:  proscribe directive validate FILE
kind: proscribe.directive
schema: 1
id: {id}
version: 1  # raise it with every change after signature
title:
  en: "[Title of the ban]"
  fr: "[Titre de l'interdiction]"
state: draft  # draft | in_force | amended | superseded | revoked
force: binding  # binding | recommended | mixed: many well-known "bans" only recommend
authority:
  body:
    en: "[Body that decides]"
    fr: "[Organisme qui décide]"
  jurisdiction: CA  # ISO 3166, such as CA or CA-QC
  decided_by:  # a role, not a person's name
    en: "[Role that decides]"
    fr: "[Fonction de la personne qui décide]"
  legal_basis:
  - en: "[Act, policy or delegation it rests on]"
    fr: "[Loi, politique ou délégation qui la fonde]"
instrument:
  en: "[Kind of text: notice, direction, memorandum]"
  fr: "[Type de texte : avis, instruction, note de service]"
announced: {today}
effective: {today}          # days begin and end in UTC
applies:
  devices:
    en: "[Which devices]"
    fr: "[Quels appareils]"
  entities:
    en: "[Which organisations]"
    fr: "[Quelles organisations]"
  byod: excluded  # included | excluded | unstated: personal devices
  platforms: [android, ios]
  # Our reading of "devices" in the terms of an inventory; add byod and user_enrolment only if byod is included.
  enrolments: [fully_managed, cope, supervised, unsupervised]
items:
{items}actions:  # what must be done; give days and the date they lead to
- verb: preserve
  what:
    en: "[Capture the records of business value first, since removal deletes them]"
    fr: "[Conserver d'abord les documents à valeur opérationnelle, car le retrait les efface]"
- verb: remove
  what:
    en: "[Remove the app]"
    fr: "[Retirer l'application]"
- verb: block_install
  what:
    en: "[Keep the app out]"
    fr: "[Empêcher le retour de l'application]"
  standard: prevent  # prohibit: words on paper | prevent: a technical control | unstated
exceptions:
  stated: true  # false means that the text has no process, not that no exception is allowed
  grounds:
  - en: "[Ground on which a device may keep the app]"
    fr: "[Motif pour lequel un appareil peut conserver l'application]"
  approver:
    en: "[Role that approves]"
    fr: "[Fonction de la personne qui approuve]"
  delegable: false
  blanket_allowed: false  # never a whole organisation at once
  max_days: 365  # a year at most
# Only what the authority itself states. A notice never says more than this.
stated_reasons:
- en: "[Reason that the authority states]"
  fr: "[Motif que l'autorité énonce]"
# What analysts add stays apart and out of every notice.
analyst_context: []
compromise_found: not_addressed  # none_stated | alleged | confirmed | not_addressed
# Required unless not_addressed, as the authority put it:
# compromise_basis: {{en: "...", fr: "..."}}
# What the publisher answered, and when it was asked:
# vendor_response: {{en: "...", fr: "..."}}
ambiguities: []  # where the text reads in two ways: question and reading, each in both languages
unverified: []
# Set it: almost no ban says when it is looked at again.
# review_on: 2027-01-31
# expires_on: 2027-12-31
confidence: medium  # of this record of the text: high | medium | low
sources:
- {{url: "[Address or file number of the decision]", kind: primary}}  # primary | copy | secondary
"""
