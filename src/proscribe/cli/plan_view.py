"""A plan on the terminal: first what cannot be seen or done, then the blast radius, the waves and the changes.

Lines of text under headings rather than boxes: they fit 60 columns, and a screen reader reads them in order. A bar
repeats the number beside it and carries nothing of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from proscribe.cli.output import console
from proscribe.text import Text, number, plural

if TYPE_CHECKING:
    from rich.console import Console

    from proscribe.plan.model import Plan, PlanCounts, Refusal, RefusalReason, Step, Verb

_BAR = 20
_SOME = 3  # sentences of one reason shown without --details
_STEPS = 4  # changes shown without --details

_DEVICE = (Text("device", "appareil"), Text("devices", "appareils"))
_CHANGE = (Text("change", "changement"), Text("changes", "changements"))
_WAVE = (Text("wave", "vague"), Text("waves", "vagues"))
_ITEM = (Text("item", "élément"), Text("items", "éléments"))
_APP_ID = (Text("app id", "identifiant"), Text("app ids", "identifiants"))
_HOLDS = (
    Text("device holds a target", "appareil contient une cible"),
    Text("devices hold a target", "appareils contiennent une cible"),
)
_UNSEEN = (
    Text("device has a side that nobody can see", "appareil a un côté que personne ne peut voir"),
    Text("devices have a side that nobody can see", "appareils ont un côté que personne ne peut voir"),
)
_VERBS = {
    "observe": Text("observe", "observer"),
    "remove": Text("remove", "retirer"),
    "block_launch": Text("stop launching", "empêcher le lancement"),
    "block_install": Text("stop installing", "empêcher l'installation"),
}
_SIDES = {"work": Text(", work side", ", côté professionnel"), "personal": Text(", personal side", ", côté personnel")}
_NONE = Text("", "")


def show_plan(plan: Plan, *, details: bool) -> None:
    """Print a plan. ``details`` adds every device, app id, proof and undo."""
    out = console()
    _line(out, Text(f"Plan for {plan.directive}", f"Plan pour {plan.directive}"), style="bold")
    _verdict(out, plan)
    _refusals(out, plan, details=details)
    _counts(out, plan.counts)
    _waves(out, plan)
    _steps(out, plan, details=details)
    if not details:
        _line(out, _NONE)
        _line(
            out,
            Text(
                "Add --details for every device, app, proof and undo.",
                "Ajoutez --details pour voir chaque appareil, application, preuve et annulation.",
            ),
        )


def _verdict(out: Console, plan: Plan) -> None:
    if plan.blocked:
        blocking = _number(sum(1 for refusal in plan.refusals if refusal.blocks), _ITEM)
        words = Text(
            f"BLOCKED: {blocking.en} to settle before it can be applied.",
            f"BLOQUÉ : {blocking.fr} à régler avant toute exécution.",
        )
        _line(out, words, style="bold")
    elif not plan.steps:
        _line(out, Text("Nothing to send.", "Rien à envoyer."))
    else:
        reached = _number(sum(wave.devices for wave in plan.waves), _DEVICE)
        changes, waves = _number(len(plan.steps), _CHANGE), _number(len(plan.waves), _WAVE)
        _line(
            out,
            Text(
                f"Ready for approval: {changes.en} in {waves.en}, reaching {reached.en}.",
                f"Prêt pour approbation : {changes.fr} en {waves.fr}, qui touchent {reached.fr}.",
            ),
        )


def _refusals(out: Console, plan: Plan, *, details: bool) -> None:
    from proscribe.plan.reasons import REASONS

    _heading(out, Text("What cannot be seen or done", "Ce qui ne peut être ni vu ni fait"))
    if not plan.refusals:
        _line(out, Text("Nothing is refused.", "Rien n'est refusé."), indent=2)
    groups: dict[tuple[bool, RefusalReason], list[Refusal]] = {}
    for refusal in plan.refusals:
        groups.setdefault((refusal.blocks, refusal.reason), []).append(refusal)
    for (blocks, reason), group in groups.items():
        devices = len({device for refusal in group for device in refusal.devices})
        size = _number(devices, _DEVICE) if devices else _number(len(group), _ITEM)
        mark = Text("BLOCKS, ", "BLOQUE, ") if blocks else _NONE
        name = REASONS[reason]
        words = Text(f"{mark.en}{name.en}: {size.en}", f"{mark.fr}{name.fr} : {size.fr}")
        _line(out, words, indent=2, style="bold")
        if details:
            _every_refusal(out, group)
        else:
            _some_refusals(out, group)


def _every_refusal(out: Console, group: list[Refusal]) -> None:
    for refusal in group:
        _line(out, _bullet(refusal.what), indent=4, hang=2)
        if refusal.devices:
            _line(out, _same(", ".join(refusal.devices)), indent=6)
        _line(out, _arrow(refusal.remedy), indent=6, hang=2)


def _some_refusals(out: Console, group: list[Refusal]) -> None:
    shown = sorted(group, key=lambda refusal: -len(refusal.devices))[:_SOME]
    for refusal in shown:
        count = f" ({len(refusal.devices)})" if refusal.devices and len(group) > 1 else ""
        _line(out, _bullet(refusal.what + Text(count, count)), indent=4, hang=2)
    left = len(group) - len(shown)
    if left:
        _line(out, Text(f"- and {left} more", f"- et {left} de plus"), indent=4)
    for remedy in dict.fromkeys(refusal.remedy for refusal in shown):
        _line(out, _arrow(remedy), indent=4, hang=2)


def _counts(out: Console, counts: PlanCounts) -> None:
    _heading(out, Text("Blast radius, in devices", "Étendue des effets, en appareils"))
    rows = (
        (Text("in scope", "visés"), counts.in_scope),
        (Text("app removed", "application retirée"), counts.to_remove),
        (Text("blocked only", "blocage seul"), counts.block_only),
        (Text("nothing to do", "rien à faire"), counts.nothing_to_do),
        (Text("exempt", "exemptés"), counts.exempt),
        (Text("cannot", "impossible"), counts.cannot),
    )
    width = max(len(str(label)) for label, _ in rows)
    for label, count in rows:
        bar = _bar(count, counts.in_scope)
        shown = number(count)
        words = Text(f"{label.en:<{width}} {shown.en:>9}  {bar}", f"{label.fr:<{width}} {shown.fr:>9}  {bar}")
        _line(out, words, indent=2, wrap=False)
    if counts.invisible_side:
        unseen = _number(counts.invisible_side, _UNSEEN)
        _line(out, Text(f"Of all of these, {unseen.en}.", f"De ce nombre, {unseen.fr}."), indent=2)
    if counts.waiting:
        waiting = _number(counts.waiting, _DEVICE)
        words = Text(
            f"“Nothing to do” includes {waiting.en} that still held the app when last seen: the ban is set, the "
            "device has yet to sync.",
            f"« Rien à faire » comprend {waiting.fr} où l'application se trouvait au dernier constat : l'interdiction "
            "est en place, la synchronisation reste à venir.",
        )
        _line(out, words, indent=2)


def _waves(out: Console, plan: Plan) -> None:
    if not plan.waves:
        return
    _heading(out, Text("Waves", "Vagues"))
    everything = sum(wave.devices for wave in plan.waves)
    before = ""
    for wave in plan.waves:
        changes, devices = _number(len(wave.steps), _CHANGE), _number(wave.devices, _DEVICE)
        rate = f"{wave.success_rate * 100:g}"
        when = Text(
            f", once {rate}% of wave {before} is verified", f", dès que {rate} % de la vague {before} sont vérifiés"
        )
        if not before:
            when = Text(", at once", ", d'emblée")
        words = Text(
            f"{wave.number}. {wave.name}: {changes.en}, {devices.en}{when.en}",
            f"{wave.number}. {wave.name} : {changes.fr}, {devices.fr}{when.fr}",
        )
        _line(out, words, indent=2, hang=3)
        _line(out, _same(_bar(wave.devices, everything)), indent=5, wrap=False)
        before = str(wave.number)


def _steps(out: Console, plan: Plan, *, details: bool) -> None:
    if not plan.steps:
        return
    _heading(out, Text("Changes", "Changements"))
    shared = [step for step in plan.steps if details or step.reach.value != "device"]
    for step in shared if details else shared[:_STEPS]:
        _step(out, step)
        if details:
            _step_details(out, step)
    left = 0 if details else len(shared[_STEPS:])
    if left:
        _line(out, Text(f"and {number(left).en} more", f"et {number(left).fr} de plus"), indent=2)
    if not details:
        _single_devices(out, [step for step in plan.steps if step.reach.value == "device"])


def _single_devices(out: Console, steps: Sequence[Step]) -> None:
    """Changes to one device each: a line for all of a wave that are alike. ``--details`` names the devices."""
    alike = Counter((step.wave, step.system, step.verbs) for step in steps)
    for (wave, system, verbs), count in sorted(alike.items()):
        what = _verbs(verbs)
        devices = _number(count, _DEVICE)
        words = Text(
            f"Wave {wave}: {system}, device by device ({devices.en}): {what.en}",
            f"Vague {wave} : {system}, appareil par appareil ({devices.fr}) : {what.fr}",
        )
        _line(out, words, indent=2, hang=3)


def _step(out: Console, step: Step) -> None:
    # The last part of a path tells scopes apart, and "group/channel" is one name; --details has the whole.
    place = step.scope if step.scope.count("/") <= 1 else step.scope.rsplit("/", 1)[-1]
    side = _SIDES.get(step.side.value, _NONE)
    verbs = _verbs(step.verbs)
    blind = _NONE
    if step.effect.value == "blind":
        blind = Text(" (blind: nothing is reported back)", " (à l'aveugle : rien n'est signalé en retour)")
    head = Text(
        f"{step.system}, {place}{side.en}: {verbs.en}{blind.en}",
        f"{step.system}, {place}{side.fr} : {verbs.fr}{blind.fr}",
    )
    wave = Text(f"Wave {step.wave}: ", f"Vague {step.wave} : ")
    _line(out, wave + head, indent=2, hang=3)
    apps, holders = _number(len(step.app_ids), _APP_ID), _number(len(step.holders), _HOLDS)
    words = Text(
        f"{apps.en}; {holders.en}, {number(step.collateral).en} without one",
        f"{apps.fr}; {holders.fr}, {number(step.collateral).fr} sans cible",
    )
    _line(out, words, indent=5)
    for warning in step.warnings:
        _line(out, Text("! ", "! ") + warning, indent=5, hang=2)


def _verbs(verbs: Iterable[Verb]) -> Text:
    words = [_VERBS[verb.value] for verb in verbs]
    return Text(", ".join(word.en for word in words), ", ".join(word.fr for word in words))


def _step_details(out: Console, step: Step) -> None:
    for label, words in (
        (Text("apps", "applications"), _same(", ".join(step.app_ids))),
        (Text("holders", "appareils concernés"), _same(", ".join(step.holders))),
        (Text("scope", "portée"), _same(step.scope)),
        (Text("method", "méthode"), _same(step.method)),
        (Text("proved by", "preuve"), step.proved_by),
        (Text("undo", "annulation"), step.undo),
        (Text("step", "étape"), _same(step.id)),
    ):
        if words.en:
            _line(out, Text(f"{label.en}: {words.en}", f"{label.fr} : {words.fr}"), indent=5, hang=2)


def _number(count: int, nouns: tuple[Text, Text]) -> Text:
    return plural(count, *nouns)


def _bar(count: int, whole: int) -> str:
    """Blocks for a share; a few out of many still show as one."""
    return "█" * max(1, round(_BAR * count / whole)) if count and whole else ""


def _same(words: str) -> Text:
    return Text(words, words)


def _bullet(words: Text) -> Text:
    return Text("- ", "- ") + words


def _arrow(words: Text) -> Text:
    return Text("→ ", "→ ") + words


def _heading(out: Console, words: Text) -> None:
    _line(out, _NONE)
    _line(out, words, style="bold")


def _line(out: Console, words: Text, *, indent: int = 0, hang: int = 0, style: str = "", wrap: bool = True) -> None:
    """Print a paragraph that wraps at words; its later lines are set in by ``hang`` more."""
    from rich.text import Text as Rich

    for place, line in enumerate(_wrapped(str(words), out.width - indent - hang) if wrap else [str(words)]):
        lead = " " * (indent + (hang if place else 0))
        out.print(Rich((lead + line).rstrip(), style=style), soft_wrap=True)


def _wrapped(words: str, width: int) -> Iterable[str]:
    """Words in lines of at most ``width``; a longer word (a device key) is left whole so that it can be copied."""
    line = ""
    for word in words.split(" "):
        if line and len(line) + 1 + len(word) > width:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield line
