"""The pack of hosts: valid domains, known operators, and names that are no hosts kept apart."""

from __future__ import annotations

import re

import pytest
from publicsuffixlist import PublicSuffixList

from proscribe.assess.packs.library import NAMESPACE
from proscribe.catalogue.library import load

PURPOSES = {
    "", "ads", "analytics", "antifraud", "api", "attribution", "bankaccess", "biometrics", "calls", "cdn",
    "certificates", "cloud", "consent", "crash", "dns", "framework", "games", "iot", "links", "location", "login",
    "maps", "messaging", "namespace", "payment", "performance", "platform", "push", "replay", "scanner", "social",
    "speech", "store", "support", "webview",
}  # fmt: skip
RESERVED = {"localhost", "test", "invalid", "example"}  # RFC 6761
SHARED = {"cloud", "cdn", "api", "platform"}  # purposes of domains that customers get names under


@pytest.fixture(scope="module")
def hosts(packs):
    return packs.hosts


def test_there_are_enough(hosts):
    assert sum(1 for row in hosts.values() if row.operator) >= 300
    assert sum(1 for row in hosts.values() if row.purpose == NAMESPACE) >= 50


def test_every_host_is_a_domain_in_ascii_and_lower_case(hosts):
    label = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
    for domain, row in hosts.items():
        assert domain in RESERVED or re.fullmatch(rf"{label}(\.{label})+", domain), domain
        assert row.purpose in PURPOSES, row
        assert bool(row.operator) != (row.purpose == NAMESPACE), row


def test_no_host_is_a_public_suffix(hosts):
    """A row for ``co.uk`` would give half a country to one company."""
    official = PublicSuffixList(only_icann=True)
    everything = PublicSuffixList()
    for domain in hosts.keys() - RESERVED:
        assert official.privatesuffix(domain), domain
    for domain, row in hosts.items():
        if domain not in RESERVED and everything.privatesuffix(domain) is None:
            assert row.purpose in SHARED, f"{domain}: names under it belong to customers, the row must say so"


def test_every_domain_of_the_catalogue_is_here_under_its_publisher(packs):
    catalogue = load()
    found = 0
    for publisher in catalogue.publishers:
        identifiers = [*publisher.identifiers, *(one for product in publisher.products for one in product.identifiers)]
        for identifier in identifiers:
            if identifier.type == "domain":
                known = packs.operator_of(identifier.value)
                assert known is not None, identifier.value
                assert known[1].publisher == publisher.id, identifier.value
                found += 1
    assert found > 40


@pytest.mark.parametrize(
    ("host", "operator"),
    [
        ("log.tbs.qq.com", "tencent"),
        ("android.bugly.qq.com", "tencent"),
        ("cfg.imtt.qq.com", "tencent"),
        ("mazu.3g.qq.com", "tencent"),
        ("short.weixin.qq.com", "tencent"),
        ("hmma.baidu.com", "baidu"),
        ("ulogs.umeng.com", "umeng"),
        ("amdc.m.taobao.com", "alibaba"),
        ("log.snssdk.com", "bytedance"),
        ("data.hicloud.com", "huawei"),
        ("startup.mobile.yandex.net", "yandex"),
        ("api.vk.com", "vk"),
        ("ds.kaspersky.com", "kaspersky"),
        ("graph.facebook.com", "meta"),
        ("t.appsflyer.com", "appsflyer"),
        ("firebaselogging-pa.googleapis.com", "google"),
        ("kaspersky-safe-kids.firebaseio.com", "kaspersky"),
        ("other.firebaseio.com", "google"),
        ("qq.com.evil.test", None),
        ("myqq.com", None),
    ],
)
def test_hosts_seen_in_packages_have_their_operator(packs, host, operator):
    known = packs.operator_of(host)
    assert (known[1].id if known else None) == operator


@pytest.mark.parametrize(
    "name",
    ["schemas.android.com", "www.w3.org", "ns.adobe.com", "example.com", "www.example.org", "localhost", "xmlpull.org"],
)
def test_namespaces_do_not_count_as_hosts(packs, name):
    assert packs.is_namespace(name)
    assert packs.operator_of(name) is None


def test_a_namespace_does_not_hide_the_operator_around_it(packs):
    """``ns.adobe.com`` labels XMP; the rest of ``adobe.com`` is a company's."""
    assert packs.operator_of("sstats.adobe.com")[1].id == "adobe"
    assert packs.operator_of("play.google.com")[1].id == "google"


def test_more_specific_rows_agree_with_the_wider_one(packs, hosts):
    """A host under a company's own domain is that company's, or of its house, or a namespace."""
    for domain, row in hosts.items():
        if not row.operator:
            continue
        wider = packs.host_row(domain.partition(".")[2])
        if wider is not None and wider.operator:
            houses = [{one.id for one in packs.owners(operator)} for operator in (row.operator, wider.operator)]
            assert houses[0] & houses[1] or wider.purpose in {"cloud", "cdn", "platform", "api"}, domain
