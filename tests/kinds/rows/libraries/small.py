"""Values of msgspec, python-dateutil, Jinja2, sortedcontainers, traitlets and joblib."""

from __future__ import annotations

from elastictm.testing.kinds import Kind

ROWS = (
    Kind(
        "struct",
        "msgspec",
        make="import msgspec\nclass Point(msgspec.Struct):\n    a: int\n    b: list = []\nx = Point(1)\nz = x.b",
        change="x.b.append(2)",
        facts="(msgspec.to_builtins(x), x == type(x)(1, [2]), msgspec.json.decode(b'{\"a\": 3}', type=type(x)).a)",
        compared="fields, equality, decoding",
        alias="x.b is z",
    ),
    Kind(
        "struct with options and methods",
        "msgspec",
        make="""\
import msgspec
class Base(msgspec.Struct, kw_only=True, rename='camel', tag='base'):
    long_name: int
    b: list = msgspec.field(default_factory=lambda: [7])
class x(Base, frozen=True, order=True):
    c: str = 'd'
    def twice(self):
        return self.long_name * 2
    def __post_init__(self):
        self.b.append(self.c)""",
        facts=(
            "made = x(long_name=3)\n"
            '(made.twice(), made.b, msgspec.json.encode(made), msgspec.json.decode(b\'{"type": "base", "longName": 4}\', type=x).c, '
            "made < x(long_name=4), x.__struct_config__.frozen, x.__match_args__)"
        ),
        compared="fields, options, encoding",
    ),
    Kind(
        "decoder",
        "msgspec",
        make="import msgspec\nx = msgspec.json.Decoder(list[int])",
        facts="x.decode(b'[1, 2]')",
        compared="what it reads",
        outcome="rerun",
        quiet=False,
        reason="cannot pickle",
    ),
    Kind(
        "recurrence",
        "python-dateutil",
        make="import datetime\nfrom dateutil import rrule, tz\nstart = datetime.datetime(2024, 3, 30, tzinfo=tz.gettz('Europe/Paris'))\nx = [rrule.rrule(rrule.DAILY, count=3, dtstart=start)]",
        change="x.append(x[0].replace(interval=2))",
        facts="[[str(day) for day in rule] for rule in x]",
        compared="moments with their zones",
        module="dateutil",
    ),
    Kind(
        "relative time",
        "python-dateutil",
        make="import datetime\nfrom dateutil.relativedelta import relativedelta, MO\nx = [relativedelta(months=1, weekday=MO(1))]",
        change="x.append(x[0] * 2)",
        facts="[str(datetime.date(2024, 1, 31) + part) for part in x]",
        compared="what they add",
        module="dateutil",
    ),
    Kind(
        "environment with filters",
        "Jinja2",
        make="import jinja2\nx = jinja2.Environment(loader=jinja2.DictLoader({'a': 'n={{ n|twice }}'}))\nx.filters['twice'] = lambda value: value * 2",
        change="x.globals['n'] = 4",
        facts="x.get_template('a').render()",
        compared="what it renders",
        module="jinja2",
    ),
    Kind(
        "template",
        "Jinja2",
        make="import jinja2\nx = jinja2.Template('{% for i in items %}{{ i }}-{% endfor %}')",
        facts="x.render(items=[1, 2])",
        compared="what it renders",
        outcome="rerun",
        reason="does not load",
        module="jinja2",
    ),
    Kind(
        "sorted dict",
        "sortedcontainers",
        make="from sortedcontainers import SortedDict\nz = [1]\nx = SortedDict({'b': z, 'a': 2})",
        change="x['c'] = 3",
        facts="(list(x.items()), x.bisect('b'))",
        compared="items in their order",
        alias="x['b'] is z",
    ),
    Kind(
        "list sorted by a key",
        "sortedcontainers",
        make="from sortedcontainers import SortedKeyList\nx = SortedKeyList([3, -1, 2], key=abs)",
        change="x.add(-5)",
        facts="(list(x), x.bisect_key(2))",
        compared="items in their order",
    ),
    Kind(
        "object with traits",
        "traitlets",
        make="import traitlets\nclass Thing(traitlets.HasTraits):\n    n = traitlets.Int(1)\n    seen = traitlets.List()\n    @traitlets.observe('n')\n    def note(self, change):\n        self.seen = [*self.seen, change['new']]\nx = Thing()",
        change="x.n = 4",
        facts="(x.n, x.seen, (setattr(x, 'n', 9), x.seen)[1])",
        compared="traits, what observes them",
    ),
    Kind(
        "delayed calls",
        "joblib",
        make="import joblib\nx = [joblib.delayed(pow)(2, 3)]",
        change="x.append(joblib.delayed(pow)(2, 4))",
        facts="joblib.Parallel(n_jobs=1)(x)",
        compared="results",
    ),
)
