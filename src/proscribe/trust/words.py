"""What weights and kinds of key are called where people read them."""

from __future__ import annotations

from proscribe.text import Text
from proscribe.trust.model import Storage, Weight

WEIGHTS: dict[Weight, Text] = {
    Weight.counted: Text("counts", "compte"),
    Weight.unknown_key: Text("the key is not on the key list", "la clé ne figure pas à la liste"),
    Weight.wrong_role: Text("has no role that may sign this", "n'a aucun rôle autorisant cette signature"),
    Weight.author: Text("prepared the document, so may not approve it", "a préparé le document et ne peut l'approuver"),
    Weight.expired: Text("the key has expired", "la clé a expiré"),
    Weight.not_yet_valid: Text("the key is not yet valid", "la clé n'est pas encore valide"),
    Weight.revoked: Text("the key was revoked", "la clé a été révoquée"),
    Weight.bad: Text("the signature does not fit the document", "la signature ne correspond pas au document"),
    Weight.same_seat: Text("the seat counts already", "le siège compte déjà"),
    Weight.not_quantum_safe: Text("no ML-DSA-65 signature of this seat", "aucune signature ML-DSA-65 de ce siège"),
}

STORAGES: dict[Storage, Text] = {
    Storage.hardware: Text("hardware token", "jeton matériel"),
    Storage.software_token: Text(
        "software token (weaker: can be copied)", "jeton logiciel (plus faible\u00a0: copie possible)"
    ),
    Storage.encrypted_file: Text(
        "encrypted file (weaker: can be copied)", "fichier chiffré (plus faible\u00a0: copie possible)"
    ),
    Storage.plain_file: Text(
        "plain file (weakest: whoever copies it signs)", "fichier en clair (le plus faible\u00a0: qui le copie signe)"
    ),
}
"""Kinds of key, strongest first; those that can be copied are called weaker."""
