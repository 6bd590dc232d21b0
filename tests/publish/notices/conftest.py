"""What notices are made of in these tests, and readers of PDF that share nothing with what writes them."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pikepdf
import pytest

from proscribe.decide.model import (
    Claim,
    ClaimResponse,
    ClaimStatus,
    Decision,
    EvidenceItem,
    EvidenceKind,
    EvidenceRegister,
    Track,
    VendorRecord,
)
from proscribe.directive.library import find
from proscribe.directive.model import Directive
from proscribe.documents import digest
from proscribe.publish.notices.compose import compose
from proscribe.publish.notices.model import Audience, Contact, Notice, Particulars
from proscribe.text import Text

AT = datetime(2023, 10, 20, 14, 30, tzinfo=UTC)
CASE = "2023-11"
CONTACT = Contact(
    Text("Mobile device team", "Équipe des appareils mobiles"),
    email="mobile@example.org",
    telephone="613-555-0100",
    address=Text("1 Harbour Road, Halifax", "1, chemin du Havre, Halifax"),
)
MORE = Particulars(reply_by=date(2023, 11, 20), acknowledge_by=date(2023, 10, 30), attest_by=date(2023, 12, 15))


@pytest.fixture
def directive() -> Directive:
    return find("ca-tbs-2023-wechat-kaspersky")


@pytest.fixture
def evidence() -> EvidenceRegister:
    """Three claims: one on public evidence and contested, one on secret evidence, one withdrawn."""

    def item(name: str, claim: str, *, public: bool) -> EvidenceItem:
        return EvidenceItem(
            id=name,
            kind=EvidenceKind.measurement,
            title=Text(f"Measurement {name} of the app", f"Mesure {name} de l'application"),
            source="https://example.org/measurement",
            collected_by="analyst",
            collected_at=AT,
            marking="TLP:CLEAR" if public else "Secret",
            public=public,
            supports=(claim,),
            does_not_show=Text(f"Why the app does this ({name})", f"Pourquoi l'application le fait ({name})"),
        )

    return EvidenceRegister(
        case=CASE,
        version=1,
        items=(
            item("open", "reads-contacts", public=True),
            item("closed", "answers-to-others", public=False),
            item("old", "sells-data", public=True),
        ),
        claims=(
            Claim(
                "reads-contacts",
                Text("The app reads the list of contacts", "L'application lit la liste de contacts"),
                ClaimStatus.contested,
                reply=Text("Only when the user agrees", "Seulement avec l'accord de l'utilisateur"),
            ),
            Claim(
                "answers-to-others",
                Text("The maker can be compelled in secret", "L'éditeur peut être contraint en secret"),
                ClaimStatus.asserted,
            ),
            Claim(
                "sells-data",
                Text("The maker sells the data", "L'éditeur vend les données"),
                ClaimStatus.withdrawn,
            ),
        ),
    )


@pytest.fixture
def record() -> VendorRecord:
    return VendorRecord(
        case=CASE,
        vendor=Text("The maker of the app", "L'éditeur de l'application"),
        notice_sent=date(2023, 9, 1),
        reply_due=date(2023, 10, 1),
        reply_received=date(2023, 9, 20),
        responses=(
            ClaimResponse(
                "reads-contacts",
                Text("The user is asked beforehand", "L'utilisateur est consulté au préalable"),
                Text("Most users cannot tell what they agree to", "La plupart ne savent pas à quoi ils consentent"),
                changed=False,
            ),
        ),
    )


@pytest.fixture
def decide() -> Callable[..., Decision]:
    """A decision on a directive, with what is changed in it."""

    def decided(directive: Directive, **changes: Any) -> Decision:
        decision = Decision(
            case=CASE,
            at=AT,
            decided_by=Text("Chief Information Officer", "Dirigeante principale de l'information"),
            role="cio",
            track=Track.standard,
            legal_basis=(Text("Section 4 of the policy on service", "Article 4 de la politique sur les services"),),
            stated_reasons=(
                Text(
                    "The app sends the list of contacts abroad",
                    "L'application envoie la liste de contacts à l'étranger",
                ),
            ),
            compromise_found=directive.compromise_found,
            directive=digest(directive),
            targets=digest(directive),
            evidence=digest(directive),
            impact=None,
            vendor=None,
            reviews=(),
        )
        return replace(decision, **changes)

    return decided


@pytest.fixture
def make() -> Callable[..., Notice]:
    """A notice with what every notice needs."""

    def made(audience: Audience, directive: Directive, decision: Decision | None = None, **changes: Any) -> Notice:
        more = replace(MORE, **changes)
        return compose(audience, directive, decision, contact=CONTACT, at=AT, more=more)

    return made


# ---- PDF, read by pikepdf --------------------------------------------------------------------------------------------

PDF_UA = re.compile(r"pdfuaid:part(?:>|=\")\s*1")
STANDARD = set(
    re.findall(
        r"\w+",
        """Document Part Art Sect Div BlockQuote Caption TOC TOCI Index NonStruct Private P H H1 H2 H3 H4 H5 H6 L LI Lbl
        LBody Table TR TH TD THead TBody TFoot Span Quote Note Reference BibEntry Code Link Annot Ruby Warichu Figure
        Formula Form""",
    )
)
CHILDREN = {
    "L": {"Caption", "L", "LI"},
    "LI": {"Lbl", "LBody"},
    "Table": {"Caption", "TR", "THead", "TBody", "TFoot"},
    "THead": {"TR"},
    "TBody": {"TR"},
    "TR": {"TH", "TD"},
}
SHOWS = {"Tj", "TJ", "'", '"', "S", "s", "f", "F", "f*", "B", "B*", "b", "b*", "sh", "Do"}


class Pdf:
    """A PDF as an assistive technology meets it."""

    def __init__(self, data: bytes) -> None:
        self.file = pikepdf.open(io.BytesIO(data))
        self.root = self.file.Root

    def elements(self) -> Iterator[tuple[pikepdf.Dictionary, tuple[str, ...]]]:
        """Structure elements in reading order, each with the standard types from the root down to it."""
        tree = self.root.get("/StructTreeRoot")
        if tree is not None:
            yield from self._walk(tree.get("/K"), ())

    def _walk(self, node: Any, path: tuple[str, ...]) -> Iterator[tuple[pikepdf.Dictionary, tuple[str, ...]]]:
        if isinstance(node, pikepdf.Array):
            for one in node:
                yield from self._walk(one, path)
        elif isinstance(node, pikepdf.Dictionary) and "/S" in node:
            here = (*path, self.standard(str(node.S)[1:]))
            yield node, here
            yield from self._walk(node.get("/K"), here)

    def standard(self, name: str) -> str:
        """The standard type that a type is mapped to."""
        roles = self.root.StructTreeRoot.get("/RoleMap", {})
        seen = {name}
        while name not in STANDARD and f"/{name}" in roles:
            name = str(roles[f"/{name}"])[1:]
            assert name not in seen, "a role map in a circle"
            seen.add(name)
        return name

    def types(self) -> list[str]:
        """The type of every element, in reading order."""
        return [path[-1] for _, path in self.elements()]

    def text(self, *types: str) -> str:
        """The text of elements of these types (of all, where none is named), in reading order."""
        pieces = [self._marked(page) for page in self.file.pages]
        pages = [page.obj.objgen for page in self.file.pages]
        said = []
        for element, path in self.elements():
            if types and not set(types) & set(path):
                continue
            for page, number in self._content(element):
                said.append(pieces[pages.index(page)].get(number, ""))
        return re.sub(r"\s+", " ", "".join(said))

    @staticmethod
    def _content(element: pikepdf.Dictionary) -> Iterator[tuple[tuple[int, int], int]]:
        children = element.get("/K")
        for child in children if isinstance(children, pikepdf.Array) else [children]:
            if isinstance(child, int):
                yield element.Pg.objgen, child
            elif isinstance(child, pikepdf.Dictionary) and child.get("/Type") == "/MCR":
                yield child.get("/Pg", element.get("/Pg")).objgen, int(child.MCID)

    def _marked(self, page: pikepdf.Page) -> dict[int, str]:
        """Marked-content number -> text, by each font's own ToUnicode map."""
        fonts = {name: to_unicode(font) for name, font in page.resources.get("/Font", {}).items()}
        said: dict[int, str] = {}
        stack: list[int | None] = []
        current: dict[int, str] = {}
        for operands, operator in pikepdf.parse_content_stream(page):
            name = str(operator)
            if name in ("BDC", "BMC"):
                properties = operands[1] if len(operands) > 1 else {}
                marked = isinstance(properties, pikepdf.Dictionary) and "/MCID" in properties
                stack.append(int(properties.MCID) if marked else None)
                if marked:
                    said[int(properties.MCID)] = said.get(int(properties.MCID), "")
            elif name == "EMC":
                stack.pop()
            elif name == "Tf":
                current = fonts[str(operands[0])]
            elif name in ("Tj", "TJ"):
                number = next((one for one in reversed(stack) if one is not None), None)
                if number is not None:
                    said[number] += self._shown(operands[0], current)
        return said

    @staticmethod
    def _shown(operand: Any, font: dict[int, str]) -> str:
        shown = operand if isinstance(operand, pikepdf.Array) else [operand]
        raw = b"".join(bytes(one) for one in shown if isinstance(one, pikepdf.String))
        return "".join(font[int.from_bytes(raw[at : at + 2], "big")] for at in range(0, len(raw), 2))

    def faults(self) -> list[str]:
        """The points of the Matterhorn Protocol 1.1 that a program can check, and that this file misses."""
        return [*self._of_the_file(), *self._of_the_structure(), *self._of_the_pages(), *self._of_the_fonts()]

    def _of_the_file(self) -> Iterator[str]:
        root = self.root
        metadata = root.Metadata.read_bytes().decode() if "/Metadata" in root else ""
        if not PDF_UA.search(metadata):
            yield "06-002 no PDF/UA identifier"
        if "dc:title" not in metadata:
            yield "06-003 no dc:title"
        if root.get("/ViewerPreferences", {}).get("/DisplayDocTitle") is not True:
            yield "07-002 the title is not shown"
        if not str(root.get("/Lang", "")):
            yield "11-006 no language"
        if root.get("/MarkInfo", {}).get("/Marked") is not True:
            yield "06-001 not marked"
        if "/StructTreeRoot" not in root:
            yield "01-005 no structure tree"
        if self.file.is_encrypted:
            yield "26-002 encrypted"

    def _of_the_structure(self) -> Iterator[str]:
        last = 0
        for element, path in self.elements():
            name = path[-1]
            if name not in STANDARD:
                yield f"02-001 type {name} is mapped to nothing"
            parent = path[-2] if len(path) > 1 else ""
            if parent in CHILDREN and name not in CHILDREN[parent]:
                yield f"09-004 {name} in {parent}"
            if name in ("Figure", "Formula") and not str(element.get("/Alt", "")):
                yield "13-004 a figure without words"
            if re.fullmatch("H[1-6]", name):
                if int(name[1]) > last + 1:
                    yield f"14-003 {name} after H{last}"
                last = int(name[1])
            if name == "TH" and "/Scope" not in str(element.get("/A", "")):
                yield "15-003 a header cell without a scope"

    def _of_the_pages(self) -> Iterator[str]:
        known = {(page, number) for element, _ in self.elements() for page, number in self._content(element)}
        for page in self.file.pages:
            depth: list[bool] = []
            for operands, operator in pikepdf.parse_content_stream(page):
                name = str(operator)
                if name in ("BDC", "BMC"):
                    properties = operands[1] if len(operands) > 1 else {}
                    number = properties.get("/MCID") if isinstance(properties, pikepdf.Dictionary) else None
                    depth.append(
                        str(operands[0]) == "/Artifact"
                        or (number is not None and (page.obj.objgen, int(number)) in known)
                    )
                elif name == "EMC":
                    depth.pop()
                elif name in SHOWS and not any(depth):
                    yield f"01-003 content outside the structure ({name})"
            annotations = list(page.obj.get("/Annots", []))
            if annotations and page.obj.get("/Tabs") != "/S":
                yield "28-008 tab order is not that of the structure"
            for one in annotations:
                if one.Subtype == "/Link" and not str(one.get("/Contents", "")):
                    yield "28-012 a link without words"
                if "/StructParent" not in one:
                    yield "28-011 an annotation outside the structure"

    def _of_the_fonts(self) -> Iterator[str]:
        for page in self.file.pages:
            for font in page.resources.get("/Font", {}).values():
                if "/ToUnicode" not in font:
                    yield "10-001 a font without a map to Unicode"
                descriptor = font.get("/DescendantFonts", [font])[0].get("/FontDescriptor", {})
                if not {"/FontFile", "/FontFile2", "/FontFile3"} & set(descriptor.keys()):
                    yield "31-009 a font that is not embedded"


def to_unicode(font: pikepdf.Dictionary) -> dict[int, str]:
    """Two-byte codes -> text, out of a ToUnicode CMap."""
    source = font.ToUnicode.read_bytes().decode("ascii")
    found: dict[int, str] = {}

    def text(hexadecimal: str) -> str:
        return bytes.fromhex(hexadecimal).decode("utf-16-be")

    for block in re.findall(r"beginbfchar(.*?)endbfchar", source, re.DOTALL):
        for code, value in re.findall(r"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>", block):
            found[int(code, 16)] = text(value)
    for block in re.findall(r"beginbfrange(.*?)endbfrange", source, re.DOTALL):
        for first, last, value in re.findall(r"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>", block):
            for step in range(int(last, 16) - int(first, 16) + 1):
                start = text(value)
                found[int(first, 16) + step] = start[:-1] + chr(ord(start[-1]) + step)
    return found


@pytest.fixture(scope="session")
def read_pdf() -> Callable[[bytes], Pdf]:
    return Pdf
