"""A plan on the terminal: first what cannot be seen or done, then the blast radius, the waves and the steps.

Lines of text under headings rather than boxes: they fit 60 columns, and a screen reader reads them in order. The bars
repeat a number that stands beside them and carry nothing of their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from proscribe.cli.output import console
from proscribe.text import Text

if TYPE_CHECKING:
    from rich.console import Console

    from proscribe.plan.model import Plan, PlanCounts, Refusal, RefusalReason, Step

_BAR = 20
_SOME = 3  # sentences of one reason, and devices of one refusal, shown without --details


def show_plan(plan: Plan, *, details: bool) -> None:
    """Print a plan. ``details`` lists every device, app id, proof and undo."""
    out = console()
    _line(out, Text(f"Plan for {plan.directive}", f"Plan pour {plan.directive}"), style="bold")
    _verdict(out, plan)
    _refusals(out, plan, details=details)
    _counts(out, plan.counts)
    _waves(out, plan)
    _steps(out, plan, details=details)
    if not details and (plan.steps or plan.refusals):
        _line(out, Text("", ""))
        _line(
            out,
            Text(
                "Add --details for every device, app, proof and undo.",
                "Ajoutez --details pour voir chaque appareil, application, preuve et annulation.",
            ),
        )


def _verdict(out: Console, plan: Plan) -> None:
    if plan.blocked:
        blocking = sum(1 for refusal in plan.refusals if refusal.blocks)
        _line(
            out,
            Text(
                f"BLOCKED: {blocking} to settle before it can be applied.",
                f"BLOQUÉ : {blocking} à régler avant toute exécution.",
            ),
            style="bold",
        )
    elif not plan.steps:
        _line(out, Text("Nothing to send.", "Rien à envoyer."))
    else:
        reached = sum(wave.devices for wave in plan.waves)
        steps, waves = len(plan.steps), len(plan.waves)
        _line(
            out,
            Text(
                f"Ready for approval: {_n(steps, 'change', 'changes')} in {_n(waves, 'wave', 'waves')}, "
                f"reaching {_n(reached, 'device', 'devices')}.",
                f"Prêt pour approbation : {_f(steps, 'changement', 'changements')} en {_f(waves, 'vague', 'vagues')}, "
                f"touchant {_f(reached, 'appareil', 'appareils')}.",
            ),
        )


def _refusals(out: Console, plan: Plan, *, details: bool) -> None:
    from proscribe.plan.reasons import REASONS

    _heading(out, Text("What cannot be seen or done", "Ce qui ne peut être ni vu ni fait"))
    if not plan.refusals:
        _line(out, Text("Nothing is refused.", "Rien n'est refusé."), indent=2)
    groups: dict[tuple[bool, RefusalReason], list[Refusal]] = {}
    for refusal in plan.refusals:
        groups.setdefault((not refusal.blocks, refusal.reason), []).append(refusal)
    for (passes, reason), group in groups.items():
        devices = len({device for refusal in group for device in refusal.devices})
        mark = Text("", "") if passes else Text("BLOCKS, ", "BLOQUE, ")
        size = Text(_n(devices, "device", "devices"), _f(devices, "appareil", "appareils"))
        if not devices:
            size = Text(_n(len(group), "item", "items"), _f(len(group), "élément", "éléments"))
        _line(
            out,
            Text(f"{mark.en}{REASONS[reason].en}: {size.en}", f"{mark.fr}{REASONS[reason].fr} : {size.fr}"),
            indent=2,
            style="bold",
        )
        _sentences(out, group, details=details)


def _sentences(out: Console, group: list[Refusal], *, details: bool) -> None:
    shown = sorted(group, key=lambda refusal: -len(refusal.devices)) if not details else group
    for refusal in shown if details else shown[:_SOME]:
        count = len(refusal.devices)
        number = f" ({count:,})" if count and len(group) > 1 else ""
        _line(out, Text(f"- {refusal.what.en}{number}", f"- {refusal.what.fr}{number}"), indent=4, hang=2)
        if details and refusal.devices:
            _line(out, Text(", ".join(refusal.devices), ", ".join(refusal.devices)), indent=6)
        if details:
            _next(out, (refusal,))
    left = len(group) - _SOME
    if not details and left > 0:
        _line(out, Text(f"- and {left} more", f"- et {left} de plus"), indent=4)
    if not details:
        _next(out, shown[:_SOME])


def _next(out: Console, group: Iterable[Refusal]) -> None:
    for remedy in dict.fromkeys(refusal.remedy for refusal in group):
        _line(out, Text(f"→ {remedy.en}", f"→ {remedy.fr}"), indent=4, hang=2)


def _counts(out: Console, counts: PlanCounts) -> None:
    _heading(out, Text("Blast radius", "Étendue des effets"))
    rows = (
        (Text("in scope", "visés"), counts.in_scope),
        (Text("app removed", "application retirée"), counts.to_remove),
        (Text("blocked only", "blocage seulement"), counts.block_only),
        (Text("nothing to do", "rien à faire"), counts.nothing_to_do),
        (Text("exempt", "exemptés"), counts.exempt),
        (Text("cannot", "impossible"), counts.cannot),
    )
    width = max(len(str(label)) for label, _ in rows)
    for label, count in rows:
        bar = "█" * _share(count, counts.in_scope)
        _line(
            out,
            Text(f"{label!s:<{width}} {count:>9,}  {bar}".rstrip(), f"{label!s:<{width}} {count:>9,}  {bar}".rstrip()),
            indent=2,
        )
    if counts.invisible_side:
        _line(
            out,
            Text(
                f"Of all of these, {_n(counts.invisible_side, 'has', 'have')} a side that nobody can see.",
                f"De ce nombre, {_f(counts.invisible_side, 'a', 'ont')} un côté que personne ne peut voir.",
            ),
            indent=2,
        )
    if counts.waiting:
        _line(
            out,
            Text(
                f"Of 'nothing to do', {_n(counts.waiting, 'device', 'devices')} still to sync: the ban is set, "
                "the app was there when last seen.",
                f"De « rien à faire », {_f(counts.waiting, 'appareil', 'appareils')} à synchroniser : "
                "l'interdiction est en place, mais l'application s'y trouvait au dernier constat.",
            ),
            indent=2,
        )


def _waves(out: Console, plan: Plan) -> None:
    if not plan.waves:
        return
    _heading(out, Text("Waves", "Vagues"))
    everything = sum(wave.devices for wave in plan.waves)
    for wave in plan.waves:
        bar = "█" * _share(wave.devices, everything)
        head = f"{wave.number}. {wave.name}: "
        body = Text(
            head + f"{_n(len(wave.steps), 'change', 'changes')}, {_n(wave.devices, 'device', 'devices')}  {bar}",
            head.replace(":", "\u00a0:")
            + f"{_f(len(wave.steps), 'changement', 'changements')}, {_f(wave.devices, 'appareil', 'appareils')}  {bar}",
        )
        _line(out, body, indent=2)
    rate = f"{plan.waves[0].success_rate * 100:g}"
    if len(plan.waves) > 1:
        rates = " / ".join(f"{wave.success_rate * 100:g}" for wave in plan.waves[1:])
        rate = rates if len(set(rates.split(" / "))) > 1 else rates.split(" / ")[0]
        _line(
            out,
            Text(
                f"Each wave waits until {rate}% of the wave before is verified.",
                f"Chaque vague attend que {rate} % de la précédente soit vérifiée.",
            ),
            indent=2,
        )


def _steps(out: Console, plan: Plan, *, details: bool) -> None:
    if not plan.steps:
        return
    _heading(out, Text("Changes", "Changements"))
    for step in plan.steps:
        _step(out, step, details=details)


def _step(out: Console, step: Step, *, details: bool) -> None:
    verbs = Text(
        ", ".join(_VERBS[verb.value].en for verb in step.verbs), ", ".join(_VERBS[verb.value].fr for verb in step.verbs)
    )
    side = _SIDES.get(step.side.value, Text("", ""))
    blind = Text(" (blind: nothing is reported back)", " (à l'aveugle : rien n'est signalé en retour)")
    if step.effect.value != "blind":
        blind = Text("", "")
    apps = len(step.app_ids)
    _line(
        out,
        Text(
            f"{step.wave}. {step.system}, {step.scope}{side.en}: {verbs.en}{blind.en}",
            f"{step.wave}. {step.system}, {step.scope}{side.fr} : {verbs.fr}{blind.fr}",
        ),
        indent=2,
        hang=3,
    )
    _line(
        out,
        Text(
            f"{_n(apps, 'app id', 'app ids')}; {_n(len(step.holders), 'device holds', 'devices hold')} a target, "
            f"{step.collateral:,} without one",
            f"{_f(apps, 'identifiant', 'identifiants')}; {_f(len(step.holders), 'appareil détient', 'appareils détiennent')} "
            f"une cible, {step.collateral:,} sans cible",
        ),
        indent=5,
    )
    for warning in step.warnings:
        _line(out, Text(f"! {warning.en}", f"! {warning.fr}"), indent=5, hang=2)
    if details:
        for label, words in (
            (Text("apps", "applications"), Text(", ".join(step.app_ids), ", ".join(step.app_ids))),
            (Text("holders", "détenteurs"), Text(", ".join(step.holders), ", ".join(step.holders))),
            (Text("method", "méthode"), Text(step.method, step.method)),
            (Text("proved by", "preuve"), step.proved_by),
            (Text("undo", "annulation"), step.undo),
            (Text("step", "étape"), Text(step.id, step.id)),
        ):
            if words.en:
                _line(out, Text(f"{label.en}: {words.en}", f"{label.fr} : {words.fr}"), indent=5, hang=2)


_VERBS = {
    "observe": Text("observe", "observer"),
    "remove": Text("remove", "retirer"),
    "block_launch": Text("stop launching", "empêcher le lancement"),
    "block_install": Text("stop installing", "empêcher l'installation"),
}
_SIDES = {
    "work": Text(", work side", ", côté professionnel"),
    "personal": Text(", personal side", ", côté personnel"),
}


def _share(count: int, whole: int) -> int:
    """Blocks of a bar; a few out of many still show as one."""
    if count == 0 or whole == 0:
        return 0
    return max(1, round(_BAR * count / whole))


def _heading(out: Console, words: Text) -> None:
    _line(out, Text("", ""))
    _line(out, words, style="bold")


def _line(out: Console, words: Text, *, indent: int = 0, hang: int = 0, style: str = "") -> None:
    """Print a paragraph that wraps at words, its later lines set in by ``hang`` more."""
    from rich.text import Text as Rich

    first = " " * indent
    width = max(out.width, indent + hang + 20)
    lines = Rich(str(words)).wrap(out, width - indent - hang)
    for number, line in enumerate(lines or [Rich("")]):
        lead = first if number == 0 else first + " " * hang
        out.print(Rich(f"{lead}{line.plain}".rstrip(), style=style), soft_wrap=True)


def _n(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def _f(count: int, one: str, many: str) -> str:
    number = f"{count:,}".replace(",", "\u202f")
    return f"{number} {one if count in (0, 1) else many}"
