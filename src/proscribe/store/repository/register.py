"""Exemptions, records holds and the emergency stop: the registers that people keep by hand."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime

from proscribe.canonical import canonical_bytes
from proscribe.documents import from_json, to_json
from proscribe.errors import ProscribeError
from proscribe.plan.model import Exemption, ExemptionRegister, Hold, HoldRegister
from proscribe.store.errors import NotStored, guarded
from proscribe.store.models import ExemptionRow, FreezeRow, HoldRow
from proscribe.store.repository.unit import atomic
from proscribe.text import Text


class ExemptionExists(ProscribeError):
    """An exemption of that id was recorded before, with other words."""

    code = "store.exemption-exists"


class Exemptions:
    """The exemption register."""

    @guarded
    def add(self, exemption: Exemption, *, at: datetime) -> bool:
        """Record an exemption; False where the very same one is there already. Raises ExemptionExists."""
        body = canonical_bytes(to_json(exemption))
        with atomic():
            row = ExemptionRow.objects.filter(id=exemption.id).first()
            if row is not None:
                if bytes(row.body) == body:
                    return False
                raise ExemptionExists(
                    Text(
                        f"an exemption {exemption.id} exists with other terms",
                        f"une exemption {exemption.id} existe déjà avec d'autres modalités",
                    ),
                    remedy=Text(
                        "Give the new one an id of its own, and end the old one.",
                        "Donnez à la nouvelle son propre identifiant et mettez fin à l'ancienne.",
                    ),
                )
            ExemptionRow.objects.create(
                id=exemption.id,
                directive=exemption.directive,
                starts=exemption.starts,
                expires=exemption.expires,
                body=body,
                added_at=at,
            )
        return True

    @guarded
    def end(self, exemption_id: str, *, at: datetime) -> bool:
        """End an exemption now; False where it had been ended before. Raises NotStored."""
        with atomic():
            if not ExemptionRow.objects.filter(id=exemption_id).exists():
                raise NotStored(
                    Text(f"there is no exemption {exemption_id}", f"il n'existe pas d'exemption {exemption_id}"),
                    remedy=Text(
                        "'proscribe exempt list' shows the exemptions.",
                        "« proscribe exempt list » affiche les exemptions.",
                    ),
                )
            return ExemptionRow.objects.filter(id=exemption_id, ended_at=None).update(ended_at=at) == 1

    @guarded
    def in_force(self, on: date, *, directive: str | None = None) -> ExemptionRegister:
        """The exemptions that hold on a day (the expiry day included), by id."""
        rows = ExemptionRow.objects.filter(ended_at=None, starts__lte=on, expires__gte=on)
        if directive is not None:
            rows = rows.filter(directive=directive)
        return ExemptionRegister(tuple(_exemption(row) for row in rows.order_by("id")))

    @guarded
    def all(self) -> tuple[tuple[Exemption, datetime | None], ...]:
        """Every exemption ever recorded, with the moment it was ended (None: it was not), by id."""
        return tuple((_exemption(row), row.ended_at) for row in ExemptionRow.objects.order_by("id"))


def _exemption(row: ExemptionRow) -> Exemption:
    return from_json(Exemption, json.loads(bytes(row.body)), source=f"exemption {row.id}")


class HoldExists(ProscribeError):
    """A records hold of that id was recorded before, with other words."""

    code = "store.hold-exists"


class Holds:
    """The register of records holds."""

    @guarded
    def add(self, hold: Hold, *, at: datetime) -> bool:
        """Record a hold; False where the very same one is there already. Raises HoldExists."""
        body = canonical_bytes(to_json(hold))
        with atomic():
            row = HoldRow.objects.filter(id=hold.id).first()
            if row is not None:
                if bytes(row.body) == body:
                    return False
                raise HoldExists(
                    Text(
                        f"a records hold {hold.id} already exists with other terms",
                        f"une mise en suspens {hold.id} existe déjà avec d'autres modalités",
                    ),
                    remedy=Text(
                        "Give the new hold an id of its own; a released hold keeps its id.",
                        "Donnez à la nouvelle son propre identifiant; une mise en suspens levée garde le sien.",
                    ),
                )
            HoldRow.objects.create(id=hold.id, starts=hold.starts, body=body, placed_at=at)
        return True

    @guarded
    def release(self, hold_id: str, *, at: datetime) -> bool:
        """Release a hold now; False where it had been released before. Raises NotStored."""
        with atomic():
            if not HoldRow.objects.filter(id=hold_id).exists():
                raise NotStored(
                    Text(f"there is no records hold {hold_id}", f"il n'existe pas de mise en suspens {hold_id}"),
                    remedy=Text(
                        "'proscribe hold list' shows the holds.",
                        "« proscribe hold list » affiche les mises en suspens.",
                    ),
                )
            return HoldRow.objects.filter(id=hold_id, released_at=None).update(released_at=at) == 1

    @guarded
    def in_force(self, on: date) -> HoldRegister:
        """The holds that have begun and were not released, by id."""
        rows = HoldRow.objects.filter(released_at=None, starts__lte=on).order_by("id")
        return HoldRegister(tuple(_hold(row) for row in rows))

    @guarded
    def all(self) -> tuple[tuple[Hold, datetime | None], ...]:
        """Every hold ever recorded, with the moment it was released (None: it was not), by id."""
        return tuple((_hold(row), row.released_at) for row in HoldRow.objects.order_by("id"))


def _hold(row: HoldRow) -> Hold:
    return from_json(Hold, json.loads(bytes(row.body)), source=f"hold {row.id}")


@dataclass(frozen=True, slots=True)
class Frozen:
    """Who stopped all sending, when and why."""

    actor: str
    reason: str
    since: datetime


class Freeze:
    """The emergency stop (``enforce.ports.FreezeFlag``)."""

    @guarded
    def state(self) -> Frozen | None:
        """The stop in force; None where sending is allowed."""
        row = FreezeRow.objects.filter(id=1, frozen=True).first()
        return None if row is None else Frozen(row.actor, row.reason, row.since)

    def frozen(self) -> bool:
        """Whether all sending is stopped, read anew at every call."""
        return self.state() is not None

    @guarded
    def freeze(self, *, actor: str, reason: str, at: datetime) -> bool:
        """Stop all sending; False where it was stopped already (the first reason stays)."""
        return self._set(frozen=True, actor=actor, reason=reason, at=at)

    @guarded
    def thaw(self, *, actor: str, reason: str, at: datetime) -> bool:
        """Allow sending again; False where it was allowed."""
        return self._set(frozen=False, actor=actor, reason=reason, at=at)

    @staticmethod
    def _set(*, frozen: bool, actor: str, reason: str, at: datetime) -> bool:
        with atomic():
            row = FreezeRow.objects.filter(id=1).first()
            if (row is not None and row.frozen) == frozen:
                return False
            values = {"frozen": frozen, "actor": actor, "reason": reason, "since": at}
            FreezeRow.objects.update_or_create(id=1, defaults=values)
        return True
