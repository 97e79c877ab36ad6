"""String functions and the regular expressions of XPath."""

import pytest
from tests.feel.evaluated import rows, shown

from diaodu.feel import FeelBudgetExceeded, compile_expression

STRINGS = r"""
substring("foobar", 3) ==> obar
substring("foobar", 3, 3) ==> oba
substring("foobar", -2, 1) ==> a
substring("\U01F40Eab", 2) ==> ab
substring("foobar", 0) ==> null
substring("foobar", 7) ==> null
substring("foobar", 3, 0) ==> null
substring("foobar", 3, -1) ==> null
substring("foobar", -7) ==> null
substring("foobar", 3, 300) ==> obar
substring("", 1) ==>
string length("foo") ==> 3
string length("") ==> 0
string length("\U01F40Eab") ==> 3
string length(null) ==> null
upper case("aBc4") ==> ABC4
lower case("aBc4") ==> abc4
substring before("foobar", "bar") ==> foo
substring before("foobar", "xyz") ==>
substring before("foobar", "o") ==> f
substring after("foobar", "ob") ==> ar
substring after("", "a") ==>
substring after("foobar", "o") ==> obar
substring after("foobar", "") ==> foobar
substring after("foobar", "xyz") ==>
replace("abcd", "(ab)|(a)", "[1=$1][2=$2]") ==> [1=ab][2=]cd
replace("abracadabra", "bra", "*") ==> a*cada*
replace("abracadabra", "a.*a", "*") ==> *
replace("abracadabra", "a.*?a", "*") ==> *c*bra
replace("abracadabra", "a", "") ==> brcdbr
replace("abracadabra", "a(.)", "a$1$1") ==> abbraccaddabbra
replace("AAAA", "A+", "b") ==> b
replace("AAAA", "A+?", "b") ==> bbbb
replace("darted", "^(.*?)d(.*)$", "$1c$2") ==> carted
replace("reluctant", "r.*?t", "X") ==> Xant
replace("0123456789", "(\\d{3})(\\d{3})(\\d{4})", "($1) $2-$3") ==> (012) 345-6789
replace("hello", "L", "x", "i") ==> hexxo
replace("a.b", ".", "-", "q") ==> a-b
replace("abc", "b", "\\$") ==> a$c
replace("abc", "b", "\\n") ==> null
replace("abc", "b", "$0$0") ==> abbc
replace("abc", "b", "x", "z") ==> null
replace("abc", "[", "x") ==> null
contains("foobar", "of") ==> false
contains("foobar", "") ==> true
starts with("foobar", "fo") ==> true
ends with("foobar", "r") ==> true
matches("foobar", "^fo*b") ==> true
matches("foobar", "^Fo*bar", "i") ==> true
matches("abracadabra", "bra") ==> true
matches("abracadabra", "^a.*a$") ==> true
matches("abracadabra", "^bra") ==> false
matches("a\nb", "^b$", "m") ==> true
matches("a\nb", "^b$") ==> false
matches("abc", "a b c", "x") ==> true
matches("a.c", "a.c", "q") ==> true
matches("abc", "a.c", "q") ==> false
matches("ABC", "abc", "qi") ==> true
matches("foo", null) ==> null
matches("foo", "foo", "p") ==> null
matches("x", "[a-z-[aeiou]]") ==> true
matches("\u00e9", "\\p{L}") ==> true
matches("a", "\\p{IsBasicLatin}") ==> true
matches("5", "\\i") ==> false
matches("foo", "(?:f)oo") ==> true
matches("abab", "(ab)\\1") ==> true
matches("", "") ==> true
split("John Doe", "\\s") ==> ["John", "Doe"]
split("a;b;c;;", ";") ==> ["a", "b", "c", "", ""]
split("", ",") ==> [""]
split("foo", "(") ==> null
string join(["a","b","c"], "_and_") ==> a_and_b_and_c
string join(["a","b","c"], "") ==> abc
string join(["a","b","c"], null) ==> abc
string join(["a"], "X") ==> a
string join(["a",null,"c"], "X") ==> aXc
string join([], "X") ==>
replace(input: "abc", pattern: "b", replacement: "x", flags: "i") ==> axc
matches(input: "abc", pattern: "B", flags: "i") ==> true
substring before(string: "abc", match: "b") ==> a
contains(string: "abc", match: "b") ==> true
string length(string: "ab") ==> 2
substring(strin: "a", start position: 1) ==> null
"""


@pytest.mark.parametrize(("text", "expected"), rows(STRINGS))
def test_string_function(text: str, expected: str) -> None:
    assert shown(text) == expected


# Text, pattern, flags and verdict; None where XPath does not take the pattern.
PATTERNS = [
    ("h", r"(.)\3", "", None),
    ("aaaaaaaaaaaa", r"(a)(a)(a)(a)(a)(a)(a)(a)(a)(a)\10", "", True),
    ("aa1", r"(a)\11", "", True),
    ("abab", r"(?:a)(b\1)", "", None),
    ("abb", r"(?:a)(b)\1", "", True),
    ("abcd", r"(asd)[\1]", "", None),
    ("&", r"\&", "", None),
    ("hello world", r"hello\ sworld", "x", True),
    ("helloworld", "hello[ ]world", "x", False),
    ("hello world", r"\p{ I s B a s i c L a t i n }+", "x", True),
    ("hello world", r"\p{ IsBasicLatin}+", "", None),
    ("\u212a", "[A-Z]", "i", True),
    ("q", "[^Q]", "i", False),
    ("o", "[A-Z-[OI]]", "i", False),
    ("q", "[A-Z-[OI]]", "i", True),
    ("m", r"\p{Lu}", "i", False),
    ("m", r"[\p{Lu}x]", "i", False),
    ("m", r"[\p{Lu}M]", "i", True),
    ("m", r"[^\p{Lu}]", "i", True),
    ("M", r"[^\p{Lu}]", "i", False),
    ("a", r"[\p{Ll}-[a]]", "i", False),
    ("a", "a{e<=1}", "", None),
    ("b", "(?:a){e<=1}", "", None),
    ("a]", "a]", "", None),
    ("a}", "a}", "", None),
    ("a", "a{,3}", "", None),
    ("aa", "a{2}{1}", "", None),
    ("aaa", "^a{2,}?$", "", True),
    ("a", "(*a)", "", None),
    ("a", "(a", "", None),
    ("a", "a)", "", None),
    ("a", "a||b", "", True),
    ("a", r"\p{Latin}", "", None),
    ("\u03b1", r"\p{IsGreek}", "", True),
    ("a", r"\p{IsNowhere}", "", None),
    ("_", r"\w", "", False),
    (":", r"[\i-[:]]", "", False),
    ("&", "[a&&b]", "", True),
    ("a", "[[:alpha:]]", "", None),
    ("a", "(?i)A", "", None),
    ("a", r"\ba", "", None),
    ("aA", r"(a)\1", "i", True),
    ("a.b", "A.B", "qi", True),
    ("a", "a", "g", None),
    ("aaaa", "((a{1000}){1000}){1000}", "", None),
    ("aaaa", "(a{0,100}){100}", "", True),
]


@pytest.mark.parametrize(("text", "pattern", "flags", "verdict"), PATTERNS)
def test_pattern(text: str, pattern: str, flags: str, verdict: object) -> None:
    found = compile_expression("matches(t, p, f)").evaluate({"t": text, "p": pattern, "f": flags})
    assert found is verdict


@pytest.mark.parametrize(
    "text",
    [
        "string(for i in 1..40 return partial)",
        "(for i in 1..40 return partial) = (for i in 1..40 return partial)",
        "string join(for i in 1..100000 return 长)",
        'replace(长, "a", 长)',
        'count(split(长, "a")) + count(split(长, "a")) + count(split(长, "a")) + count(split(长, "a"))',
    ],
)
def test_what_grows_without_end_is_stopped(text: str) -> None:
    with pytest.raises(FeelBudgetExceeded):
        compile_expression(text).evaluate({"长": "a" * 300_000})
