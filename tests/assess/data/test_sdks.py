"""The pack of SDKs: shape, sources, and that each name belongs to one maker."""

from __future__ import annotations

import re
from datetime import date

import pytest

SINGLE_LABELS = {
    # Roots that one project owns, although they have no dot.
    "androidx", "bolts", "butterknife", "coil", "coil3", "dagger", "expo", "googledata", "hilt_aggregated_deps", "j$",
    "jsinterop", "junit", "kotlin", "kotlinx", "leakcanary", "libv2ray", "mono", "mtopsdk", "okhttp3", "okio",
    "retrofit", "retrofit2", "sqip", "xamarin", "xcrash", "zendesk",
}  # fmt: skip
TOO_WIDE = {"com.google", "com.android", "com.example", "com.github", "com.sdk", "com.app", "com.mobile", "com.my"}
CATEGORIES = {
    "ads", "analytics", "antifraud", "attribution", "biometrics", "carrier", "commerce", "consent", "crash",
    "framework", "hook", "hotfix", "identifier", "iot", "library", "location", "login", "management", "maps", "media",
    "messaging", "packer", "payment", "performance", "platform", "plugin", "push", "replay", "scanner", "security",
    "social", "speech", "support", "testing", "vendor", "vpn", "webview",
}  # fmt: skip

SERVED = {"ads", "analytics", "attribution", "consent", "payment", "push", "replay", "social", "vendor", "webview"}


@pytest.fixture(scope="module")
def sdks(packs):
    return packs.sdks


def test_there_are_enough_and_the_makers_that_matter_are_among_them(sdks):
    assert len(sdks) >= 250
    vendors = {row.vendor for row in sdks.values()}
    wanted = {"Tencent", "Baidu", "Alibaba Group", "Umeng", "ByteDance", "Huawei", "Xiaomi", "OPPO", "vivo", "Yandex"}
    wanted |= {"VK", "Kaspersky", "Google", "Meta Platforms", "AppsFlyer", "Adjust", "Unity Technologies", "NetEase"}
    assert wanted <= vendors


def test_no_list_that_is_not_free_is_a_source(pack_files):
    for pack in pack_files.values():
        for source in pack.header.sources:
            assert not re.search(r"etip|exodus", f"{source.id} {source.what.en} {source.where}".lower())
            assert "NC" not in source.licence
            assert "ODbL" not in source.licence


@pytest.mark.parametrize("pack", ["sdks", "hosts", "operators", "jurisdictions"])
def test_every_source_is_used_and_says_what_it_is(pack_files, pack):
    header, rows = pack_files[pack].header, pack_files[pack].rows
    assert {source.id for source in header.sources} == {row.source for row in rows}
    for source in header.sources:
        assert all((source.what.en, source.what.fr, source.where, source.revision, source.licence))
    assert [source.id for source in header.sources] == sorted(source.id for source in header.sources)


def test_rows_are_whole(sdks):
    for row in sdks.values():
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", row.id)
        assert row.name == row.name.strip() != ""
        assert row.vendor
        assert row.category in CATEGORIES
        assert row.evidence_class in {"package", "native", "framework", "component"}
        assert (row.evidence_class == "package") == bool(row.prefixes)
        assert row.prefixes or row.native or row.frameworks
        assert date.fromisoformat(row.reviewed) <= date(2026, 11, 22)
        for values in (row.prefixes, row.native, row.frameworks, row.components):
            assert list(values) == sorted(set(values))


def test_country_and_operator_tell_the_same(packs, sdks):
    for row in sdks.values():
        if row.operator:
            assert row.country == packs.operators[row.operator].country, row.id
        assert not row.country or row.country in packs.jurisdictions, row.id


def test_code_that_needs_no_service_has_no_operator(sdks):
    """A library that only runs on the device exposes nobody to its maker's country; who shows ads does."""
    for name in ("tencent-mmkv", "kotlin-stdlib", "aosp-androidx", "square-okhttp", "meta-react-native", "junit-lib"):
        assert sdks[name].operator == "", name
    for row in sdks.values():
        assert row.operator or row.category not in SERVED, row.id


def test_prefixes_are_names_of_packages_and_not_too_wide(sdks):
    for row in sdks.values():
        for prefix in row.prefixes:
            assert re.fullmatch(r"[A-Za-z_$][\w$]*(\.[A-Za-z_]\w*)*", prefix), prefix
            assert prefix not in TOO_WIDE
            assert "." in prefix or prefix in SINGLE_LABELS, prefix
            assert all(len(part) > 1 or row.country == "" for part in prefix.split(".")[:1]) or prefix.startswith("j$")


def test_a_prefix_under_another_maker_s_is_a_company_of_the_same_house(packs, sdks):
    """Longest prefix wins, so nesting is fine within a house; between houses it would hide somebody."""
    owner = {prefix: row for row in sdks.values() for prefix in row.prefixes}
    mixed = []
    for prefix, row in owner.items():
        above = prefix.rpartition(".")[0]
        while above:
            other = owner.get(above)
            if other is not None and other.vendor != row.vendor:
                inner = {one.id for one in packs.owners(row.operator)}
                outer = {one.id for one in packs.owners(other.operator)}
                if not inner & outer:
                    mixed.append((prefix, row.id, other.id))
            above = above.rpartition(".")[0]
    assert mixed == []


@pytest.mark.parametrize(
    ("name", "sdk"),
    [
        ("com.tencent.smtt.sdk.WebView", "tencent-tbs"),
        ("com.tencent.tbs.one.TBSOneManager", "tencent-tbs"),
        ("com.tencent.mm.opensdk.openapi.IWXAPI", "tencent-wechat-open"),
        ("com.tencent.tauth.Tencent", "tencent-open"),
        ("com.tencent.bugly.crashreport.CrashReport", "tencent-bugly"),
        ("com.tencent.beacon.event.UserAction", "tencent-beacon"),
        ("com.tencent.stat.StatService", "tencent-mta"),
        ("com.tencent.android.tpush.XGPushManager", "tencent-push"),
        ("com.tencent.map.geolocation.TencentLocation", "tencent-map"),
        ("com.tencent.mmkv.MMKV", "tencent-mmkv"),
        ("com.tencent.news.Anything", "tencent-other"),
        ("com.tencentmusic.App", None),
        ("com.baidu.location.LocationClient", "baidu-map"),
        ("com.umeng.analytics.MobclickAgent", "umeng-analytics"),
        ("com.alipay.sdk.app.PayTask", "alipay-sdk"),
        ("com.amap.api.location.AMapLocationClient", "amap-sdk"),
        ("com.taobao.accs.ChannelService", "alibaba-push"),
        ("com.bytedance.sdk.openadsdk.TTAdSdk", "bytedance-pangle"),
        ("com.bytedance.applog.AppLog", "bytedance-applog"),
        ("com.huawei.hms.push.HmsMessageService", "huawei-push"),
        ("com.huawei.hms.common.ApiException", "huawei-hms"),
        ("com.xiaomi.mipush.sdk.MiPushClient", "xiaomi-push"),
        ("com.heytap.msp.push.HeytapPushManager", "oppo-push"),
        ("com.vivo.push.PushClient", "vivo-push"),
        ("com.meizu.cloud.pushsdk.PushManager", "meizu-push"),
        ("cn.jpush.android.api.JPushInterface", "jiguang-push"),
        ("com.igexin.sdk.PushManager", "getui-push"),
        ("com.sensorsdata.analytics.android.sdk.SensorsDataAPI", "sensorsdata-sdk"),
        ("com.tendcloud.tenddata.TCAgent", "talkingdata-sdk"),
        ("com.iflytek.cloud.SpeechUtility", "iflytek-speech"),
        ("com.yandex.metrica.YandexMetrica", "yandex-appmetrica"),
        ("io.appmetrica.analytics.AppMetrica", "yandex-appmetrica"),
        ("com.yandex.mapkit.MapKitFactory", "yandex-maps"),
        ("com.yandex.mobile.ads.banner.BannerAdView", "yandex-ads"),
        ("com.my.target.ads.MyTargetView", "vk-mytarget"),
        ("com.my.tracker.MyTracker", "vk-mytracker"),
        ("com.vk.api.sdk.VK", "vk-sdk"),
        ("com.kavsdk.KavSdk", "kaspersky-sdk"),
        ("com.appsflyer.AppsFlyerLib", "appsflyer-sdk"),
        ("com.google.android.gms.ads.AdView", "google-admob"),
        ("com.google.android.gms.location.LocationServices", "google-maps"),
        ("com.google.android.gms.common.GoogleApiAvailability", "google-gms"),
        ("com.google.firebase.messaging.FirebaseMessaging", "google-firebase-messaging"),
        ("com.google.firebase.FirebaseApp", "google-firebase"),
        ("com.google.unheard.Of", None),
        ("com.facebook.react.ReactActivity", "meta-react-native"),
        ("com.facebook.login.LoginManager", "meta-login"),
        ("com.unity3d.player.UnityPlayer", "unity-engine"),
        ("com.unity3d.ads.UnityAds", "unity-ads"),
        ("com.ironsource.mediationsdk.IronSource", "ironsource-sdk"),
        ("okhttp3.internal.Util", "square-okhttp"),
        ("retrofit2.Retrofit", "square-retrofit"),
        ("com.bumptech.glide.Glide", "bumptech-glide"),
        ("io.reactivex.Observable", "reactivex-rxjava"),
        ("kotlin.Unit", "kotlin-stdlib"),
        ("kotlinx.coroutines.Job", "kotlin-stdlib"),
        ("androidx.core.app.ActivityCompat", "aosp-androidx"),
        ("androidx.test.runner.AndroidJUnitRunner", "aosp-test"),
        ("com.google.gson.Gson", "google-gson"),
        ("com.google.protobuf.Message", "google-protobuf"),
        ("io.flutter.embedding.android.FlutterActivity", "flutter-engine"),
        ("org.apache.cordova.CordovaActivity", "apache-cordova"),
        ("io.appium.uiautomator2.server.Server", "appium-server"),
        ("us.zoom.sdk.ZoomSDK", "zoom-sdk"),
        ("io.agora.rtc2.RtcEngine", "agora-rtc"),
        ("com.thingclips.smart.home.sdk.ThingHomeSdk", "tuya-iot"),
        ("rx.internal.util.RxRingBuffer", "reactivex-rxjava"),
        ("rx.Observable", None),
        ("android.app.Activity", None),
        ("java.lang.String", None),
    ],
)
def test_callers_are_named_as_what_they_are(packs, name, sdk):
    row = packs.sdk_of(name)
    assert (row.id if row else None) == sdk


def test_native_libraries_and_frameworks_are_named_too(packs):
    assert packs.sdk_of_native("lib/armeabi-v7a/libmmkv.so").id == "tencent-mmkv"
    assert packs.sdk_of_native("lib/arm64-v8a/libjiagu.so").category == "packer"
    assert packs.sdk_of_native("lib/arm64-v8a/libflutter.so").id == "flutter-engine"
    assert packs.sdk_of_framework("WechatOpenSDK").vendor == "Tencent"
    assert packs.sdk_of_framework("FBSDKCoreKit.framework").id == "meta-core"
    for row in packs.sdks.values():
        assert all(re.fullmatch(r"lib[\w.+-]+\.so", name) for name in row.native), row.id
        assert all(
            re.fullmatch(r"[A-Za-z][\w.-]*", name) and not name.endswith(".framework") for name in row.frameworks
        )


def test_french_is_there_and_clean(pack_files):
    """The rules of the house for punctuation, held over every bilingual text of these packs."""
    texts = []
    for pack in pack_files.values():
        texts += [pack.header.about, *(source.what for source in pack.header.sources)]
        for row in pack.rows:
            texts += [row.purpose] if pack.header.pack == "sdks" else []
            texts += list(getattr(row, "laws", ()))
    assert len(texts) > 400
    for text in texts:
        assert text.en.strip() == text.en != ""
        assert text.fr.strip() == text.fr != ""
        if len(re.findall(r"[a-z]{3,}", text.en)) >= 3:
            assert text.en != text.fr
        assert not re.search(r"[\s\u00a0][;!?](\s|$)", text.fr), text.fr
        assert not re.search(r" :(\s|$)|[a-zé»]: ", text.fr), text.fr
        assert not re.search("«[^\u00a0]|[^\u00a0]»|[\u2019\u202f]", text.fr), text.fr
        assert not re.search(r"\b(magasins?|progiciels?|réglages?|sourcée?s?|ids?)\b", text.fr), text.fr
