"""Games with names and with inheritance: whoever plays them is rated as if they had not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proscribe.assess.facts import Component, SpecialAccess
from proscribe.assess.terms import Ladder, SpecialKind

BASE, SERVICE = "com.example.shop.lite.base.Watcher", "com.example.shop.lite.Service"


def found(world, make, *callbacks, kind=SpecialKind.notification_listener):
    app = make.app(
        *callbacks,
        special=(SpecialAccess(kind, SERVICE),),
        components=(Component("service", SERVICE),),
    )
    return world.judge(app)


def test_a_callback_that_the_declared_service_inherits_is_called(world, make):
    """``class Service extends Watcher {}``: the manifest names Service, the code lies in Watcher."""
    own = found(world, make, make.callback(make.POSTED, SERVICE))
    inherited = found(world, make, make.callback(make.POSTED, BASE))
    name = "PSB-A-NOTIFICATIONS-01@app"
    assert make.finding(own, name).ladder is make.finding(inherited, name).ladder is Ladder.called
    assert own.rating.rating is inherited.rating.rating


def test_where_the_service_has_its_own_the_others_are_only_there(world, make):
    both = found(world, make, make.callback(make.POSTED, SERVICE), make.callback(make.POSTED, "com.adkit.core.Idle"))
    assert make.finding(both, "PSB-A-NOTIFICATIONS-01@adkit").ladder is Ladder.referenced


@pytest.mark.parametrize("kind", [SpecialKind.input_method, SpecialKind.usage_access])
def test_a_service_of_another_kind_inherits_nothing_of_it(world, make, kind):
    other = found(world, make, make.callback(make.POSTED, BASE), kind=kind)
    assert make.finding(other, "PSB-A-NOTIFICATIONS-01@app").ladder is Ladder.referenced


@pytest.mark.parametrize("caller", ["com.adkit.core.A", "androidx.core.location.Where", "org.renamed.A", "a.b"])
def test_the_name_of_a_class_does_not_lower_the_rating(world, make, caller):
    places = (make.LOCATE, make.DEVICE_ID, make.CLIP, make.RECORD)
    permissions = ("ACCESS_FINE_LOCATION", "READ_PHONE_STATE", "RECORD_AUDIO")
    honest = world.judge(make.app(*map(make.call, places), permissions=permissions))
    games = world.judge(make.app(*(make.call(one, caller) for one in places), permissions=permissions))
    assert honest.rating.rating == games.rating.rating != "limited"


@pytest.mark.parametrize(("app_id", "there"), [("com.other.app", False), ("androidx.core", True)])
def test_the_apps_own_code_is_nobodys_wrapper(world, make, app_id, there):
    """``unless`` names a library's wrapper; an app that calls itself like the library is no library."""
    row = replace(make.api("method", make.CLIP, "PSB-A-CLIPBOARD-01"), unless=("androidx.core.Compat",))
    packs = make.packs(apis=(row,))
    base = make.app(make.call(make.CLIP, "androidx.core.Compat"))
    app = replace(base, android=replace(base.android, package=app_id))
    assert bool(world.judge(app, packs=packs).findings) is there
