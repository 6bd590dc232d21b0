"""The words of an assessment for people, in both languages: areas, rungs, who must agree, ratings, evidence."""

from __future__ import annotations

from proscribe.assess.profile import EvidenceKind, PackageFormat
from proscribe.assess.rate import words as rate
from proscribe.assess.terms import (
    ActorKind,
    Area,
    Declaration,
    Extent,
    FactClass,
    Grant,
    Ladder,
    Rating,
    SignatureState,
)
from proscribe.terms import Platform
from proscribe.text import Text


def capital(text: Text) -> Text:
    """The text with a capital at its start, in both languages."""
    return Text(text.en[:1].upper() + text.en[1:], text.fr[:1].upper() + text.fr[1:])


RATINGS = rate.RATINGS

SCALE: tuple[Rating, ...] = (Rating.limited, Rating.moderate, Rating.considerable, Rating.pervasive)
"""From least to most. ``inconclusive`` is no rung of it."""

AREAS: dict[Area, Text] = {area: capital(words) for area, words in rate.AREAS.items()}
"""The areas as labels; ``rate.words`` has them as parts of a sentence."""

TILES: dict[Area, tuple[Text, Text]] = {
    Area.contacts: (Text("Contacts", "Contacts"), Text("", "")),
    Area.records: (Text("Calls, texts,", "Appels, textos,"), Text("calendar", "calendrier")),
    Area.location: (Text("Location", "Position"), Text("", "")),
    Area.sensors: (Text("Microphone,", "Microphone,"), Text("camera", "appareil photo")),
    Area.files: (Text("Photos,", "Photos,"), Text("files", "fichiers")),
    Area.screen: (Text("Screen", "Contenu"), Text("content", "de l'écran")),
    Area.interface: (Text("Interface", "Interface"), Text("and input", "et saisie")),
    Area.keyboard: (Text("Keyboard", "Clavier"), Text("", "")),
    Area.notifications: (Text("Notifications", "Notifications"), Text("", "")),
    Area.clipboard: (Text("Clipboard", "Presse-papiers"), Text("", "")),
    Area.apps: (Text("Installed", "Applications"), Text("apps", "installées")),
    Area.identifiers: (Text("Device", "Identifiants"), Text("identifiers", "de l'appareil")),
}
"""The areas that stand on the picture's tiles, broken into lines: SVG does not wrap."""

RUNGS: dict[Ladder, Text] = {
    Ladder.none: Text("no sign found", "aucun signe trouvé"),
    Ladder.declared: Text("asked for, no code found", "demandé, aucun code trouvé"),
    Ladder.referenced: Text("named in the code", "nommé dans le code"),
    Ladder.called: Text("called by the code", "appelé par le code"),
    Ladder.observed: Text("seen happening", "observé"),
}

SHORT_RUNGS: dict[Ladder, Text] = {
    Ladder.none: Text("no sign", "aucun signe"),
    Ladder.declared: Text("asked for", "demandé"),
    Ladder.referenced: Text("named", "nommé"),
    Ladder.called: Text("called", "appelé"),
    Ladder.observed: Text("observed", "observé"),
}

MEANINGS: dict[Ladder, Text] = {
    Ladder.none: Text("no sign of it was found in what could be read", "aucun signe dans ce qui a pu être lu"),
    Ladder.declared: Text(
        "the package asks for it; no code that uses it was found",
        "le paquet le demande; aucun code qui s'en sert n'a été trouvé",
    ),
    Ladder.referenced: Text(
        "its code names the function that does it; no call was found",
        "son code nomme la fonction qui le fait; aucun appel n'a été trouvé",
    ),
    Ladder.called: Text(
        "its code calls the function that does it, at a place that can be looked up in the file",
        "son code appelle la fonction qui le fait, à un endroit vérifiable dans le fichier",
    ),
    Ladder.observed: Text("it was seen happening on a device", "cela a été observé sur un appareil"),
}

GRANTS: dict[Grant, Text] = {
    Grant.automatic: Text("no one is asked", "personne n'est consulté"),
    Grant.prompt: Text("the user, when asked", "l'utilisateur, quand on le lui demande"),
    Grant.special_access: Text("the user, in the settings", "l'utilisateur, dans les paramètres"),
    Grant.administrator: Text("an administrator", "un administrateur"),
    Grant.never: Text("cannot be granted to a store app", "ne peut être accordé à une application de boutique"),
    Grant.unknown: Text("not known", "indéterminé"),
}

SHORT_GRANTS: dict[Grant, Text] = {
    Grant.automatic: Text("no one asked", "sans demander"),
    Grant.prompt: Text("if user agrees", "si on accepte"),
    Grant.special_access: Text("if switched on", "si on l'active"),
    Grant.administrator: Text("administrator", "administrateur"),
    Grant.never: Text("not grantable", "non accordable"),
    Grant.unknown: Text("not known", "indéterminé"),
}

DECLARATIONS: dict[Declaration, Text] = {
    Declaration.declared: Text("declared", "déclaré"),
    Declaration.not_declared: Text("code present, not declared", "code présent, non déclaré"),
    Declaration.not_needed: Text("no declaration needed", "aucune déclaration requise"),
    Declaration.unknown: Text("not known", "indéterminé"),
}

ACTORS: dict[ActorKind, Text] = {
    ActorKind.app: Text("the app", "l'application"),
    ActorKind.sdk: Text("an SDK", "une trousse SDK"),
    ActorKind.unattributed: Text("code nobody claims", "code que personne ne revendique"),
    ActorKind.declaration: Text("declaration alone", "déclaration seule"),
}

FACT_CLASSES: dict[FactClass, Text] = {
    FactClass.container: Text("The package as a file", "Le paquet en tant que fichier"),
    FactClass.manifest: Text("Manifest", "Manifeste"),
    FactClass.signature: Text("Signature", "Signature"),
    FactClass.dex: Text("Code (dex)", "Code (dex)"),
    FactClass.native: Text("Native libraries", "Bibliothèques natives"),
    FactClass.resources: Text("XML of special access", "XML des accès spéciaux"),
    FactClass.splits: Text("Split packages", "Paquets partiels (splits)"),
    FactClass.plist: Text("Property lists", "Listes de propriétés"),
    FactClass.privacy_manifest: Text("Privacy manifests", "Manifestes de confidentialité"),
    FactClass.macho: Text("Code (Mach-O)", "Code (Mach-O)"),
    FactClass.entitlements: Text("Entitlements", "Droits (entitlements)"),
}

EXTENTS: dict[Extent, Text] = {
    Extent.complete: Text("read whole", "lu en entier"),
    Extent.partial: Text("read in part", "lu en partie"),
    Extent.hidden: Text("encrypted or packed: cannot be read", "chiffré ou empaqueté : illisible"),
    Extent.failed: Text("could not be read", "n'a pas pu être lu"),
    Extent.absent: Text("the package has none", "le paquet n'en contient pas"),
    Extent.not_applicable: Text("not applicable", "sans objet"),
}

SIGNATURES: dict[SignatureState, Text] = {
    SignatureState.verified: Text("verified", "vérifiée"),
    SignatureState.failed: Text("FAILED", "ÉCHEC"),
    SignatureState.absent: Text("absent", "absente"),
    SignatureState.not_checked: Text("not checked", "non vérifiée"),
}

EVIDENCE: dict[EvidenceKind, Text] = {
    EvidenceKind.permission: Text("permission", "autorisation"),
    EvidenceKind.component: Text("component", "composant"),
    EvidenceKind.special_access: Text("special access", "accès spécial"),
    EvidenceKind.network_config: Text("network security settings", "paramètres de sécurité réseau"),
    EvidenceKind.manifest: Text("manifest attribute", "attribut du manifeste"),
    EvidenceKind.query: Text("package query", "requête de paquets"),
    EvidenceKind.call: Text("call", "appel"),
    EvidenceKind.field: Text("field", "champ"),
    EvidenceKind.string: Text("string", "chaîne"),
    EvidenceKind.callback: Text("callback", "rappel"),
    EvidenceKind.reference: Text("reference, no call found", "référence, aucun appel trouvé"),
    EvidenceKind.native_import: Text("native import", "importation native"),
    EvidenceKind.class_prefix: Text("classes under a prefix", "classes sous un préfixe"),
    EvidenceKind.native_library: Text("native library", "bibliothèque native"),
    EvidenceKind.plist: Text("property list key", "clé de liste de propriétés"),
    EvidenceKind.entitlement: Text("entitlement", "droit (entitlement)"),
    EvidenceKind.privacy_manifest: Text("privacy manifest", "manifeste de confidentialité"),
    EvidenceKind.macho_import: Text("Mach-O import", "importation Mach-O"),
    EvidenceKind.macho_library: Text("Mach-O library", "bibliothèque Mach-O"),
    EvidenceKind.encryption: Text("encryption", "chiffrement"),
    EvidenceKind.measure: Text("count over all the code", "décompte sur tout le code"),
    EvidenceKind.observed: Text("observation", "observation"),
}

RELATIONS: dict[str, Text] = {
    "signer": Text("signed by this publisher", "signé par cet éditeur"),
    "identifier": Text(
        "the name is this publisher's; no certificate is known to compare with",
        "le nom est celui de cet éditeur; aucun certificat n'est connu à des fins de comparaison",
    ),
    "lookalike": Text(
        "LOOK-ALIKE: the name is this publisher's, the signature is not",
        "SOSIE : le nom est celui de cet éditeur, la signature ne l'est pas",
    ),
}

PLATFORMS: dict[Platform, str] = {Platform.android: "Android", Platform.ios: "iOS"}

FORMATS: dict[PackageFormat, str] = {
    PackageFormat.apk: "APK",
    PackageFormat.xapk: "XAPK",
    PackageFormat.apks: "APKS",
    PackageFormat.apkm: "APKM",
    PackageFormat.ipa: "IPA",
}
