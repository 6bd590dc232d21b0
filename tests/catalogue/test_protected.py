"""Apps that may never be a target."""

from __future__ import annotations

import pytest

from proscribe.catalogue.identifiers import APP_IDS
from proscribe.catalogue.protected import groups, is_protected, protected_under
from proscribe.terms import Platform


@pytest.mark.parametrize(
    ("platform", "app_id"),
    [
        (Platform.android, "com.android.vending"),
        (Platform.android, "com.android.settings"),
        (Platform.android, "com.google.android.gms"),
        (Platform.android, "com.google.android.apps.work.clouddpc"),
        (Platform.android, "com.microsoft.windowsintune.companyportal"),
        (Platform.android, "com.google.android.dialer"),
        (Platform.android, "com.sec.android.app.launcher"),
        (Platform.android, "android"),
        (Platform.ios, "com.apple.Preferences"),
        (Platform.ios, "com.apple.mobilephone"),
        (Platform.ios, "com.apple.AppStore"),
        (Platform.macos, "com.apple.finder"),
        (Platform.unknown, "com.apple.Preferences"),
        (Platform.android, "COM.Android.Settings"),  # protection is not escaped by case
    ],
)
def test_protected(platform, app_id):
    why = is_protected(platform, app_id)
    assert why is not None
    assert why.en != why.fr


@pytest.mark.parametrize(
    ("platform", "app_id"),
    [
        (Platform.android, "com.tencent.mm"),
        (Platform.android, "com.androidx.game"),
        (Platform.android, "com.apple.android.music"),  # Apple's namespace is protected on Apple's platforms
        (Platform.ios, "com.applesauce.game"),
        (Platform.android, ""),
        (Platform.windows, "com.apple.finder"),
        (Platform.unknown, "org.telegram.messenger"),
    ],
)
def test_not_protected(platform, app_id):
    assert is_protected(platform, app_id) is None


def test_what_a_glob_would_hit():
    assert "com.android.*" in protected_under(Platform.android, "com.android.")
    assert "com.android.*" in protected_under(Platform.android, "com.android.settings.")
    assert "com.google.android.gms" in protected_under(Platform.android, "com.google.android.")
    assert protected_under(Platform.android, "com.kaspersky.") == ()
    assert protected_under(Platform.windows, "com.") == ()


def test_every_entry_has_a_source_and_is_no_target_of_ours(catalogue):
    for group in groups():
        assert group.source.startswith("https://")
        assert group.values
    for _, product in catalogue.products():
        for identifier in product.identifiers:
            if identifier.type in APP_IDS:
                assert is_protected(identifier.platform, identifier.value) is None
