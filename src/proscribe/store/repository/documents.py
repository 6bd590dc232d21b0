"""Documents by digest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import TypeVar

from proscribe.canonical import Digest, digest_bytes
from proscribe.documents import Document, from_json, to_bytes
from proscribe.store.errors import NotStored, StoreDamaged, guarded
from proscribe.store.models import DocumentRow
from proscribe.store.repository.unit import atomic, next_serial, serialise
from proscribe.text import Text

D = TypeVar("D", bound=Document)


class Documents:
    """Every document that a decision rests on, as its canonical bytes. A stored document never changes."""

    @guarded
    def put(self, document: Document, *, subject: str = "", at: datetime) -> Digest:
        """Store a document under its digest. ``subject`` is what it is about, e.g. a directive id.

        Storing it again makes it the newest of its kind and subject, and changes nothing else.
        """
        body = to_bytes(document)
        digest = digest_bytes(body)
        with atomic():
            serialise("ledger")  # one line for both: a transaction writes documents and entries in any order
            DocumentRow.objects.update_or_create(
                digest=digest,
                defaults={
                    "kind": document.KIND,
                    "subject": subject,
                    "stored_at": at,
                    "serial": next_serial(DocumentRow, "serial"),
                    "body": body,
                },
            )
        return digest

    @guarded
    def raw(self, digest: Digest) -> bytes:
        """The canonical bytes. Raises NotStored, or StoreDamaged where they no longer give the digest."""
        row = DocumentRow.objects.filter(digest=digest).first()
        if row is None:
            raise NotStored(
                Text(f"no document {digest} in the store", f"aucun document {digest} dans la base de données"),
                remedy=Text(
                    "Check the digest, or that PROSCRIBE_HOME names the right folder.",
                    "Vérifiez l'empreinte, ou que PROSCRIBE_HOME désigne le bon dossier.",
                ),
            )
        body = bytes(row.body)
        if digest_bytes(body) != digest:
            raise StoreDamaged(
                Text(
                    f"document {digest} was changed in the store",
                    f"le document {digest} a été modifié dans la base de données",
                ),
                remedy=Text(
                    "Restore the database from a backup.", "Restaurez la base de données à partir d'une sauvegarde."
                ),
            )
        return body

    def get(self, cls: type[D], digest: Digest) -> D:
        """The document of that digest. Raises NotStored or StoreDamaged."""
        return from_json(cls, json.loads(self.raw(digest)), source=digest)

    @guarded
    def digests(self, cls: type[Document], *, subject: str | None = None) -> tuple[Digest, ...]:
        """Digests of a kind, newest first; of one subject where it is given."""
        rows = DocumentRow.objects.filter(kind=cls.KIND).order_by("-serial")
        if subject is not None:
            rows = rows.filter(subject=subject)
        return tuple(Digest(value) for value in rows.values_list("digest", flat=True))

    def latest(self, cls: type[D], *, subject: str | None = None) -> D | None:
        """The newest document of a kind and subject; None where there is none."""
        digests = self.digests(cls, subject=subject)
        return self.get(cls, digests[0]) if digests else None

    def all(self, cls: type[D], *, subject: str | None = None) -> Iterator[D]:
        """Documents of a kind, newest first."""
        for digest in self.digests(cls, subject=subject):
            yield self.get(cls, digest)
