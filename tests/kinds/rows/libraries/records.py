"""Values of pydantic and attrs."""

from __future__ import annotations

from elastictm.testing.kinds import Kind

ROWS = (
    Kind(
        "model",
        "pydantic",
        make="import pydantic\nclass Point(pydantic.BaseModel):\n    a: int\n    tags: list[str] = []\nx = Point(a=1)",
        change="x.tags.append('t')",
        facts="(x.model_dump(), x.model_fields_set)",
        compared="fields, fields that were set",
    ),
    Kind(
        "model with private attributes",
        "pydantic",
        make="import pydantic\nclass Point(pydantic.BaseModel):\n    a: int\n    _n: int = pydantic.PrivateAttr(1)\nx = Point(a=1)",
        change="x._n = 5",
        facts="(x.model_dump(), x._n)",
        compared="fields, private attributes",
    ),
    Kind(
        "model with a validator",
        "pydantic",
        make="import pydantic\nclass Point(pydantic.BaseModel):\n    model_config = pydantic.ConfigDict(validate_assignment=True)\n    a: int\n    @pydantic.field_validator('a')\n    @classmethod\n    def check(cls, value):\n        return value * 2\nx = Point(a=1)",
        change="x.a = 4",
        facts="(x.a, type(x)(a=3).a)",
        compared="fields, validation",
    ),
    Kind(
        "model with serializers and computed fields",
        "pydantic",
        make="""\
import pydantic
from typing import Annotated, ClassVar
class Part(pydantic.BaseModel):
    n: Annotated[int, pydantic.AfterValidator(lambda value: value + 1)]
class Whole(pydantic.BaseModel):
    seen: ClassVar[list] = []
    parts: list[Part]
    @pydantic.model_validator(mode='after')
    def note(self):
        type(self).seen.append(len(self.parts))
        return self
    @pydantic.model_validator(mode='before')
    @classmethod
    def wrap(cls, given):
        return given if isinstance(given, dict) else {'parts': given}
    @pydantic.computed_field
    @property
    def total(self) -> int:
        return sum(part.n for part in self.parts)
    @pydantic.field_serializer('parts')
    def shown(self, value):
        return [part.n * 10 for part in value]
x = Whole.model_validate([{'n': 1}])""",
        change="x.parts.append(Part(n=4))",
        facts=(
            "(x.model_dump(), x.model_dump_json(), type(x).seen, type(x).model_validate([{'n': 7}]).total, "
            "sorted(type(x).model_json_schema()))"
        ),
        alias="type(x.parts[0]) is Part and type(x) is Whole",
        compared="fields, validation, what it is written as",
    ),
    Kind(
        "generic model, and a model in terms of itself",
        "pydantic",
        make="""\
import pydantic
from typing import Generic, Optional, TypeVar
T = TypeVar('T')
class Box(pydantic.BaseModel, Generic[T]):
    item: T
class Node(pydantic.BaseModel):
    value: int
    next: Optional['Node'] = None
x = [Box[int](item='3'), Node(value=1)]""",
        change="x[1].next = Node(value=2)",
        facts="(x[0].item, x[1].model_dump(), type(x[0]).__name__, Node.model_validate({'value': '5', 'next': {'value': '6'}}).next.value)",
        compared="fields, validation",
    ),
    Kind(
        "data class with validation",
        "pydantic",
        make="""\
import pydantic
from pydantic.dataclasses import dataclass
@dataclass
class Point:
    a: int
    b: list[int] = pydantic.Field(default_factory=list)
    @pydantic.field_validator('a')
    @classmethod
    def double(cls, value):
        return value * 2
x = Point('4')""",
        change="x.b.append(2)",
        facts="(x.a, x.b, type(x)('3').a, x == type(x)(4, [2]))",
        compared="fields, validation",
    ),
    Kind(
        "function with checked arguments",
        "pydantic",
        make="import pydantic\n@pydantic.validate_call\ndef x(a: int, b: float = 2):\n    return a * b",
        change="x.note = 1",
        facts="(x('3'), x.note, x.__name__)",
        compared="result, attributes",
    ),
    Kind(
        "adapter of a type",
        "pydantic",
        make="import pydantic\nx = {'a': pydantic.TypeAdapter(dict[str, int])}",
        change="x['b'] = pydantic.TypeAdapter(list[int])",
        facts="(x['a'].validate_python({'k': '3'}), x['b'].validate_json('[\"4\"]'))",
        compared="validation",
    ),
    Kind(
        "model class",
        "pydantic",
        make="import pydantic\nclass x(pydantic.BaseModel):\n    a: int\n    b: str = 'z'",
        facts="(x(a='3').model_dump(), sorted(x.model_fields))",
        compared="fields, validation",
    ),
    Kind(
        "instance",
        "attrs",
        make="import attrs\n@attrs.define\nclass Point:\n    a: int\n    b: list = attrs.field(factory=list)\nx = Point(1)",
        change="x.b.append(2)",
        facts="(attrs.asdict(x), x == type(x)(1, [2]), type(x).__slots__)",
        compared="fields, equality, slots",
        module="attr",
    ),
    Kind(
        "frozen instance",
        "attrs",
        make="import attrs\n@attrs.frozen\nclass Point:\n    a: int\n    b: list\nx = Point(1, [])",
        change="x.b.append(2)",
        facts="(attrs.asdict(x), repr(x))",
        compared="fields",
        module="attr",
    ),
    Kind(
        "plain instance",
        "attrs",
        make="import attr\n@attr.s\nclass Point:\n    a = attr.ib(converter=int)\nx = Point('1')",
        change="x.a = 4",
        facts="(x.a, type(x)('7').a)",
        compared="fields, converter",
        module="attr",
    ),
    Kind(
        "class beside other variables",
        "attrs",
        make="import attrs\ny = [1]\n@attrs.define\nclass x:\n    a: int = attrs.field(validator=attrs.validators.instance_of(int))",
        facts="(attrs.asdict(x(2)), [field.name for field in attrs.fields(x)], x.__init__.__qualname__)",
        compared="fields, validation",
        module="attr",
    ),
)
