"""Changing a policy: prepare, send, take back. Every change is a merge; every answer is a receipt and no more.

The API has no precondition on a policy, so two writers race. For ``applications`` it merges by package itself. For the
personal side the whole list is written, so :class:`Writer` reads right before, writes the narrowest field there is, and
reads again: if another writer undid the merge in between, it merges once more. What nobody can see is an edit of that
same list that fell between our read and our write; a jump of the version gives it away, and the receipt says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from proscribe.canonical import Digest, canonical_bytes, digest_bytes, digest_json
from proscribe.clock import Clock
from proscribe.connectors.amapi import policy as words
from proscribe.connectors.amapi.config import AmapiConfig
from proscribe.connectors.amapi.system import DISABLE, NAME, PATCH_PERSONAL, SETS, SIDES
from proscribe.connectors.amapi.wire import Answer, Wire, not_understood, uniform
from proscribe.connectors.base import Contended, Order, Prepared, Receipt, Rejected
from proscribe.inventory.model import Scope
from proscribe.terms import Side
from proscribe.text import Text

PERSONAL_MASK = "personalUsagePolicies.personalApplications"
"""The narrowest mask: a field mask takes fully qualified names (reference of policies.patch), so the organisation's
other personal-usage settings are not even sent."""

_POLICY = re.compile(r"^enterprises/[^/\s?#]+/policies/[^/\s?#]+$")


class Writer:
    """Reads and changes the policies of one enterprise."""

    def __init__(
        self, config: AmapiConfig, wire: Wire, *, clock: Clock, jitter: Callable[[float], float] = uniform
    ) -> None:
        self._config = config
        self._wire = wire
        self._clock = clock
        self._jitter = jitter

    def prepare(self, order: Order) -> Prepared:
        """Read the policy now. Raises a ConnectorFault."""
        self._accept(order)
        policy, _ = self._get(order.scope)
        return Prepared(
            scope=scope_of(policy),
            prior=words.prior_of(policy, order.side, order.app_ids, SETS[order.method]),
            in_place=set(order.app_ids) <= words.having(policy, order.side, SETS[order.method]),
        )

    def send(self, order: Order, prepared: Prepared) -> Receipt:
        """Block, or disable, the packages of an order. Nothing is sent where they are so already."""
        self._accept(order)
        if prepared.in_place:
            return self._nothing_sent(order, prepared.scope.version, digest_bytes(prepared.scope.settings.encode()))
        if order.method != PATCH_PERSONAL:
            setting = SETS[order.method]
            changes = [_change_of(package, setting.field, setting.value) for package in order.app_ids]
            policy, answer = self._modify(order.scope, changes)
            missing = sorted(set(order.app_ids) - words.having(policy, order.side, setting))
            # Said, not raised: acceptance is not compliance, and the next observation shows what holds.
            detail = f"accepted-without-effect:{','.join(missing)}" if missing else ""
            return self._receipt(order, answer, words.version(policy), detail)
        return self._merge_personal(
            order,
            lambda entries: words.with_blocked(entries, order.app_ids),
            expected_prior=prepared.prior,
        )

    def retract(self, order: Order, prior: str) -> Receipt:
        """Take our entries back to ``prior``; an entry that somebody changed since is theirs and stays."""
        self._accept(order)
        try:
            wanted = {package: entry for package, entry in words.read_prior(prior).items() if package in order.app_ids}
        except words.NotAPolicy as error:
            raise _refused(
                Text("the stored prior state cannot be read", "l'état antérieur enregistré est illisible"),
                Text(
                    "Restore the entries by hand from the ledger's receipt.",
                    "Rétablissez les entrées à la main d'après l'accusé de réception du registre.",
                ),
            ) from error
        if order.method != PATCH_PERSONAL:
            return self._restore_applications(order, wanted)
        return self._merge_personal(order, lambda entries: words.restored(entries, wanted, words.BLOCK))

    # The work side: the API merges by package -----------------------------------------------------------------------

    def _restore_applications(self, order: Order, prior: dict[str, words.Json | None]) -> Receipt:
        policy, answer = self._get(order.scope)
        before = words.applications(policy, order.side)
        setting = SETS[order.method]
        after = words.by_package(words.restored(before, prior, setting))
        gone = sorted(set(words.by_package(before)) - set(after))
        changed = [
            _change_of(package, setting.field, after[package].get(setting.field))
            for package, entry in sorted(words.by_package(before).items())
            if package in after and after[package] != entry
        ]
        detail = ""
        if gone and order.method == DISABLE and words.only_listed(policy, order.side):
            # The policy has come to allow listed apps only: without its entry, the app would be removed with its data.
            changed += [_change_of(package, setting.field, None) for package in gone]
            gone, detail = [], f"still-listed:{','.join(gone)}"
        if not gone and not changed:
            return self._nothing_sent(order, words.version(policy), answer.response)
        answers = []
        if changed:
            policy, answer = self._modify(order.scope, changed)
            answers.append(answer)
        if gone:
            policy, answer = self._change(
                "POST", f"{order.scope}:removePolicyApplications", None, {"packageNames": gone}
            )
            answers.append(answer)
        return self._receipt(order, _joined(answers), words.version(policy), detail)

    def _modify(self, scope: str, changes: Sequence[words.Json]) -> tuple[words.Json, Answer]:
        return self._change("POST", f"{scope}:modifyPolicyApplications", None, {"changes": list(changes)})

    # The personal side: the whole list is written -------------------------------------------------------------------

    def _merge_personal(
        self,
        order: Order,
        merge: Callable[[list[words.Json]], list[words.Json]],
        *,
        expected_prior: str | None = None,
    ) -> Receipt:
        answers: list[Answer] = []
        notes: list[str] = []
        for attempt in range(self._config.merge_attempts):
            before, read = self._get(order.scope)
            if expected_prior is not None and not answers:
                self._expect(order, before, expected_prior)
            entries = words.applications(before, Side.personal)
            merged = merge(entries)
            if merged == entries:
                if answers:  # another writer's policy already holds our merge
                    return self._receipt(order, _joined(answers), words.version(before), ",".join(notes))
                return self._nothing_sent(order, words.version(before), read.response)
            written, answer = self._change(
                "PATCH",
                order.scope,
                {"updateMask": PERSONAL_MASK},
                {"personalUsagePolicies": {"personalApplications": merged}},
            )
            answers.append(answer)
            if words.version(written) > words.version(before) + 1:
                notes.append(f"concurrent-write:{words.version(before)}-{words.version(written)}")
            after, _ = self._get(order.scope)
            found = words.applications(after, Side.personal)
            if merge(found) == found and (words.version(after) > words.version(written) or _same(found, merged)):
                return self._receipt(order, _joined(answers), words.version(after), ",".join(notes))
            notes.append(f"merged-again:{words.version(after)}")
            self._clock.sleep(self._jitter(min(self._config.backoff_cap, self._config.backoff_base * 2.0**attempt)))
        raise _contended(
            Text(
                f"the personal app list did not keep what was written, {self._config.merge_attempts} times in a row",
                f"la liste d'applications personnelles n'a pas conservé ce qui y a été écrit, "
                f"{self._config.merge_attempts} fois de suite",
            )
        )

    def _expect(self, order: Order, policy: words.Json, prior: str) -> None:
        """Refuse to write over entries that are no longer what is stored as their prior state."""
        if words.prior_of(policy, order.side, order.app_ids, SETS[order.method]) != prior:
            raise _contended(
                Text(
                    "another writer changed the same entries since the policy was read",
                    "un autre auteur a modifié les mêmes entrées depuis la lecture de la stratégie",
                )
            )

    # Shared ---------------------------------------------------------------------------------------------------------

    def _accept(self, order: Order) -> None:
        if (
            order.system != NAME
            or not _POLICY.match(order.scope)
            or not order.scope.startswith(self._config.enterprise + "/")
            or order.side not in SIDES.get(order.method, frozenset())
            or not order.app_ids
        ):
            raise _refused(
                Text(
                    f"not an order for {self._config.enterprise}: {order.method} on {order.scope} ({order.side})",
                    f"ordre étranger à {self._config.enterprise} : {order.method} sur {order.scope} ({order.side})",
                ),
                Text("Plan again with this configuration.", "Refaites le plan avec la présente configuration."),
            )

    def _get(self, scope: str) -> tuple[words.Json, Answer]:
        answer = self._wire.read(scope)
        return _policy(answer.body), answer

    def _change(
        self, method: str, name: str, query: dict[str, str] | None, body: words.Json
    ) -> tuple[words.Json, Answer]:
        answer = self._wire.write(method, name, query, body)
        # The two custom methods wrap the policy; patch returns it bare.
        found = answer.body if method == "PATCH" else answer.body.get("policy")
        return _policy(found), answer

    def _receipt(self, order: Order, answer: Answer, version: int, detail: str) -> Receipt:
        return Receipt(
            key=order.key,
            at=self._clock.now(),
            status=answer.status,
            scope_version=version,
            request=answer.request,
            response=answer.response,
            detail=detail,
        )

    def _nothing_sent(self, order: Order, version: int, seen: Digest) -> Receipt:
        return Receipt(
            key=order.key,
            at=self._clock.now(),
            status=0,
            scope_version=version,
            request=digest_bytes(b""),
            response=seen,
            detail="in-place",
        )


def scope_of(policy: words.Json, devices: int = 0) -> Scope:
    """A policy as the scope a plan works with."""
    return Scope(
        system=NAME,
        id=policy["name"],
        version=words.version(policy),
        devices=devices,
        settings=words.settings(policy),
    )


def _policy(value: object) -> words.Json:
    try:
        return words.checked(value)
    except words.NotAPolicy as error:
        raise not_understood(str(error)) from error


def _change_of(package: str, field: str, value: object) -> words.Json:
    """A change of one field of one entry and of nothing else; without a value the field is cleared."""
    application = {"packageName": package} if value is None else {"packageName": package, field: value}
    return {"application": application, "updateMask": field}


def _same(found: Sequence[words.Json], merged: Sequence[words.Json]) -> bool:
    """Whether a list read back holds the same entries as the one written, in whatever order."""
    return sorted(map(canonical_bytes, found)) == sorted(map(canonical_bytes, merged))


def _joined(answers: Sequence[Answer]) -> Answer:
    """One answer for several: with one, that one; with more, digests over all of theirs, in order."""
    if len(answers) == 1:
        return answers[0]
    return Answer(
        body={},
        status=answers[-1].status,
        request=digest_json([answer.request for answer in answers]),
        response=digest_json([answer.response for answer in answers]),
        size=sum(answer.size for answer in answers),
    )


def _refused(what: Text, remedy: Text) -> Rejected:
    return Rejected(what, remedy=remedy)


def _contended(what: Text) -> Contended:
    return Contended(
        what,
        remedy=Text(
            "Find out which other tool writes this policy and let one of the two pause; the loop tries again.",
            "Déterminez quel autre outil modifie cette stratégie et suspendez l'un des deux; la boucle réessaiera.",
        ),
    )
