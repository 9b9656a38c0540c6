"""Classes of msgspec's structs, which only their metaclass can make, from what they were declared with."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from elastictm.values import rebuild
from elastictm.values.reducers.code import reduce_class

if TYPE_CHECKING:
    from elastictm.values.reducers import FreezingPass

LIBRARY: Final = "msgspec"

_OPTIONS: Final = (
    "frozen",
    "eq",
    "order",
    "array_like",
    "gc",
    "repr_omit_defaults",
    "omit_defaults",
    "forbid_unknown_fields",
    "weakref",
    "dict",
    "cache_hash",
    "tag",
    "tag_field",
)


def reducers(msgspec: ModuleType) -> dict[type, Any]:
    """The reducer of classes with the usual metaclass."""
    found = getattr(msgspec, "Struct", None)
    return {} if found is None else {type(found): reduce_struct}


def reduce_struct(value: Any, view: FreezingPass) -> Any:
    """A class as any other, but for what makes it."""
    reduction = reduce_class(value, view)
    if not isinstance(reduction, tuple) or reduction[0] is rebuild.definition:
        return reduction
    maker, arguments, *rest = reduction
    *start, body = arguments
    own = {name: item for name, item in body.items() if name != "__slots__"}
    # The metaclass looks for it once.
    own |= {name: vars(value)[name] for name in ("__post_init__",) if name in vars(value)}
    own["__annotations__"] = vars(value).get("__annotations__", {})
    fields = value.__struct_fields__
    declared = [name for name in own["__annotations__"] if name in fields]
    config = value.__struct_config__
    options = {name: getattr(config, name) for name in _OPTIONS if hasattr(config, name)}
    options["kw_only"] = not set(declared) <= set(value.__match_args__)
    options["rename"] = dict(zip(fields, value.__struct_encode_fields__, strict=True))
    given = own, _defaults(value, declared), options
    if maker is rebuild.root_class:
        return maker, (struct, *start[1:], given), *rest
    return struct, (*start, given), *rest


def _defaults(value: Any, declared: list[str]) -> dict[str, tuple[str, Any]]:
    """The defaults of the fields that the class itself declares: values, or what makes them."""
    msgspec: Any = importlib.import_module(LIBRARY)
    defaults = value.__struct_defaults__
    found: dict[str, tuple[str, Any]] = {}
    # Those without a default come first, or say that they have none.
    for name, default in zip(reversed(value.__struct_fields__), reversed(defaults), strict=False):
        if name in declared and default is not msgspec.NODEFAULT:
            factory = getattr(default, "factory", None) if type(default).__name__ == "Factory" else None
            found[name] = ("default", default) if factory is None else ("default_factory", factory)
    return found


def struct(
    metaclass: Any,
    name: str,
    bases: tuple[type, ...],
    given: tuple[dict[str, Any], Mapping[str, tuple[str, Any]], Mapping[str, Any]],
) -> type:
    """A class of structs without its methods; given are its body, the defaults of its fields, and its options."""
    msgspec: Any = importlib.import_module(LIBRARY)
    body, defaults, options = given
    fields = {field: msgspec.field(**{kind: default}) for field, (kind, default) in defaults.items()}
    made: type = metaclass(name, bases, {**body, **fields}, **options)
    return made
