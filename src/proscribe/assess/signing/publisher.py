"""Whether a package's signer, or the name it goes by, is somebody's that the catalogue knows.

Three relations, told apart because they prove different things: ``signer`` (a verified certificate, or the Apple team,
is the publisher's), ``identifier`` (the app id is its product's and nothing shows who made the file), ``lookalike``
(id or name are its product's, or nearly, and what is known speaks against it).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from proscribe.assess.profile import PublisherMatch
from proscribe.catalogue.identifiers import APPLE
from proscribe.catalogue.library import Catalogue
from proscribe.catalogue.model import Confidence, Identifier, IdentifierType, Product, Publisher
from proscribe.catalogue.protected import is_protected
from proscribe.catalogue.skeleton import plain, skeleton
from proscribe.terms import Platform
from proscribe.text import Text

SIGNER, IDENTIFIER, LOOKALIKE = "signer", "identifier", "lookalike"

_IDS = {Platform.android: IdentifierType.android_package, Platform.ios: IdentifierType.ios_bundle_id}
_GLOBS = {Platform.android: IdentifierType.android_package_glob, Platform.ios: IdentifierType.ios_bundle_glob}
# Shorter names and ids are words, and one edit away from a word there is mostly another word.
_NEAR_NAME = 6
_NEAR_ID = 10
_SHOWN = 120


@dataclass(frozen=True, slots=True)
class _App:
    """What is known of the package that is asked about."""

    platform: Platform
    app_id: str
    name: str
    signers: frozenset[str]
    md5s: frozenset[str]
    team: str

    @property
    def signed(self) -> bool:
        return bool(self.team if self.platform in APPLE else self.signers)

    def is_id(self, value: str) -> bool:
        """Apple's ids are compared without case, Android's with it."""
        return self.app_id == value or (self.platform in APPLE and self.app_id.lower() == value.lower())


def match_publisher(
    signers: Sequence[str],
    team_id: str,
    app_id: str,
    app_name: str,
    platform: Platform,
    library: Catalogue,
    md5s: Sequence[str] = (),
) -> tuple[PublisherMatch, ...]:
    """What the catalogue knows of who made a package: at most one match for each publisher, signers first.

    ``signers``: SHA-256 (hex) of verified certificates only; ``md5s``: MD5 of the same, which can give a lead at most.
    ``team_id``: as signed into an Apple binary, "" for Android.
    """
    app = _App(platform, app_id, app_name, frozenset(signers), frozenset(md5s), team_id)
    by_signer = {publisher.id: match for publisher in library.publishers for match in _by_signer(app, publisher)}
    known = any(_has_id(app, product) for _, product in library.products())
    signed_by = next((library.publisher(one).name for one in by_signer), "")
    claims = []
    for publisher in library.publishers:
        if publisher.id not in by_signer:
            claim = _by_id(app, publisher, signed_by) or _by_look(app, publisher, id_is_known=known)
            claims += [claim] if claim else []
    claims.sort(key=lambda match: (match.relation != IDENTIFIER, match.publisher))
    return (*by_signer.values(), *claims)


# ---- who signed ----------------------------------------------------------------------------------------------------


def _by_signer(app: _App, publisher: Publisher) -> Iterator[PublisherMatch]:
    """One match where a verified certificate, or the team, is the publisher's."""
    for _, label, identifier in _owned(publisher):
        basis = _signer_basis(app, identifier, label)
        if basis is not None:
            product = next((product for product in publisher.products if _has_id(app, product)), None)
            if product is None and app.app_id:
                basis += Text(
                    " The identifier is that of none of its products that the catalogue knows.",
                    " L'identifiant n'est celui d'aucun de ses produits que connaît le catalogue.",
                )
            yield PublisherMatch(publisher.id, product.id if product else "", SIGNER, basis)
            return


def _owned(publisher: Publisher) -> Iterator[tuple[str, str, Identifier]]:
    """All identifiers of a publisher, with the id ("" for none) and the name of the product that each is of."""
    yield from (("", publisher.name, one) for one in publisher.identifiers)
    yield from ((product.id, product.name, one) for product in publisher.products for one in product.identifiers)


def _signer_basis(app: _App, identifier: Identifier, label: str) -> Text | None:
    value = identifier.value
    if identifier.type is IdentifierType.android_cert_sha256 and value in app.signers:
        return Text(
            f"The verified certificate {value[:16]}… is one that the catalogue knows for {label}.",
            f"Le certificat vérifié {value[:16]}… est l'un de ceux que le catalogue connaît pour {label}.",
        ) + _doubt(identifier)
    if identifier.type is IdentifierType.apple_team_id and app.platform in APPLE and value == app.team:
        return Text(
            f"The team {value} written in the binary is one that the catalogue knows for {label}; "
            "Apple's signature itself was not verified.",
            f"L'équipe {value} inscrite dans le binaire est l'une de celles que le catalogue connaît pour {label}; "
            "la signature d'Apple elle-même n'a pas été vérifiée.",
        ) + _doubt(identifier)
    return None


def _doubt(identifier: Identifier) -> Text:
    """What the catalogue itself does not hold for certain."""
    if identifier.conflict:
        return Text(
            " The catalogue's sources contradict each other on this value.",
            " Les sources du catalogue se contredisent sur cette valeur.",
        )
    if identifier.confidence is Confidence.high:
        return Text("", "")
    return Text(
        " The catalogue does not hold this value for certain.", " Le catalogue ne tient pas cette valeur pour certaine."
    )


# ---- whose identifier ----------------------------------------------------------------------------------------------


def _has_id(app: _App, product: Product) -> bool:
    return _id_of(app, product) is not None


def _id_of(app: _App, product: Product) -> Identifier | None:
    """The exact identifier of the product on this platform that the app goes by."""
    kind = _IDS.get(app.platform)
    return next((one for one in product.identifiers if one.type is kind and app.is_id(one.value)), None)


def _by_id(app: _App, publisher: Publisher, signed_by: str) -> PublisherMatch | None:
    for product in publisher.products:
        identifier = _id_of(app, product)
        if identifier is not None:
            return _claimed_id(app, publisher, product, signed_by, _doubt(identifier))
    for product_id, _, identifier in _owned(publisher):
        prefix = identifier.value.removesuffix("*")
        if identifier.type is _GLOBS.get(app.platform) and app.app_id.startswith(prefix):
            basis = Text(
                f"The identifier {app.app_id} begins as those of {publisher.name} do ({identifier.value}); "
                "anyone may use such a name.",
                f"L'identifiant {app.app_id} commence comme ceux de {publisher.name} ({identifier.value}); "
                "n'importe qui peut employer un tel nom.",
            )
            return PublisherMatch(publisher.id, product_id, IDENTIFIER, basis)
    return None


def _claimed_id(app: _App, publisher: Publisher, product: Product, signed_by: str, doubt: Text) -> PublisherMatch:
    """The id is the product's and the publisher's known certificates did not sign: proof against, or no proof."""
    head = Text(
        f"The identifier {app.app_id} is that of {product.name}",
        f"L'identifiant {app.app_id} est celui de {product.name}",
    )
    relation = IDENTIFIER
    if not app.signed:
        tail = Text(
            ", but no signature of the file was shown to hold: anyone could have made it.",
            ", mais aucune signature du fichier ne s'est révélée valide : n'importe qui pourrait l'avoir produit.",
        )
    elif signed_by:
        relation = LOOKALIKE
        tail = Text(f", but the signer is {signed_by}.", f", mais le signataire est {signed_by}.")
    elif _signer_known(app, publisher, product):
        relation = LOOKALIKE
        tail = Text(
            ", but who signed it is none of the signers known for it.",
            ", mais le signataire n'est aucun de ceux qu'on lui connaît.",
        )
    else:
        tail = Text(
            f"; the catalogue knows no signer to compare with, so nothing shows that {publisher.name} made it.",
            f"; le catalogue ne connaît aucun signataire de comparaison : rien ne montre que {publisher.name} "
            "a produit ce fichier.",
        ) + _md5_lead(app, product)
    return PublisherMatch(publisher.id, product.id, relation, head + tail + doubt)


def _signer_known(app: _App, publisher: Publisher, product: Product) -> bool:
    """Whether the catalogue knows signers of this very product on this platform, all of them without doubt."""
    kind = IdentifierType.apple_team_id if app.platform in APPLE else IdentifierType.android_cert_sha256
    return any(
        one.type is kind and one.confidence is not Confidence.low and not one.conflict
        for one in (*publisher.identifiers, *product.identifiers)
        # A maker may have a team for its phones and another for its computers.
        if one.platform in (app.platform, Platform.unknown)
    )


def _md5_lead(app: _App, product: Product) -> Text:
    known = {one.value for one in product.identifiers if one.type is IdentifierType.android_cert_md5}
    if not known or not app.md5s or app.platform is not Platform.android:
        return Text("", "")
    if known & app.md5s:
        return Text(
            " The MD5 fingerprint of the certificate is the one known for it: a lead, not proof.",
            " L'empreinte MD5 du certificat est celle qu'on lui connaît : une piste, pas une preuve.",
        )
    return Text(
        " The MD5 fingerprint of the certificate is not the one known for it: a lead that somebody else made the file.",
        " L'empreinte MD5 du certificat n'est pas celle qu'on lui connaît : une piste, qui donne à "
        "penser qu'un tiers a produit le fichier.",
    )


# ---- what looks like it --------------------------------------------------------------------------------------------


def _by_look(app: _App, publisher: Publisher, *, id_is_known: bool) -> PublisherMatch | None:
    """The first product whose id or name this app's is, or nearly is, although the id is another."""
    if app.app_id and is_protected(app.platform, app.app_id) is not None:
        return None
    for product in publisher.products:
        basis = None if id_is_known else _near_id(app, product)
        basis = basis or _same_look(app, product)
        if basis is not None:
            return PublisherMatch(publisher.id, product.id, LOOKALIKE, basis)
    return None


def _near_id(app: _App, product: Product) -> Text | None:
    looks = skeleton(app.app_id)
    for identifier in product.identifiers:
        if identifier.type is _IDS.get(app.platform) and looks:
            wanted = skeleton(identifier.value)
            if looks == wanted or (len(wanted) >= _NEAR_ID and nearly_same(looks, wanted)):
                return Text(
                    f"The identifier {_show(app.app_id)} looks like {identifier.value}, that of {product.name}, "
                    "and is another.",
                    f"L'identifiant {_show(app.app_id)} ressemble à {identifier.value}, celui de {product.name}, "
                    "et en est un autre.",
                )
    return None


def _same_look(app: _App, product: Product) -> Text | None:
    wanted = plain(app.name)
    if not wanted or not any(one.type is _IDS.get(app.platform) for one in product.identifiers):
        return None
    looks = skeleton(app.name)
    for name in dict.fromkeys((product.name, *product.names)):
        if plain(name) == wanted:
            return Text(
                f"The name “{_show(app.name)}” is that of {product.name}, while the identifier {_show(app.app_id)} is "
                "none that the catalogue knows for it.",
                f"Le nom « {_show(app.name)} » est celui de {product.name}, alors que "
                f"l'identifiant {_show(app.app_id)} n'est aucun de ceux que le catalogue lui connaît.",
            )
        theirs = skeleton(name)
        if theirs and (looks == theirs or (len(theirs) >= _NEAR_NAME and nearly_same(looks, theirs))):
            return Text(
                f"The name “{_show(app.name)}” looks like “{name}” and is another.",
                f"Le nom « {_show(app.name)} » ressemble à « {name} » et en est un autre.",
            )
    return None


def nearly_same(one: str, other: str) -> bool:
    """Whether two keys differ by one edit, or by two neighbours that changed places, strictly inside.

    Imitations keep both ends; what differs at an end is mostly another edition or another word.
    """
    if one == other or not one or not other or one[0] != other[0] or one[-1] != other[-1]:
        return False
    if len(one) == len(other):
        places = [at for at, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
        if len(places) == 2 and places[1] == places[0] + 1:
            return one[places[0]] == other[places[1]] and one[places[1]] == other[places[0]]
        return len(places) == 1
    if abs(len(one) - len(other)) > 1:
        return False
    short, long = sorted((one, other), key=len)
    place = next((at for at, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    return short[place:] == long[place + 1 :]


def _show(text: str) -> str:
    """Text out of a package, fit for a sentence."""
    shown = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
    return shown if len(shown) <= _SHOWN else shown[: _SHOWN - 1] + "…"
