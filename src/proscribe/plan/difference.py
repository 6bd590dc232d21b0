"""What changed between two plans of one directive, in words: why an approved plan is stale."""

from __future__ import annotations

from collections.abc import Iterable

from proscribe.plan.limits import show
from proscribe.plan.model import Plan, Policy, Refusal, Step
from proscribe.text import Text, devices, number, plural

_Key = tuple[str, str, str, str]


def difference(old: Plan, new: Plan) -> tuple[Text, ...]:
    """Sentences for what decides and is no longer the same; empty where the bases are equal."""
    if old.basis == new.basis:
        return ()
    found = [
        *_documents(old, new),
        *_policy(old.policy, new.policy),
        *_steps(old, new),
        *_waves(old, new),
        *_refusals(old.refusals, new.refusals),
    ]
    if not found:
        found.append(
            Text("The two plans rest on different facts.", "Les deux plans reposent sur des faits différents.")
        )
    return tuple(found)


def _documents(old: Plan, new: Plan) -> Iterable[Text]:
    if old.directive != new.directive:
        yield Text(
            f"The plan is now about {new.directive}, not {old.directive}.",
            f"Le plan vise maintenant {new.directive} et non {old.directive}.",
        )
    elif old.directive_digest != new.directive_digest:
        yield Text("The directive was changed.", "La directive a été modifiée.")
    if old.targets_digest != new.targets_digest:
        yield Text("The target set is another one.", "L'ensemble de cibles est différent.")
    if old.capabilities_digest != new.capabilities_digest:
        yield Text(
            "What the management systems can do is described differently.",
            "La description des capacités des systèmes de gestion a changé.",
        )
    if old.exemptions_digest != new.exemptions_digest:
        yield Text("The register of exemptions was changed.", "Le registre des exemptions a été modifié.")
    if old.follow_recommended != new.follow_recommended:
        yield Text(
            "Whether to act on a recommendation was decided differently.",
            "Le choix de donner suite ou non à une recommandation a changé.",
        )


def _policy(old: Policy, new: Policy) -> Iterable[Text]:
    for name, before, after in (
        (Text("removal limit", "limite de retraits"), old.removal_limit, new.removal_limit),
        (Text("reach limit", "limite de portée"), old.reach_limit, new.reach_limit),
    ):
        if before != after:
            yield Text(
                f"The {name.en} is {show(after).en}; it was {show(before).en}.",
                f"La {name.fr} est de {show(after).fr}; elle était de {show(before).fr}.",
            )
    if old.rings != new.rings:
        yield Text("The waves are set differently.", "Les vagues sont définies autrement.")
    if old.inventory_max_days != new.inventory_max_days:
        yield Text("The age allowed for the inventory is another one.", "L'âge permis de l'inventaire a changé.")


def _steps(old: Plan, new: Plan) -> Iterable[Text]:
    before = {_key(step): step for step in old.steps}
    after = {_key(step): step for step in new.steps}
    for key in sorted(after.keys() - before.keys()):
        step = after[key]
        yield Text(
            f"New: {_place(step)} ({devices(step.reached).en}).",
            f"Nouveau : {_place(step)} ({devices(step.reached).fr}).",
        )
    for key in sorted(before.keys() - after.keys()):
        yield Text(f"No longer planned: {_place(before[key])}.", f"N'est plus prévu : {_place(before[key])}.")
    for key in sorted(before.keys() & after.keys()):
        yield from _step(before[key], after[key])


def _step(old: Step, new: Step) -> Iterable[Text]:
    place = _place(new)
    if old.scope_version != new.scope_version:
        yield Text(
            f"{place}: somebody changed it (version {old.scope_version}, now {new.scope_version}).",
            f"{place} : modifié entre-temps (version {old.scope_version}, maintenant {new.scope_version}).",
        )
    added, gone = sorted(set(new.app_ids) - set(old.app_ids)), sorted(set(old.app_ids) - set(new.app_ids))
    if added:
        yield Text(f"{place}: also {', '.join(added)}.", f"{place} : ajout de {', '.join(added)}.")
    if gone:
        yield Text(f"{place}: no longer {', '.join(gone)}.", f"{place} : retrait de {', '.join(gone)}.")
    came, went = len(set(new.holders) - set(old.holders)), len(set(old.holders) - set(new.holders))
    if came:
        yield Text(
            f"{place}: {devices(came).en} more with the app.",
            f"{place} : {devices(came).fr} de plus avec l'application.",
        )
    if went:
        yield Text(
            f"{place}: {devices(went).en} fewer with the app.",
            f"{place} : {devices(went).fr} de moins avec l'application.",
        )
    if old.reached != new.reached:
        yield Text(
            f"{place}: reaches {devices(new.reached).en}; it was {number(old.reached).en}.",
            f"{place} : touche {devices(new.reached).fr}, contre {number(old.reached).fr} auparavant.",
        )
    if old.verbs != new.verbs or old.effect is not new.effect:
        yield Text(f"{place}: the expected effect is another one.", f"{place} : l'effet attendu a changé.")
    if old.wave != new.wave:
        yield Text(
            f"{place}: moves from wave {old.wave} to wave {new.wave}.",
            f"{place} : passe de la vague {old.wave} à la vague {new.wave}.",
        )


def _waves(old: Plan, new: Plan) -> Iterable[Text]:
    if len(old.waves) != len(new.waves):
        now = plural(len(new.waves), Text("wave", "vague"), Text("waves", "vagues"))
        yield Text(
            f"It takes {now.en} now; it was {len(old.waves)}.",
            f"Il faut maintenant {now.fr}, contre {len(old.waves)} auparavant.",
        )


def _refusals(old: Iterable[Refusal], new: Iterable[Refusal]) -> Iterable[Text]:
    before = {(one.reason, one.scope, one.target) for one in old if one.blocks}
    for one in new:
        if one.blocks and (one.reason, one.scope, one.target) not in before:
            yield Text(f"Now refused: {one.what.en}", f"Maintenant refusé : {one.what.fr}")
    after = {(one.reason, one.scope, one.target) for one in new if one.blocks}
    for one in old:
        if one.blocks and (one.reason, one.scope, one.target) not in after:
            yield Text(f"No longer refused: {one.what.en}", f"N'est plus refusé : {one.what.fr}")


def _key(step: Step) -> _Key:
    return step.system, step.scope, step.method, step.side.value


def _place(step: Step) -> str:
    return f"{step.system}, {step.scope}, {step.method}"
