"""What can be wrong with a ledger, each with its own code, so that whoever reads an alarm knows what was done."""

from __future__ import annotations

from proscribe.errors import ProscribeError, Where
from proscribe.prove.model import SignedTreeHead
from proscribe.text import Text, number

_KEEP = Text(
    "Keep the database as it is, as evidence, and restore the newest backup to another place.",
    "Conservez la base de données telle quelle, comme preuve, et restaurez ailleurs la sauvegarde la plus récente.",
)


class LedgerFault(ProscribeError):
    """Root of what checking a ledger can find."""

    code = "ledger.fault"


class LedgerRowChanged(LedgerFault):
    """An entry is not what it was when it was appended."""

    code = "ledger.row-changed"


class LedgerRowMissing(LedgerFault):
    """Entries are missing between others."""

    code = "ledger.row-missing"


class LedgerNodeChanged(LedgerFault):
    """An inner node of the stored tree is not the hash of what is below it; the entries are as they were."""

    code = "ledger.node-changed"


class LedgerTruncated(LedgerFault):
    """The newest entries are gone: the ledger is shorter than when a head was signed."""

    code = "ledger.truncated"


class LedgerForked(LedgerFault):
    """The ledger's past is another than when a head was signed."""

    code = "ledger.forked"


class HeadMissing(LedgerFault):
    """A head that the ledger says was signed or witnessed is not there."""

    code = "ledger.head-missing"


class HeadDamaged(LedgerFault):
    """A head that does not carry its log's signature."""

    code = "ledger.head-damaged"


class LogReplaced(LedgerFault):
    """The log's key is another than the one that signed the heads on file."""

    code = "ledger.log-replaced"


def row_changed(first: int, last: int) -> LedgerRowChanged:
    """Entry ``first``, or one of those to ``last``."""
    what = (
        Text(f"entry {first} was changed", f"l'entrée {first} a été modifiée")
        if first == last
        else Text(
            f"one or more of the entries {first} to {last} were changed",
            f"une ou plusieurs des entrées {first} à {last} ont été modifiées",
        )
    )
    return LedgerRowChanged(what, remedy=_KEEP)


def row_missing(first: int, last: int) -> LedgerRowMissing:
    """Entries ``first`` to ``last``."""
    what = (
        Text(f"entry {first} is missing", f"l'entrée {first} manque")
        if first == last
        else Text(f"the entries {first} to {last} are missing", f"les entrées {first} à {last} manquent")
    )
    return LedgerRowMissing(
        what + Text("; what comes after cannot be checked", "; ce qui suit ne peut être vérifié"), remedy=_KEEP
    )


def node_changed(first: int, last: int, *, certain: bool) -> LedgerNodeChanged:
    """The node over entries ``first`` to ``last``; not certain where no later node or head tells it from an entry."""
    what = Text(
        f"the inner node over the entries {first} to {last} was changed",
        f"le nœud interne au-dessus des entrées {first} à {last} a été modifié",
    )
    doubt = Text(
        ", or one of those entries: nothing signed covers them yet",
        ", ou l'une de ces entrées : rien de signé ne les couvre encore",
    )
    return LedgerNodeChanged(what if certain else what + doubt, remedy=_KEEP)


def truncated(head: SignedTreeHead, size: int) -> LedgerTruncated:
    """A head of more entries than there are, itself and its own record included."""
    before, now = number(head.size + 1), number(size)
    return LedgerTruncated(
        Text(
            f"the newest entries are gone: there were at least {before.en} on {_day(head)}, and there are {now.en}",
            f"les entrées les plus récentes ont disparu : il y en avait au moins {before.fr} le {_day(head)}, et il "
            f"y en a {now.fr}",
        ),
        remedy=_CONTINUE,
    )


def orphaned_nodes(size: int, end: int) -> LedgerTruncated:
    """Inner nodes of entries that are no longer there."""
    return LedgerTruncated(
        Text(
            f"the newest entries are gone: the tree reaches to entry {end - 1}, the ledger to {size - 1}",
            f"les entrées les plus récentes ont disparu : l'arbre va jusqu'à l'entrée {end - 1}, le registre jusqu'à "
            f"{size - 1}",
        ),
        remedy=_CONTINUE,
    )


def forked(head: SignedTreeHead, good: int | None = None) -> LedgerForked:
    """A head that the entries do not lead to. ``good``: size of the largest head before it that they lead to."""
    what = Text(
        f"the past was rewritten: the first {head.size} entries are not those signed on {_day(head)}",
        f"le passé a été réécrit : les {head.size} premières entrées diffèrent de ce qui a été signé le {_day(head)}",
    )
    since = (
        Text("", "")
        if good is None
        else Text(f"; the first {good} are as signed", f"; les {good} premières sont telles que signées")
    )
    return LedgerForked(what + since, remedy=_CONTINUE)


def unrecorded(head: SignedTreeHead) -> LedgerForked:
    """A head that the ledger does not know: what came after it was replaced, its own record with it."""
    return LedgerForked(
        Text(
            f"the past was rewritten: entry {head.size} is not the record of the head signed on {_day(head)}",
            f"le passé a été réécrit : l'entrée {head.size} n'est pas la mention de la tête signée le {_day(head)}",
        ),
        remedy=_CONTINUE,
    )


def file_missing(size: int) -> HeadMissing:
    """The file of a head that was signed here."""
    return HeadMissing(
        Text(
            f"heads/ lacks the head of {size} entries, which the ledger says was signed",
            f"il manque dans heads/ la tête de {size} entrées, signée selon le registre",
        ),
        remedy=Text(
            "Put the file back from a backup. After a power failure, 'proscribe ledger head' writes the newest again.",
            "Remettez le fichier à partir d'une sauvegarde. Après une panne de courant, «\u00a0proscribe ledger "
            "head\u00a0» réécrit la plus récente.",
        ),
    )


def witnessed_missing(source: str, size: int) -> HeadMissing:
    """A head of somebody else's log that was kept, and is not there or not as it was."""
    return HeadMissing(
        Text(
            f"the head of {size} entries received from {source} is not in the store as it was",
            f"la tête de {size} entrées reçue de {source} n'est plus telle quelle dans la base de données",
        ),
        remedy=Text(
            f"Restore the database from a backup, or ask {source} for the head again.",
            f"Restaurez la base de données à partir d'une sauvegarde, ou redemandez la tête à {source}.",
        ),
    )


def head_damaged(where: str = "") -> HeadDamaged:
    """A head whose signature does not fit."""
    return HeadDamaged(
        Text("the signature of this head does not fit it", "la signature de cette tête ne concorde pas"),
        remedy=Text(
            "Ask for the head again, or restore the file from a backup.",
            "Redemandez la tête, ou restaurez le fichier à partir d'une sauvegarde.",
        ),
        where=Where(file=where),
    )


def log_replaced(head: SignedTreeHead, log: str, where: str = "") -> LogReplaced:
    """A head on file that another key signed."""
    return LogReplaced(
        Text(
            f"this head is of log {head.log[:16]}; the key here is that of log {log[:16]}",
            f"cette tête provient du registre {head.log[:16]}; la clé en place est celle du registre {log[:16]}",
        ),
        remedy=Text(
            "Restore ledger.key. To begin a new log on purpose, move heads/ away and tell whoever holds a head.",
            "Restaurez ledger.key. Pour ouvrir sciemment un nouveau registre, déplacez heads/ et avisez ceux qui en "
            "détiennent une tête.",
        ),
        where=Where(file=where),
    )


_CONTINUE = Text(
    "Restore a newer backup. If there is none, entries are lost: keep this database as evidence, tell whoever holds a "
    "head, and move ledger.key and heads/ away; a new log begins then.",
    "Restaurez une sauvegarde plus récente. S'il n'y en a pas, des entrées sont perdues : conservez cette base de "
    "données comme preuve, avisez ceux qui détiennent une tête et déplacez ledger.key et heads/; un nouveau registre "
    "s'ouvre alors.",
)


def _day(head: SignedTreeHead) -> str:
    return head.at.isoformat()
