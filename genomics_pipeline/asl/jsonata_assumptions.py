"""The behaviour of JSONata on which the generated expressions rely.

Most expressions of `asl.healing` depend on what JSONata does with values that are missing or stand alone. Each of these
assumptions is an expression with the value that it must have. They are checked before the first document is generated,
so that another version of the JSONata library, or a change of `language.jsonata`, cannot silently change what a state
machine does. AWS behaves in the same way: docs.jsonata.org, "Predicate expressions", "Sequences", "Array functions",
"Object functions", "Transform"; tests/conformance/cases has recordings of AWS.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from genomics_pipeline.language.jsonata.expressions import evaluate
from genomics_pipeline.language.jsonata.text import expression

_MISSING = "$lookup({},'a')"  # no value

ASSUMPTIONS: tuple[tuple[str, Any], ...] = (
    # A missing value: omitted from arrays, passed on by functions, operators and paths.
    (f"[{_MISSING},2,3][0]", 2),
    (f"[{_MISSING}>0?'a','b'][0]", "b"),
    (f"$exists($lowercase({_MISSING}))", False),
    (f"$exists($string({_MISSING}))", False),
    (f"$exists($lookup({{'a':1}},{_MISSING}))", False),
    ("$exists({}.a.b)", False),
    ("$exists({'a':null}.a)", True),
    (f"$count({_MISSING})", 0),
    (f"($limit:={_MISSING};$exists($limit) and 1<=$limit)", False),
    # A single value: an array of one element, and an array of one element is that value.
    ("$count({'a':1})", 1),
    ("{'a':{'b':3}}.a[-1].b", 3),
    ("{'a':[{'b':3},{'b':4}]}.a[-1].b", 4),
    ("{'a':{'n':'x','t':1}}.a[n='x'].t", 1),
    ("$exists({'a':{'n':'x','t':1}}.a[n='y'].t)", False),
    ("($ladder:=$append(1,[2,3][$>2]);[$ladder[0],$ladder[1],$count($ladder)])", [1, 3, 2]),
    ("($ladder:=$append(4,[2,3][$>4]);[$ladder[0],$count($ladder)])", [4, 1]),
    # The first key that a text begins with: keys keep their order.
    ("$keys({'b':1,'a':2})", ["b", "a"]),
    ("$filter(['b','ab','a'],function($start){$substring('abc',0,$length($start))=$start})[0]", "ab"),
    ("$exists($filter(['b'],function($start){$substring('abc',0,$length($start))=$start})[0])", False),
    # Numbers as keys, and the job's detail without its environment as compact JSON.
    ("$lookup({'65':'x'},$string(65))", "x"),
    ('$string($parse(\'{"C":{"E":1,"X":[1.5,"é"]},"J":"j"}\')~>|C|{},["E"]|)', '{"C":{"X":[1.5,"é"]},"J":"j"}'),
    ("$merge([{'a':1,'b':1},{'b':2}])", {"a": 1, "b": 2}),
    ("600*$power(2,1)", 1200),
    ("$min([7,5])", 5),
    # The text of failed attempts; of none, and of one without a job.
    ("'['&$join([{}.t.(c&' '&$string(m)&' '&j)],',')&']'", "[]"),
    ("'['&$join([{'t':{'c':'x','m':1}}.t.(c&' '&$string(m)&' '&j)],',')&']'", "[x 1 ]"),
    ("$join([[{'c':'x','j':'a'},{'c':'y','j':'b'}].(c&' '&j)],',')", "x a,y b"),
    # First attempts of an item, of a batch, and of none; items without them.
    ("[$max({'a':3}.a),$sum({'a':3}.a)]", [3, 3]),
    ("[$max([{'a':3},{'a':4}].a),$sum([{'a':3},{'a':4}].a)]", [4, 7]),
    ("[$max({}.a.b),$sum({}.a.b),1][0]", 1),
    ("[{'a':1,'b':2}~>|$|{},['b']|]", [{"a": 1}]),
    ("[[{'a':1,'b':2},{'a':3}]~>|$|{},['b']|]", [{"a": 1}, {"a": 3}]),
    # Names of jobs: the first item, and a text without its dots; a pattern that is a text is no regular expression.
    ("{'b':[{'a':{'n':'x'}},{'a':{'n':'y'}}]}.b[0].a.n", "x"),
    ("$replace('a.b.c','.','-')", "a-b-c"),
    ("$substring('abc',0,5)", "abc"),
    # The cause of a refused submission, and no job.
    (f"$not($exists({_MISSING})) and $contains('is not authorized','not auth')", True),
)


@cache
def check_assumptions() -> None:
    """Check all assumptions, once in a process.

    Raises:
        RuntimeError: if an expression has another value.
    """
    for text, expected in ASSUMPTIONS:
        value = evaluate(expression(text), {}, "Output")
        if value != expected or type(value) is not type(expected):
            raise RuntimeError(f"JSONata: expected {expected!r} as the value of {text}, found {value!r}")
