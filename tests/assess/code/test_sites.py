"""What counts as a site: every form of instruction, inherited calls, callbacks, constants handed in."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest

from proscribe.assess.facts import CodeFacts, Reading, Site
from proscribe.assess.terms import Extent, SiteKind

Read = Callable[..., Reading[CodeFacts]]
SEND = ("Lapi/Sms;", "send")
FOR_NAME = ("Ljava/lang/Class;", "forName")
FOR_NAME_REF = (*FOR_NAME, "(Ljava/lang/String;)Ljava/lang/Class;")
RETURN = 0x0E


def sites(reading: Reading[CodeFacts], kind: SiteKind = SiteKind.call) -> list[Site]:
    assert reading.facts is not None
    assert all(run.extent in {Extent.complete, Extent.absent} for run in reading.runs), reading.runs
    return [site for site in reading.facts.sites if site.kind is kind]


def one_method(dx: ModuleType, code: list[object], **names: object) -> bytes:
    dex = dx.Dex()
    dex.add("Lapp/Main;").method("go", "()V", [*code, RETURN])
    return dex.build()


@pytest.mark.parametrize("opcode", [0x6E, 0x6F, 0x70, 0x71, 0x72, 0xFA])
def test_every_invoke_is_a_call(dx: ModuleType, read: Read, opcode: int) -> None:
    target = dx.call("Lapi/Sms;", "send", "(ILjava/lang/String;)V")
    found = sites(read(one_method(dx, [0, 0, *dx.invoke(opcode, [1, 2], target)]), methods={SEND}))
    assert [(site.subject, site.watch, site.caller, site.offset) for site in found] == [
        ("Lapi/Sms;->send(ILjava/lang/String;)V", "Lapi/Sms;->send", "Lapp/Main;->go()V", 2)
    ]


@pytest.mark.parametrize("opcode", [0x74, 0x75, 0x76, 0x77, 0x78, 0xFB])
def test_every_invoke_range_is_a_call(dx: ModuleType, read: Read, opcode: int) -> None:
    target = dx.call(*SEND, "()V")
    code = [*dx.invoke_range(opcode, 3, 1, target), *dx.invoke_range(opcode, 4, 1, target)]
    width = len(code) // 2
    assert [site.offset for site in sites(read(one_method(dx, code), methods={SEND}))] == [0, width]


@pytest.mark.parametrize("opcode", [0x73, 0x79, 0x60, 0x0A, 0xFC, 0xFD])
def test_other_instructions_with_the_same_index_are_no_calls(dx: ModuleType, read: Read, opcode: int) -> None:
    reading = read(one_method(dx, [opcode, dx.call(*SEND, "()V"), 0]), methods={SEND})
    assert sites(reading) == []
    assert [site.subject for site in sites(reading, SiteKind.reference)] == ["Lapi/Sms;->send()V"]


def test_operands_that_look_like_a_call_are_none(dx: ModuleType, read: Read) -> None:
    target = dx.call(*SEND, "()V")
    hidden = [0x0018, 0x106E, target, 0x0000, 0x0000]  # const-wide with an invoke in its 64 bits
    assert sites(read(one_method(dx, hidden), methods={SEND})) == []


@pytest.mark.parametrize(
    "payload",
    [
        [0x0100, 2, 0, 0, "call", "call", 0, 0],  # packed-switch of two targets
        [0x0200, 1, 0, 0, "call", "call"],
        [0x0300, 2, 3, 0, "call", "call", 0],  # fill-array-data: three elements of two bytes
    ],
)
def test_payloads_are_no_code(dx: ModuleType, read: Read, payload: list[object]) -> None:
    target = dx.call(*SEND, "()V")
    looks = [0x106E, target]
    data = [looks.pop(0) if unit == "call" else unit for unit in payload]
    real = dx.invoke(0x6E, [1], target)
    reading = read(one_method(dx, [0x0228, 0, *data, *real]), methods={SEND})
    assert [site.offset for site in sites(reading)] == [2 + len(payload)]


def test_unused_opcodes_are_told(dx: ModuleType, read: Read) -> None:
    reading = read(one_method(dx, [0x3E, *dx.invoke(0x71, [], dx.call(*SEND, "()V"))]), methods={SEND})
    assert [site.offset for site in sites(reading)] == [1]
    assert [(anomaly.code, anomaly.detail) for anomaly in reading.anomalies] == [("code.bad-opcode", "1")]


def test_any_overload_counts_and_other_names_do_not(dx: ModuleType, read: Read) -> None:
    code = [
        *dx.invoke(0x71, [], dx.call("Lapi/Sms;", "send", "()V")),
        *dx.invoke(0x71, [], dx.call("Lapi/Sms;", "send", "(J[[Ljava/lang/String;)I")),
        *dx.invoke(0x71, [], dx.call("Lapi/Sms;", "sendAll", "()V")),
        *dx.invoke(0x71, [], dx.call("Lapi/Other;", "send", "()V")),
    ]
    found = sites(read(one_method(dx, code), methods={SEND}))
    assert [site.subject for site in found] == ["Lapi/Sms;->send()V", "Lapi/Sms;->send(J[[Ljava/lang/String;)I"]


# ---- through subclasses --------------------------------------------------------------------------------------------


def test_a_call_through_a_subclass_in_another_dex(dx: ModuleType, read: Read) -> None:
    first, second = dx.Dex(), dx.Dex()
    first.add("Lapp/Main;").method("go", "()V", [*dx.invoke(0x6E, [1], dx.call("Lapp/Two;", "send", "()V")), RETURN])
    first.add("Lapp/Two;", "Lapp/One;")
    second.add("Lapp/One;", "Lapi/Sms;")
    (site,) = sites(read(first.build(), second.build(), methods={SEND}))
    assert (site.subject, site.watch, site.member) == ("Lapp/Two;->send()V", "Lapi/Sms;->send", "classes.dex")


def test_a_class_that_defines_the_method_hides_the_watched_one(dx: ModuleType, read: Read) -> None:
    dex = dx.Dex()
    own = [
        *dx.invoke(0x6E, [1], dx.call("Lapp/Own;", "send", "()V")),
        *dx.invoke(0x6E, [1], dx.call("Lapp/Own;", "send", "(I)V")),  # another overload: inherited
        *dx.invoke(0x6E, [1], dx.call("Lapp/Below;", "send", "()V")),
        *dx.invoke(0x6F, [1], dx.call("Lapi/Sms;", "send", "()V")),  # invoke-super, literally
        RETURN,
    ]
    dex.add("Lapp/Own;", "Lapi/Sms;").method("send", "()V", own)
    dex.add("Lapp/Below;", "Lapp/Own;")
    found = sites(read(dex.build(), methods={SEND}))
    assert [(site.subject, site.offset) for site in found] == [("Lapp/Own;->send(I)V", 3), ("Lapi/Sms;->send()V", 9)]


def test_constructors_are_not_inherited(dx: ModuleType, read: Read) -> None:
    dex = dx.Dex()
    code = [
        *dx.invoke(0x70, [1], dx.call("Lapp/Loader;", "<init>", "()V")),
        *dx.invoke(0x70, [1], dx.call("Lapi/Loader;", "<init>", "()V")),
        RETURN,
    ]
    dex.add("Lapp/Loader;", "Lapi/Loader;").method("make", "()V", code)
    found = sites(read(dex.build(), methods={("Lapi/Loader;", "<init>")}))
    assert [site.subject for site in found] == ["Lapi/Loader;-><init>()V"]


def test_cyclic_superclasses_end(dx: ModuleType, read: Read) -> None:
    dex = dx.Dex()
    code = [*dx.invoke(0x6E, [1], dx.call("Lapp/A;", "send", "()V")), RETURN]
    dex.add("Lapp/A;", "Lapp/B;", ["Lapp/I;"]).method("go", "()V", code)
    dex.add("Lapp/B;", "Lapp/A;", ["Lapi/Sms;"])
    dex.add("Lapp/I;", "Lapp/I;", ["Lapp/I;"])
    (site,) = sites(read(dex.build(), methods={SEND}))
    assert site.watch == "Lapi/Sms;->send"


def test_a_chain_deeper_than_any_real_one_is_cut_and_said(dx: ModuleType, read: Read) -> None:
    dex = dx.Dex()
    dex.add("Lapp/C0;", "Lapi/Sms;")
    for at in range(1, 80):
        dex.add(f"Lapp/C{at};", f"Lapp/C{at - 1};")
    code = [*dx.invoke(0x6E, [1], dx.call("Lapp/C78;", "send", "()V"))]
    code += [*dx.invoke(0x6E, [1], dx.call("Lapp/C40;", "send", "()V")), RETURN]
    dex.add("Lapp/Main;").method("go", "()V", code)
    reading = read(dex.build(), methods={SEND})
    assert reading.facts is not None
    assert [site.subject for site in reading.facts.sites if site.kind is SiteKind.call] == ["Lapp/C40;->send()V"]
    assert (reading.runs[0].extent, reading.runs[0].problem) == (Extent.partial, "code.deep-hierarchy")


# ---- callbacks -----------------------------------------------------------------------------------------------------


def test_callbacks_of_superclasses_and_interfaces(dx: ModuleType, read: Read) -> None:
    dex = dx.Dex()
    dex.add("Lapp/Service;", "Lapi/Listener;").method("onEvent", "(I)V", [0, 0, RETURN])
    dex.add("Lapp/Trust;", "Ljava/lang/Object;", ["Lapi/Trust;"]).method("check", "()V", [RETURN])
    dex.add("Lapp/Verify;", "Ljava/lang/Object;", ["Lapp/Sub;"]).method("verify", "()Z", [0x1112, 0x010F])
    dex.add("Lapp/Sub;", "Ljava/lang/Object;", ["Lapi/Verify;"]).method("verify", "()Z", None)
    dex.add("Lapp/Stranger;").method("onEvent", "(I)V", [RETURN])
    watched = {("Lapi/Listener;", "onEvent"), ("Lapi/Trust;", "check"), ("Lapi/Verify;", "verify")}
    found = sites(read(dex.build(), callbacks=watched), SiteKind.callback)
    assert [(site.caller, site.watch, site.offset, site.literal) for site in found] == [
        ("Lapp/Service;->onEvent(I)V", "Lapi/Listener;->onEvent", 0, ""),
        ("Lapp/Trust;->check()V", "Lapi/Trust;->check", 0, "empty-body"),
        ("Lapp/Verify;->verify()Z", "Lapi/Verify;->verify", 0, "always-true"),
    ]
    assert all(site.subject == site.caller for site in found)


@pytest.mark.parametrize(
    ("body", "mark"),
    [
        ([0x1112, 0x010F], "always-true"),
        ([0x0112, 0x010F], ""),  # returns 0
        ([0x1112, 0x020F], ""),  # another register
        ([0x1112, 0x0000, 0x010F], ""),
        ([0x0000], ""),
    ],
)
def test_only_the_plain_body_says_always_true(dx: ModuleType, read: Read, body: list[int], mark: str) -> None:
    dex = dx.Dex()
    dex.add("Lapp/Verify;", "Lapi/Verify;").method("verify", "()Z", body)
    (site,) = sites(read(dex.build(), callbacks={("Lapi/Verify;", "verify")}), SiteKind.callback)
    assert site.literal == mark


@pytest.mark.parametrize(
    ("hand_over", "target", "mark"),
    [
        ([0x010A, 0x010F], [0x1012, 0x000F], "always-true"),
        ([0x010A, 0x010F], [0x0012, 0x000F], ""),
        ([0x010A, 0x020F], [0x1012, 0x000F], ""),  # returns another register
        ([0x000E], [0x000E], "empty-body"),
        ([0x0000, 0x000E], [0x000E], ""),
        ([0x000E], None, ""),  # the method is elsewhere
    ],
)
def test_a_lambda_is_what_it_calls(
    dx: ModuleType, read: Read, hand_over: list[int], target: list[int] | None, mark: str
) -> None:
    dex = dx.Dex()
    code = [*dx.invoke(0x71, [1], dx.call("Lapp/Main;", "lambda$0", "(I)Z")), *hand_over]
    dex.add("Lapp/Lambda;", "Ljava/lang/Object;", ["Lapi/Verify;"]).method("verify", "()Z", code)
    main = dex.add("Lapp/Main;")
    if target:
        main.method("lambda$0", "(I)Z", target)
    (site,) = sites(read(dex.build(), callbacks={("Lapi/Verify;", "verify")}), SiteKind.callback)
    assert site.literal == mark


def test_a_second_definition_of_a_class_is_not_what_runs(dx: ModuleType, read: Read) -> None:
    first, second = dx.Dex(), dx.Dex()
    first.add("Lapp/X;", "Ljava/lang/Object;").method("onEvent", "(I)V")
    second.add("Lapp/X;", "Lapi/Listener;").method("onEvent", "(I)V")
    reading = read(first.build(), second.build(), callbacks={("Lapi/Listener;", "onEvent")})
    assert sites(reading, SiteKind.callback) == []


# ---- fields and strings --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("opcode", [0x60, 0x62, 0x66, 0x52, 0x54, 0x58])
def test_reading_a_watched_field(dx: ModuleType, read: Read, opcode: int) -> None:
    uri = dx.field_("Lapi/Contacts;", "CONTENT_URI", "Landroid/net/Uri;")
    other = dx.field_("Lapi/Contacts;", "OTHER_URI", "Landroid/net/Uri;")
    code = [*dx.sget(1, other, opcode), *dx.sget(1, uri, opcode)]
    (site,) = sites(read(one_method(dx, code), fields={("Lapi/Contacts;", "CONTENT_URI")}), SiteKind.field)
    assert (site.subject, site.watch, site.offset) == (
        "Lapi/Contacts;->CONTENT_URI:Landroid/net/Uri;",
        "Lapi/Contacts;->CONTENT_URI",
        2,
    )


def test_writing_a_field_is_no_site(dx: ModuleType, read: Read) -> None:
    uri = dx.field_("Lapi/Contacts;", "CONTENT_URI", "Landroid/net/Uri;")
    code = [*dx.sget(1, uri, 0x69), *dx.sget(1, uri, 0x5B)]
    assert sites(read(one_method(dx, code), fields={("Lapi/Contacts;", "CONTENT_URI")}), SiteKind.field) == []


def test_strings_by_their_start_or_whole(dx: ModuleType, read: Read) -> None:
    code = [
        *dx.const_string(1, "content://sms/inbox"),
        *dx.const_string_jumbo(2, "content://sms"),
        *dx.const_string(3, "see content://sms"),
        *dx.const_string(4, "whole\0é𝄞"),
        *dx.const_string(5, "whole"),
    ]
    reading = read(one_method(dx, code), uris={"content://sms", "content://sms/in"}, strings={"whole\0é𝄞"})
    assert [(site.subject, site.watch, site.offset) for site in sites(reading, SiteKind.string)] == [
        ("content://sms/inbox", "content://sms/in", 0),
        ("content://sms", "content://sms", 2),
        ("whole\0é𝄞", "whole\0é𝄞", 7),
    ]


def test_a_string_beyond_16_bits_needs_jumbo(dx: ModuleType, read: Read) -> None:
    dex = dx.Dex()
    dex.mention(*(dx.string(f"a{number:05d}") for number in range(0x10010)))
    code = [*dx.const_string_jumbo(1, "content://sms"), 0x001B, 0x0005, 0x0000, RETURN]
    dex.add("Lapp/Main;").method("go", "()V", code)
    found = sites(read(dex.build(), uris={"content://sms"}), SiteKind.string)
    assert [site.offset for site in found] == [0]


def test_a_string_without_code_is_a_reference(dx: ModuleType, read: Read) -> None:
    dex = dx.Dex()
    dex.mention(dx.string("content://sms"), dx.call(*SEND, "()V"))
    found = sites(read(dex.build(), uris={"content://sms"}, methods={SEND}), SiteKind.reference)
    assert [(site.subject, site.watch, site.caller, site.offset) for site in found] == [
        ("Lapi/Sms;->send()V", "Lapi/Sms;->send", "", -1),
        ("content://sms", "content://sms", "", -1),
    ]


# ---- the constant handed in ----------------------------------------------------------------------------------------


def literal_of(dx: ModuleType, read: Read, before: list[object], registers: list[int]) -> str:
    code = [*before, *dx.invoke(0x71, registers, dx.call(*FOR_NAME_REF))]
    (site,) = sites(read(one_method(dx, code), methods={FOR_NAME}))
    return site.literal


@pytest.mark.parametrize(
    ("between", "literal"),
    [
        ([], "a.b.C"),
        ([0x0001], "a.b.C"),  # move v0, v0: another register
        ([0x0212], "a.b.C"),  # const/4 v2
        ([0x0112], ""),  # const/4 v1: overwritten
        ([0x0016, 0x0000], ""),  # const-wide/16 v0 writes v0 and v1
        ([0x0116, 0x0000], ""),
        ([0x010C], ""),  # move-result-object v1
        ([0x0103, 0x0001, 0x0000], ""),  # move/16 v1
        ([0x0128], ""),  # goto: another block
        ([0x0038, 0x0002], ""),  # if-eqz
        ([0x0127], ""),  # throw
    ],
)
def test_a_constant_counts_where_it_is_plain(dx: ModuleType, read: Read, between: list[int], literal: str) -> None:
    assert literal_of(dx, read, [*dx.const_string(1, "a.b.C"), *between], [1]) == literal


def test_the_nearest_constant_in_an_argument_wins(dx: ModuleType, read: Read) -> None:
    before = [*dx.const_string(1, "far"), *dx.const_string_jumbo(2, "near"), *dx.const_string(3, "not handed in")]
    assert literal_of(dx, read, before, [1, 2]) == "near"


def test_a_range_call_takes_constants_too(dx: ModuleType, read: Read) -> None:
    code = [*dx.const_string(20, "a.b.C"), *dx.invoke_range(0x77, 18, 3, dx.call(*FOR_NAME_REF))]
    (site,) = sites(read(one_method(dx, code), methods={FOR_NAME}))
    assert site.literal == "a.b.C"


def test_a_constant_that_a_branch_passes_by_is_not_plain(dx: ModuleType, read: Read) -> None:
    # if-eqz v0 leads behind the const-string, so that the call may see something else.
    code = [0x0038, 0x0004, *dx.const_string(1, "maybe"), *dx.invoke(0x71, [1], dx.call(*FOR_NAME_REF))]
    (site,) = sites(read(one_method(dx, code), methods={FOR_NAME}))
    assert site.literal == ""


def test_a_loop_back_behind_the_constant_is_seen(dx: ModuleType, read: Read) -> None:
    code = [*dx.const_string(1, "first"), *dx.invoke(0x71, [1], dx.call(*FOR_NAME_REF)), 0x010C, 0xFC28]
    (site,) = sites(read(one_method(dx, code), methods={FOR_NAME}))
    assert site.literal == ""


def test_a_switch_that_leads_in_between_is_seen(dx: ModuleType, read: Read) -> None:
    call = dx.invoke(0x71, [1], dx.call(*FOR_NAME_REF))
    code = [0x002B, 10, 0, *dx.const_string(1, "maybe"), *call, RETURN, 0, 0x0100, 1, 0, 0, 5, 0]
    (site,) = sites(read(one_method(dx, code), methods={FOR_NAME}))
    assert site.literal == ""
    code[14] = 8  # leads elsewhere
    (site,) = sites(read(one_method(dx, code), methods={FOR_NAME}))
    assert site.literal == "maybe"


def test_reflection_is_counted_without_being_watched(dx: ModuleType, read: Read) -> None:
    code = dx.invoke(0x71, [1], dx.call(*FOR_NAME_REF)) * 3
    reading = read(one_method(dx, code))
    assert reading.facts is not None
    assert reading.facts.reflection == 3
    assert reading.facts.sites == ()
