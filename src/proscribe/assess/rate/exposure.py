"""The second axis: which companies, in which countries, could be made to use the access. Never added to the first.

Three facts of a host stay apart: the country of its operator, what its name's ending stands for, and where its server
stands (known only from supplied answers, so "" here).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from proscribe.assess.gathered import Gathered
from proscribe.assess.packs.library import Packs
from proscribe.assess.packs.model import OperatorRow
from proscribe.assess.profile import CountryExposure, Exposure, HostView, Operator, PublisherMatch, SdkPresence
from proscribe.catalogue.library import Catalogue
from proscribe.text import Text

HOSTS_SHOWN = 500

_NAMED = {"signer": "publisher", "identifier": "publisher by name only"}


def exposure(
    gathered: Gathered,
    packs: Packs,
    matches: Sequence[PublisherMatch],
    sdks: Sequence[SdkPresence],
    library: Catalogue,
) -> Exposure:
    """Publisher, SDK vendors and operators of hosts, with the countries they answer to."""
    hosts = _hosts(gathered, packs)
    publisher = _publisher(matches, packs, library) or _by_name(gathered, packs)
    return Exposure(
        publisher=publisher[1] if publisher else None,
        countries=_countries(packs, publisher, sdks, hosts),
        hosts=tuple(_view(one, packs) for one in hosts[:HOSTS_SHOWN]),
        hosts_total=len(hosts),
        unattributed_hosts=sum(one.operator is None for one in hosts),
    )


Named = tuple[str, Operator]
"""How the publisher is known (``signer`` or ``identifier``), and who it is."""


def _publisher(matches: Sequence[PublisherMatch], packs: Packs, library: Catalogue) -> Named | None:
    """By the catalogue of publishers: a verified signer before a mere name. A look-alike is nobody's publisher."""
    order = list(_NAMED)
    known = [one for one in matches if one.relation in order]
    match = min(known, key=lambda one: (order.index(one.relation), one.publisher, one.product), default=None)
    if match is None:
        return None
    row = min((row for row in packs.operators.values() if row.publisher == match.publisher), key=_id, default=None)
    if row is not None:
        return match.relation, operator(row)
    if match.publisher not in library.publisher_ids():
        return None
    entry = library.publisher(match.publisher)
    return match.relation, Operator(entry.id, entry.name, entry.country_of_control, source="catalogue")


def _by_name(gathered: Gathered, packs: Packs) -> Named | None:
    """By the SDK catalogue, where the app's own name stands under a vendor's prefix: a name, and no more than that."""
    app_id = gathered.android.package if gathered.android else gathered.ios.bundle_id if gathered.ios else ""
    row = packs.sdk_of(app_id)
    if row is None or row.operator not in packs.operators:
        return None
    return "identifier", operator(packs.operators[row.operator])


def _id(row: OperatorRow) -> str:
    return row.id


def operator(row: OperatorRow) -> Operator:
    """A row of the pack as a report shows it."""
    return Operator(row.id, row.name, row.country, row.parent, row.since, row.source)


@dataclass(frozen=True, slots=True)
class _Host:
    """A host of the package, before it is decided whether it is shown."""

    host: str
    members: tuple[str, ...]
    operator: OperatorRow | None


def _hosts(gathered: Gathered, packs: Packs) -> list[_Host]:
    """Hosts named in the package, those of known operators first. Names that are mere namespaces are left out."""
    members: dict[str, set[str]] = defaultdict(set)
    for host in gathered.code.hosts:
        members[host.host].add(host.member)
    named = []
    for name, where in members.items():
        if not packs.is_namespace(name):
            known = packs.operator_of(name)
            named.append(_Host(name, tuple(sorted(where)), known[1] if known else None))
    return sorted(named, key=lambda one: (one.operator is None, one.host.split(".")[::-1]))


def _view(named: _Host, packs: Packs) -> HostView:
    return HostView(
        host=named.host,
        domain=packs.domain_of(named.host),
        operator=named.operator.name if named.operator else "",
        country=named.operator.country if named.operator else "",
        tld_country=packs.tld_country(named.host),
        server_country="",
        members=named.members,
    )


def _countries(
    packs: Packs,
    publisher: Named | None,
    sdks: Sequence[SdkPresence],
    hosts: Sequence[_Host],
) -> tuple[CountryExposure, ...]:
    through: dict[str, list[str]] = defaultdict(list)
    for country, way in _ways(packs, publisher, sdks, hosts):
        if country and way not in through[country]:
            through[country].append(way)
    # In the order in which the ways name them: through the publisher, then SDKs, then hosts.
    return tuple(_country(packs, country, tuple(ways)) for country, ways in through.items() if ways)


def _ways(
    packs: Packs,
    publisher: Named | None,
    sdks: Sequence[SdkPresence],
    hosts: Sequence[_Host],
) -> Iterator[tuple[str, str]]:
    if publisher is not None:
        relation, company = publisher
        yield company.country, f"{_NAMED[relation]}: {company.name}"
        for owner in packs.owners(company.parent):
            yield owner.country, f"owner of {company.name}: {owner.name}"
    for sdk in sorted(sdks, key=lambda one: (one.country, one.name)):
        row = packs.sdks.get(sdk.id)
        if row is None or not row.operator:
            continue  # code that needs nobody's service: its maker receives nothing that could be asked for
        yield sdk.country, f"sdk: {sdk.name} ({sdk.vendor})"
    for (country, name), count in sorted(_per_operator(hosts).items()):
        yield country, f"hosts: {count} of {name}"


def _per_operator(hosts: Sequence[_Host]) -> dict[tuple[str, str], int]:
    counted: dict[tuple[str, str], int] = defaultdict(int)
    for host in hosts:
        if host.operator is not None:
            counted[host.operator.country, host.operator.name] += 1
    return counted


def _country(packs: Packs, country: str, through: tuple[str, ...]) -> CountryExposure:
    row = packs.jurisdictions.get(country)
    return CountryExposure(
        country=country,
        name=row.name if row else Text(country, country),
        through=through,
        laws=row.laws if row else (),
        sources=(_where(packs, row.source),) if row else (),
    )


def _where(packs: Packs, source: str) -> str:
    """Where the law itself can be read, as the pack's list of sources says; its short name where that says nothing."""
    header = packs.headers.get("jurisdictions")
    return next((one.where for one in header.sources if one.id == source and one.where), source) if header else source
