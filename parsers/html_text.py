"""HTML as readable text, for search, for quoting rules and for people; never raises on content.

Must not sanitise: what is returned is text and is never shown as markup.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from selectolax.lexbor import LexborHTMLParser, LexborNode

from holdfast.parsers.html_strip import strip_tags

DROPPED = frozenset({"script", "style", "head", "title", "-comment", "!doctype", "template"})
_BLOCKS = (
    "address article aside body caption center dd details dialog dir div dl dt fieldset figcaption "
    "figure footer form frameset h1 h2 h3 h4 h5 h6 header hgroup html legend li listing main menu "
    "nav ol optgroup option p plaintext pre search section summary table tbody textarea tfoot "
    "thead tr ul xmp"
)
BLOCKS = frozenset(_BLOCKS.split())
CELLS = frozenset({"td", "th"})
PREFORMATTED = frozenset({"pre", "textarea", "listing", "xmp", "plaintext"})
DIVIDER = "_" * 32
"""What `<hr>` becomes: Outlook's own divider in plain text, which quoting rules know."""

MAX_TAGS = 200_000
"""More tags than this go to the linear stripper."""
MAX_TREE_WORK = 4_000_000
"""Sum of the open elements over all tags; the tree builder may look at each of them at each tag."""
SMALL_TAGS = 2_000
"""So few tags cannot exceed `MAX_TREE_WORK`, however they are nested."""
MAX_QUOTE_DEPTH = 16
"""Deeper blockquotes get no longer prefix, or the text would grow by the square of its length."""

_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]{0,31})")
_WITHOUT_END_TAG = (
    "area base br col embed hr img input link meta param source track wbr "
    "p li dd dt td th tr option"
)
_SELF_CLOSED = frozenset(_WITHOUT_END_TAG.split())


_COMMENT = "<!?"
"""What stands for `<?`. Both begin a comment that ends at the next `>` (HTML, 13.2.5.6, 13.2.5.42);
of `<?` the library makes a node of another kind, whose name it reads from foreign memory."""


def html_to_text(html: str) -> str:
    """Return the readable text of an HTML document or fragment.

    Blocks become lines, table cells are separated by a tab, lines inside `<blockquote>` begin with
    `> `. Text that a style hides is kept, for it was sent; links keep their text alone. Cost is
    linear in the length: where nesting would make a tree costly, tags are stripped instead.
    """
    if not html.isascii():
        html = html.encode("utf-8", "replace").decode("utf-8")
    if is_costly(html):
        return strip_tags(html)
    parser = LexborHTMLParser(html.replace("<?", _COMMENT))
    page = _Page()
    try:
        _walk(parser.root, page)
    except UnicodeDecodeError:  # the library cuts characters that stand between frames
        return strip_tags(html)
    return page.text()


def is_costly(html: str) -> bool:
    """Return whether a tree of this document could take more than a linear amount of work."""
    tags = html.count("<")
    if tags <= SMALL_TAGS:
        return False
    return tags > MAX_TAGS or _tree_work(html) > MAX_TREE_WORK


def _tree_work(html: str) -> int:
    opened: dict[str, int] = {}
    depth = work = 0
    for closing, name in _TAG.findall(html):
        name = name.lower()
        if closing:
            if opened.get(name, 0) > 0:
                opened[name] -= 1
                depth -= 1
        elif name not in _SELF_CLOSED:
            opened[name] = opened.get(name, 0) + 1
            depth += 1
        work += depth
    return work


@dataclass(slots=True)
class _Page:
    """Lines as they grow."""

    lines: list[str] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    quote_depth: int = 0
    pre_depth: int = 0

    def add(self, text: str) -> None:
        if self.pre_depth:
            first, *rest = text.replace("\r\n", "\n").replace("\xa0", " ").split("\n")
            self.pieces.append(first)
            for line in rest:
                self.break_line()
                self.pieces.append(line)
            return
        words = " ".join(text.split())
        if not words:
            self.space()
            return
        if text[0].isspace():
            self.space()
        self.pieces.append(words)
        if text[-1].isspace():
            self.pieces.append(" ")

    def space(self) -> None:
        if self.pieces and not self.pieces[-1].endswith((" ", "\t")):
            self.pieces.append(" ")

    def end_block(self) -> None:
        """End the line if there is something on it."""
        if self.pieces:
            if "".join(self.pieces).strip():
                self.break_line()
            else:
                self.pieces.clear()

    def break_line(self) -> None:
        """End the line, empty or not; one empty line at most is kept between two others."""
        line = "".join(self.pieces).rstrip()
        self.pieces.clear()
        if not self.pre_depth:
            line = line.lstrip()
        if self.quote_depth:
            line = ("> " * min(self.quote_depth, MAX_QUOTE_DEPTH) + line).rstrip()
        if line or (self.lines and self.lines[-1]):
            self.lines.append(line)

    def text(self) -> str:
        self.end_block()
        return "\n".join(self.lines).strip("\n")


def _walk(root: LexborNode | None, page: _Page) -> None:
    """Visit the tree in document order without recursion."""
    entered: list[tuple[LexborNode, str]] = []
    node = root
    while True:
        while node is not None:
            child = _enter(node, page, entered)
            node = child if child is not None else node.next
        if not entered:
            return
        last, tag = entered.pop()
        _leave(tag, page)
        node = last.next if entered else None


def _enter(
    node: LexborNode, page: _Page, entered: list[tuple[LexborNode, str]]
) -> LexborNode | None:
    """Write what a node begins with; return its first child, if it is to be visited."""
    tag = node.tag or ""
    if tag == "-text":
        page.add(node.text_content or "")
        return None
    if tag in DROPPED:
        return None
    if tag in BLOCKS or tag == "blockquote":
        page.end_block()
    child = node.first_child
    if child is None:
        _write_void(node, tag, page)
        return None
    if tag == "blockquote":
        tag = "blockquote" if _is_quote(node) else "div"
        page.quote_depth += tag == "blockquote"
    elif tag in PREFORMATTED:
        page.pre_depth += 1
    entered.append((node, tag))
    return child


def _write_void(node: LexborNode, tag: str, page: _Page) -> None:
    if tag == "br":
        page.break_line()
    elif tag == "hr":
        page.end_block()
        page.pieces.append(DIVIDER)
        page.break_line()
    elif tag == "img":
        page.add(node.attributes.get("alt") or "")
    elif tag in CELLS:
        page.pieces.append("\t")


def _leave(tag: str, page: _Page) -> None:
    if tag in CELLS:
        page.pieces.append("\t")
    elif tag in BLOCKS:
        page.end_block()
        page.pre_depth -= tag in PREFORMATTED
    elif tag == "blockquote":
        page.end_block()
        page.quote_depth -= 1


def _is_quote(node: LexborNode) -> bool:
    """Tell a quotation from the indentation that mail editors make with the same element."""
    return "webkit-indent-blockquote" not in (node.attributes.get("class") or "")
