"""Trees of lxml as their text: memory of a C library, of which Python objects are made as they are asked for."""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from elastictm.values.reducers import FreezingPass

LIBRARY: Final = "lxml.etree"

_HTML: Final = " as HTML"


def reducers(etree: ModuleType) -> dict[type, Any]:
    """The reducers of trees, and of texts found in them; elements have many types."""
    found = {"_ElementTree": reduce_tree, "_ElementUnicodeResult": reduce_found}
    return {getattr(etree, name): reduce for name, reduce in found.items() if hasattr(etree, name)}


def kindred(kind: type, etree: ModuleType) -> Any:
    """The reducer of the library's own types of elements; None for others, whose parsers only the user can make."""
    element = getattr(etree, "_Element", None)
    own = element is not None and issubclass(kind, element) and kind.__module__ in _PARSERS
    return reduce_element if own else None


def reduce_tree(value: Any, _view: FreezingPass) -> Any:
    """A tree as its first element."""
    return tree, (value.getroot(),)


def tree(root: Any) -> Any:
    """The tree below an element."""
    return _etree().ElementTree(root)


def reduce_found(value: Any, view: FreezingPass) -> Any:
    """A text that knows the element where it was found."""
    parent = value.getparent()
    if parent is None:
        return NotImplemented
    made = (str(value), parent, value.attrname, value.is_tail)
    if view.keeps and found_again(*made) is None:
        view.lose(value, "comes back as a text alone, for the element where it was found has another by now")
        return NotImplemented
    return found_again, made


def found_again(text: str, parent: Any, attribute: str | None, tail: bool) -> Any:  # noqa: FBT001 - stored so
    """A text of an element, of an attribute of it, or behind it; None if it is another now."""
    way = "@*" if attribute is not None else "following-sibling::node()[1][self::text()]" if tail else "text()"
    places = (place for place in parent.xpath(way) if place.attrname == attribute and place.is_tail == tail)
    return next((place for place in places if place == text), None)


def reduce_element(value: Any, view: FreezingPass) -> Any:
    """An element as the way to it from the top of its tree, and the top as text."""
    flavour = type(value).__module__
    # What stands in the dict of an element of objectify is what lies beneath it.
    if flavour != _OBJECTS and getattr(value, "__dict__", None):
        raise TypeError("cannot store an element of lxml with attributes of its own: lxml keeps them only while in use")
    steps: list[int] = []
    top = value
    while (parent := top.getparent()) is not None:
        steps.append(parent.index(top))
        top = parent
    if steps:
        return element, (top, tuple(reversed(steps)))
    root = value.getroottree().getroot()
    if not isinstance(value.tag, str):
        return beside, (root, _distance(root, value))
    # What was taken out of a document still belongs to it.
    whole = root is value
    made = _written(value, flavour, whole=whole)
    if view.keeps:
        _check(value, made, whole=whole)
    return top_of, made


def element(top: Any, steps: tuple[int, ...]) -> Any:
    """The element at the end of a way."""
    for step in steps:
        # Its brackets mean something else with elements of objectify.
        top = next(itertools.islice(top.iterchildren(), step, None))
    return top


def beside(root: Any, distance: int) -> Any:
    """The comment or instruction so many places after the first element of a document, or before it."""
    siblings = root.itersiblings(preceding=distance < 0)
    return next(node for at, node in enumerate(siblings, 1) if at == abs(distance))


def top_of(text: str | bytes, flavour: str, address: str | None, tail: str | None) -> Any:
    """The first element of a text.

    Args:
        text: A document, or a part of one.
        flavour: The module of lxml whose elements it has, and whether it is read as HTML.
        address: Where the document came from.
        tail: The text after the element, which only a part has.
    """
    made = _etree().fromstring(text, _parser(flavour), base_url=address)
    if tail is None:
        return made
    if flavour.endswith(_HTML):
        # A page was made around it.
        made = made.find("body")[0]
        made.getparent().remove(made)
    made.tail = tail or None
    return made


def _written(top: Any, flavour: str, *, whole: bool) -> tuple[str | bytes, str, str | None, str | None]:
    """What ``top_of`` makes a top of."""
    tree = top.getroottree()
    facts = tree.docinfo
    write = _etree().tostring
    tail = None if whole else top.tail or ""
    if not (flavour in _READ_AS_HTML and "XHTML" in facts.doctype):
        text: str | bytes
        if not whole:
            text = write(top, encoding="unicode", with_tail=False)
        elif facts.standalone is None:
            text = write(tree, encoding="utf-8", xml_declaration=False)
        else:
            text = write(tree, encoding=facts.encoding, xml_declaration=True, standalone=facts.standalone)
        if flavour not in _READ_AS_HTML or _is_xml(text, flavour):
            return text, flavour, facts.URL, tail
    # Pages have names, of attributes above all, that XML does not know.
    text = write(tree if whole else top, encoding="unicode", method="html", with_tail=False)
    return text, flavour + _HTML, facts.URL, tail


def _is_xml(text: str | bytes, flavour: str) -> bool:
    etree = _etree()
    try:
        etree.fromstring(text, _parser(flavour))
    except etree.XMLSyntaxError:
        return False
    return True


def _distance(root: Any, value: Any) -> int:
    for sign in (-1, 1) if root is not None else ():
        for at, node in enumerate(root.itersiblings(preceding=sign < 0), 1):
            if node is value:
                return sign * at
    raise TypeError("cannot store a comment or instruction of lxml that is in no tree")


def _check(top: Any, made: tuple[str | bytes, str, str | None, str | None], *, whole: bool) -> None:
    """Refuse a tree that does not come back with the same facts, one by one."""
    try:
        back = top_of(*made)
    except _etree().XMLSyntaxError as error:
        raise TypeError(f"cannot store this tree of lxml: its text cannot be read back ({error})") from None
    pairs = itertools.zip_longest(_facts(top, whole=whole), _facts(back, whole=whole))
    if not all(one == other for one, other in pairs):
        raise TypeError("cannot store this tree of lxml: what is read back from its text differs")


def _facts(top: Any, *, whole: bool) -> Iterator[Any]:
    if whole:
        facts = top.getroottree().docinfo
        yield facts.standalone, facts.doctype, facts.URL
        for before in (True, False):
            yield from map(_fact, top.itersiblings(preceding=before))
    yield from map(_fact, top.iter())


def _fact(node: Any) -> tuple[Any, ...]:
    return type(node), node.tag, node.text, node.tail, node.prefix, node.nsmap, tuple(node.attrib.items())


def _parser(flavour: str) -> Any:
    if flavour not in _PARSERS:
        raise TypeError(f"there is no kind of tree {flavour!r}")
    module, name, options = _PARSERS[flavour]
    # Nothing is fetched or filled in, and nothing is too long or too deep: it was there before.
    return getattr(importlib.import_module(module), name)(no_network=True, huge_tree=True, **options)


def _etree() -> Any:
    # An archive with trees is what brings lxml in.
    return importlib.import_module(LIBRARY)


_AS_IS: Final = {"strip_cdata": False, "resolve_entities": False, "remove_blank_text": False}
_OBJECTS: Final = "lxml.objectify"
_PARSERS: Final[dict[str, tuple[str, str, dict[str, bool]]]] = {
    "lxml.etree": ("lxml.etree", "XMLParser", _AS_IS),
    "lxml.html": ("lxml.html", "XHTMLParser", _AS_IS),
    "lxml.html as HTML": ("lxml.html", "HTMLParser", {}),
    _OBJECTS: (_OBJECTS, "makeparser", _AS_IS),
}
"""What reads back the elements of each module."""
_READ_AS_HTML: Final = frozenset({"lxml.html"})
