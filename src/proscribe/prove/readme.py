"""The README.txt of a bundle: what it is and how to check it with what every computer has."""

from __future__ import annotations

# Plain Python on purpose: the reader shall not have to trust this program.
ROOT_SCRIPT = """\
import hashlib
def sha(b): return hashlib.sha256(b).digest()
def root(h):
    if len(h) < 2: return h[0] if h else sha(b"")
    k = 1
    while 2 * k < len(h): k *= 2
    return sha(b"\\x01" + root(h[:k]) + root(h[k:]))
leaves = [bytes.fromhex(line) for line in open("ledger/leaves.txt")]
import json
for line in open("ledger/entries.jsonl", "rb"):
    assert sha(b"\\x00" + line.rstrip(b"\\n")) == leaves[json.loads(line)["index"]]
print(len(leaves), root(leaves).hex())
"""

_EN = """\
PROOF BUNDLE (la version française suit)

This file shows what became of every device in scope of one directive, and what nobody could see.
Start with report_en.html.

How to check it, without the program that made it
-------------------------------------------------
1. Unpack the file into an empty folder.
2. sha256sum --check SHA256SUMS
   Every line must say OK. (macOS: shasum -a 256 --check SHA256SUMS)
3. The comment of the zip file (unzip -z FILE) names the SHA-256 of manifest.json.
4. The ledger: save the lines below as root.py in the folder and run "python3 root.py".
   It must print the size and the root that manifest.json names as tree_head.

{script}
5. If you noted the tree head of this ledger earlier (size N and root R): the root over the first
   N lines of ledger/leaves.txt must be R. If it is, nothing recorded before was changed since.
6. Count the lines of outcomes.jsonl by "outcome": the sums must be those of counts.json.

7. Where there is a folder named signatures: "envelope" in each of its files is a DSSE envelope,
   which any DSSE tool checks against the public keys in key-list-0001.json. Its payload holds the
   document and who prepared it. Whose keys these are you must know by another way: compare the
   digest of the key list ("of").

With the program: proscribe prove verify FILE [--head N:R] [--key-list DIGEST]

What this does not show
-----------------------
A checksum shows that the file is as it was written, not who wrote it. Ask the organisation for the
tree head by another way (step 5), or for a signed copy of it.
A receipt shows that a management system accepted an order, not that a device obeyed it.
Only an outcome named absent_verified, removed_verified or contained rests on what the device itself
reported afterwards.
"device:..." stands for a device: the first 128 bits of an HMAC-SHA-256 whose key stays with the
organisation. Entries of the ledger about other matters are here as hashes only; someone who can
guess such an entry to the letter can confirm it by its hash, and learns nothing else.
"""

_FR = """\
DOSSIER DE PREUVE (English version above)

Ce fichier montre ce qu'il est advenu de chaque appareil visé par une directive, et ce que personne
n'a pu voir. Commencez par report_fr.html.

Comment le vérifier, sans le programme qui l'a produit
------------------------------------------------------
1. Extrayez le fichier dans un dossier vide.
2. sha256sum --check SHA256SUMS
   Chaque ligne doit indiquer OK. (macOS : shasum -a 256 --check SHA256SUMS)
3. Le commentaire du fichier zip (unzip -z FICHIER) indique le SHA-256 de manifest.json.
4. Le registre : enregistrez les lignes ci-dessous sous le nom root.py dans le dossier, puis lancez
   « python3 root.py ». Le programme doit afficher la taille et la racine que manifest.json donne
   sous tree_head.

{script}
5. Si vous avez noté plus tôt la tête de l'arbre de ce registre (taille N et racine R) : la racine des
   N premières lignes de ledger/leaves.txt doit être R. Si c'est le cas, rien de ce qui était déjà
   consigné n'a été modifié depuis.
6. Comptez les lignes de outcomes.jsonl selon « outcome » : les totaux doivent être ceux de
   counts.json.

7. S'il y a un dossier signatures : « envelope », dans chacun de ses fichiers, est une enveloppe DSSE,
   que tout outil DSSE vérifie à l'aide des clés publiques de key-list-0001.json. Elle contient le
   document et le nom du siège qui l'a préparé. À qui sont ces clés, vous devez le savoir par une
   autre voie : comparez l'empreinte de la liste de clés (« of »).

Avec le programme : proscribe prove verify FICHIER [--head N:R] [--key-list EMPREINTE]

Ce que ce dossier ne montre pas
-------------------------------
Une somme de contrôle montre que le fichier est tel qu'il a été produit, non qui l'a produit.
Demandez à l'organisation la tête de l'arbre par une autre voie (étape 5), ou une copie signée.
Un accusé de réception montre qu'un système de gestion a accepté un ordre, non qu'un appareil y a obéi.
Seuls les résultats absent_verified, removed_verified et contained reposent sur ce que l'appareil a
lui-même signalé par la suite.
« device:... » désigne un appareil : les 128 premiers bits d'un HMAC-SHA-256 dont la clé demeure dans
l'organisation. Les entrées du registre qui portent sur d'autres affaires n'apparaissent que sous forme
d'empreintes; qui pourrait deviner une telle entrée à la lettre près pourrait la confirmer au moyen de
son empreinte, et n'apprendrait rien d'autre.
"""


def readme() -> str:
    """The text, English first, both complete."""
    indented = "".join(f"    {line}\n" for line in ROOT_SCRIPT.splitlines())
    return _EN.replace("{script}", indented) + "\n\n" + _FR.replace("{script}", indented)
