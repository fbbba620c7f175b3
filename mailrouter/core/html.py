"""HTML of a mail or document → text that keeps lines, quotes and header blocks.

Invariant: what a reader sees line by line is one line of text; a quotation keeps its depth as ">" marks; cells of a
row are parted by a tab. Hidden parts are left out. Time is linear in the size of the HTML.
"""

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "body",
        "center",
        "dd",
        "details",
        "dir",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "html",
        "li",
        "main",
        "menu",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "tbody",
        "tfoot",
        "thead",
        "tr",
        "ul",
        "blockquote",
        "caption",
    ]
)
_APART = frozenset(
    ["p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "blockquote", "pre"]
)  # a blank line above and below
_SKIPPED = frozenset(
    [
        "head",
        "script",
        "style",
        "title",
        "template",
        "noscript",
        "object",
        "svg",
        "math",
        "iframe",
        "select",
        "textarea",
    ]
)
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all", re.IGNORECASE)
_INDENT = re.compile(r"border(?:-left)?\s*:\s*(?:none|0|medium none)", re.IGNORECASE)
_SPACE = re.compile(r"[ \t\r\n\f]+")
_RULE = "_" * 32
_LONGEST = 20_000_000
_DEEPEST = 400  # elements inside each other; forwarded mails of many hops have some dozens
# A tag as the HTML standard cuts it: quotes count behind "=" alone, and one that is never closed takes the rest. It always
# matches and never goes back, so that all tags are found in one pass.
_TAG = re.compile(r"""<(/?)([A-Za-z][^\s/>]*+)(?:[^>"'=]++|=\s*+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z)|)|["'])*+(?:>|\Z)""")
# Elements without an end tag, or that the next of their kind ends.
_FLAT = frozenset(
    (
        "area",
        "base",
        "br",
        "col",
        "dd",
        "dt",
        "embed",
        "hr",
        "img",
        "input",
        "li",
        "link",
        "meta",
        "o:p",
        "option",
        "p",
        "source",
        "td",
        "th",
        "tr",
        "wbr",
    )
)


def to_text(html: str) -> str:
    """The text of an HTML body. Lines end with a line feed, at most two blank ones follow each other; never raises."""
    if not html.strip():
        return ""
    body = LexborHTMLParser(_shallow(html[:_LONGEST].replace("\x00", ""))).body
    if body is None:
        return ""
    writer = _Writer()
    _walk(body, writer)
    return writer.text()


def _shallow(html: str) -> str:
    """The HTML without the elements nested deeper than any mail's: the parser's time grows with the square of depth."""
    depth = 0
    parts: list[str] = []
    kept = 0
    for tag in _TAG.finditer(html):
        if tag[2].lower() in _FLAT:
            continue
        if not tag[1]:
            depth += 1
            if depth > _DEEPEST:
                parts.append(html[kept : tag.start()])
                kept = tag.end()
        elif depth:
            if depth > _DEEPEST:
                parts.append(html[kept : tag.start()])
                kept = tag.end()
            depth -= 1
    return "".join((*parts, html[kept:])) if parts else html


def _walk(root: LexborNode, writer: "_Writer") -> None:
    """Visit all nodes below `root` in order, without recursion: mails nest elements thousands deep."""
    stack: list[tuple[LexborNode, bool]] = [(root, False)]
    while stack:
        node, leaving = stack.pop()
        if leaving:
            writer.leave(node)
            continue
        tag = node.tag
        if tag == "-text":
            writer.write(node.text_content or "")
            continue
        if tag is None or tag.startswith(("-", "!", "_")) or not writer.enter(node):
            continue
        stack.append((node, True))
        children: list[tuple[LexborNode, bool]] = []
        child = node.child
        while child is not None:
            children.append((child, False))
            child = child.next
        stack.extend(reversed(children))


class _Writer:
    """Collects lines while the nodes go by."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._parts: list[str] = []
        self._depth = 0
        self._last = 0  # the depth of the last line that was written
        self._pre = 0
        self._blank = False  # a blank line is due before the next text
        self._quoted: list[bool] = []
        self._lists: list[int] = []
        self._links: list[tuple[str, int]] = []
        self._cell = False
        self._inked = False  # something but blanks stands on the line

    def text(self) -> str:
        """All that was written, blank ends dropped."""
        self._break()
        return "\n".join(self._lines).strip("\n")

    def write(self, text: str) -> None:
        """Text as it stands in the source; spaces fold unless it is preformatted."""
        if self._pre:
            pieces = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
            for index, piece in enumerate(pieces):
                if index:
                    self._break(forced=True)
                if piece:
                    self._append(piece)
            return
        folded = _SPACE.sub(" ", text)
        if not self._parts or self._parts[-1].endswith((" ", "\t")):
            folded = folded.lstrip(" ")
        if folded:
            self._append(folded)

    def _append(self, text: str) -> None:
        if self._cell:
            self._cell = False
            if self._inked:
                self._parts.append("\t")
        self._parts.append(text)
        self._inked = self._inked or not text.isspace()

    def enter(self, node: LexborNode) -> bool:
        """Open an element; False if it and all below it are left out."""
        tag = node.tag or ""
        if tag in _SKIPPED:
            return False
        attributes = node.attributes
        if attributes and _HIDDEN.search(attributes.get("style") or ""):
            return False
        if tag == "br":
            self._break(forced=True)
        elif tag == "hr":
            self._break()
            self._append(_RULE)
            self._break()
        elif tag in ("td", "th"):
            self._cell = True
        elif tag == "a":
            self._open_link(attributes.get("href") or "")
        elif tag in _BLOCKS:
            self._open_block(tag, attributes.get("style") or "", cited=attributes.get("type") == "cite")
        return True

    def leave(self, node: LexborNode) -> None:
        """Close an element."""
        tag = node.tag or ""
        if tag == "a":
            self._close_link()
        elif tag in _BLOCKS:
            self._break()
            if tag in _APART:
                self._blank = True
            if tag == "pre":
                self._pre -= 1
            elif tag in ("ul", "ol", "menu", "dir"):
                self._lists.pop()
            elif tag == "blockquote" and self._quoted.pop():
                self._depth -= 1

    def _open_block(self, tag: str, style: str, *, cited: bool) -> None:
        self._break()
        if tag in _APART:
            self._blank = True
        if tag == "pre":
            self._pre += 1
        elif tag in ("ul", "ol", "menu", "dir"):
            self._lists.append(1 if tag == "ol" else 0)
        elif tag == "li":
            self._open_item()
        elif tag == "blockquote":
            # A blockquote without a border is how programs indent, not how they quote.
            quoted = cited or not _INDENT.search(style)
            self._quoted.append(quoted)
            self._depth += quoted

    def _open_item(self) -> None:
        if self._lists and self._lists[-1]:
            self._append(f"{self._lists[-1]}. ")
            self._lists[-1] += 1
        else:
            self._append("- ")

    def _open_link(self, target: str) -> None:
        address = target[7:].split("?", maxsplit=1)[0] if target.lower().startswith("mailto:") else ""
        self._links.append((address, len(self._parts)))

    def _close_link(self) -> None:
        address, start = self._links.pop()
        shown = "".join(self._parts[start:])
        # "From: <a href=mailto:a@b>Name</a>": the address is only in the link.
        if address and shown.strip() and "@" not in shown:
            self._append(f" <{address}>")

    def _break(self, *, forced: bool = False) -> None:
        """End the line; an empty one is written only where `forced`."""
        self._cell = False
        line = "".join(self._parts)
        self._parts.clear()
        self._inked = False
        for index, (address, _) in enumerate(self._links):
            self._links[index] = (address, 0)
        mark = ">" * self._depth
        if line.strip(" \t\xa0"):
            if self._blank and self._lines and self._lines[-1].strip("> "):
                self._lines.append(">" * min(self._depth, self._last))
            self._last = self._depth
            self._blank = False
            self._lines.append(f"{mark} {line.rstrip()}" if mark else line.rstrip(" \t"))
        elif forced or line:
            self._blank = False
            if self._lines and not all(not before.strip("> ") for before in self._lines[-2:]):
                self._lines.append(mark)
