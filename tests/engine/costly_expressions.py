"""Expressions that would take very long or very much memory, by name, and how each ends on a small budget.

`LONG` and `LARGE` are the ends by the limits of time and memory; `EITHER` may reach one or the other first, depending
on the machine.
"""

from __future__ import annotations

LONG, LARGE, EITHER = "Expression evaluation timeout", "Expression evaluation memory limit exceeded", "Expression"

_A = "a" * 40
_DOUBLED_OBJECT = "$reduce([1..40], function($a, $v){{'a': $a, 'b': $a}}, {'x': 1})"
_DOUBLED_ARRAY = "$reduce([1..40], function($a, $v){[[$a], [$a]]}, {'x': 1})"

JSONATA: dict[str, tuple[str, str]] = {
    # Regular expressions, whose matcher backtracks
    "repeated group": (f"$match('{_A}!', /^(a+)+$/)", LONG),
    "alternatives": (f"$match('{_A}!', /^(a|a)*$/)", LONG),
    "overlapping alternatives": (f"$contains('{_A}!', /^(a|aa)+$/)", LONG),
    "many quantifiers": ("$match($pad('', 300, 'a'), /a*a*a*a*a*a*a*b/)", LONG),
    "optional characters": (f"$match('{'a' * 30}', /{'a?' * 30}{'a' * 30}/)", LONG),
    "counted repetition": (f"$match('{_A}!', /^(a{{1,30}}){{1,30}}$/)", LONG),
    "lazy repetition": (f"$replace('{_A}!', /^(a+?)+?$/, 'x')", LONG),
    "split": (f"$split('{'x' * 40}', /(x+x+)+y/)", LONG),
    "lookahead": (f"$match('{_A}!', /^(?=(a+)+$)a/)", LONG),
    "back reference": (f"$match('{_A}!', /^(a*)*\\1$/)", LONG),
    "long text": ("$match($pad('', 200000, 'a'), /a*b/)", LONG),
    "matcher as a function": (f"/^(a+)+$/('{_A}!')", LONG),
    "replacing function": ("$replace($pad('', 200000, 'a'), /a/, function($m){$pad('', 5000, 'x')})", EITHER),
    "sets to compile": ("$match('a', /" + "[!-\uffff]" * 100 + "/i)", LONG),
    "signature": (f"(function($a)<{'n+' * 25}:n>{{1}})({','.join('1' * 40)},'x')", LONG),
    # Recursion
    "infinite tail": ("($f := function($x){ $f($x+1) }; $f(1))", LONG),
    "infinite mutual tail": (
        "($f := function($x){ $g($x) }; $g := function($x){ $f($x) }; $f(1))",
        LONG,
    ),
    "fibonacci": ("($f := function($x){ $x<2 ? $x : $f($x-1)+$f($x-2) }; $f(22))", LONG),
    # Products
    "ranges": ("$count([1..800000].[1..800000])", EITHER),
    "nested ranges": ("$count([1..5000].([1..5000]))", EITHER),
    "cross join": ("($l := [1..5000]; $l@$a.($l)@$b.{'a': $a})", EITHER),
    "nested maps": ("$map([1..10000], function($x){$map([1..10000], function($y){$x*$y})})", EITHER),
    "nested predicates": ("[1..10000][$ in [1..10000]]", EITHER),
    "sort by a function": ("$sort([1..800000], function($a,$b){$a<$b})[0]", LONG),
    "order by": ("([1..800000].{'a': $})^(>a)[0].a", EITHER),
    "random numbers": ("$map([1..800000], function($x){$random()})", LONG),
    "digests": ("$map([1..100000], function($x){$hash($pad('', 262144, 'x'), 'SHA-512')})", LONG),
    "reversals": ("$reduce([1..800000], function($a,$v){$reverse($a)}, [1..800000])", LONG),
    # Growth
    "appended to itself": ("$reduce([1..40], function($a,$v){$append($a,$a)}, [1])", EITHER),
    "joined to itself": ("$reduce([1..40], function($a,$v){$a & $a}, 'x')", EITHER),
    "escapes of escapes": ("$reduce([1..40], function($a,$v){$string([$a])}, '\"')", EITHER),
    "joined texts": ("$join($map([1..100000], function($x){$pad('', 1000, 'x')}))", EITHER),
    "joined letters": ("$join($split($pad('',262144,'a'),''), $pad('',262144,'b'))", EITHER),
    "padding": ("$pad('x', 1000000000)", LARGE),
    "substrings": ("$map([1..800000], function($i){$substring($pad('', 262144, 'x'), $i)})", EITHER),
    "object in itself": (_DOUBLED_OBJECT, EITHER),
    "array in itself": (_DOUBLED_ARRAY, EITHER),
    # The same object in many places, which functions see once for each
    "text of it": (f"$string({_DOUBLED_OBJECT})", EITHER),
    "joined with it": (f"'' & {_DOUBLED_OBJECT}", EITHER),
    "equal to it": (f"{_DOUBLED_OBJECT} = {_DOUBLED_OBJECT}", EITHER),
    "distinct": (f"$distinct([{_DOUBLED_OBJECT}, {_DOUBLED_OBJECT}])", EITHER),
    "descendants": (f"$count({_DOUBLED_OBJECT}.**)", EITHER),
    "wildcard": (f"{_DOUBLED_ARRAY}.*", EITHER),
    "name": (f"{_DOUBLED_ARRAY}.x", EITHER),
    "lookup": (f"$lookup({_DOUBLED_ARRAY}, 'x')", EITHER),
    "keys": (f"$keys({_DOUBLED_ARRAY})", EITHER),
    "condition": (_DOUBLED_ARRAY.replace("{'x': 1}", "0") + " ? 1 : 2", EITHER),
    "negation": (f"$not({_DOUBLED_ARRAY.replace(chr(123) + chr(39) + 'x' + chr(39) + ': 1' + chr(125), '0')})", EITHER),
    "transformation": (f"{_DOUBLED_OBJECT} ~> |**|{{'z': 1}}|", EITHER),
}

# Queries of paths over `NESTED`.
NESTED: object = 1
for _ in range(200):
    NESTED = {"a": NESTED, "b": [NESTED]} if _ < 4 else {"a": NESTED}
JSONPATH = {
    "descents": "$..*..*..*..*",
    "descents of names": "$..a..a..a..a",
    "lists of indexes": "$" + "['a','a','a','a','a','a','a','a']" * 8 + "[*]",
    "descents in a filter": "$..[?(@..[?(@..a)])]..a",
}

# Intrinsic functions, whose text or value would be large.
INTRINSICS = {
    "texts": "States.Format('" + "{}" * 4000 + "'" + ", $.text" * 4000 + ")",
    "arrays": "States.Array(" + ", ".join(["$.text"] * 4000) + ")",
    "texts of texts": "States.JsonToString(" * 10 + "$.quotes" + ")" * 10,
}
