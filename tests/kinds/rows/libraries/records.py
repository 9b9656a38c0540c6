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
        restored="rerun",
        reason="",
        notes="a class with decorated methods does not load, and its cell runs again",
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
