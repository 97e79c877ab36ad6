"""The XML namespaces of DMN 1.1 to 1.5, of its diagrams and of FEEL."""

MODEL = "https://www.omg.org/spec/DMN/20230324/MODEL/"
DIAGRAM = "https://www.omg.org/spec/DMN/20230324/DMNDI/"
FEEL = "https://www.omg.org/spec/DMN/20230324/FEEL/"
OLDEST = frozenset({"http://www.omg.org/spec/DMN/20151101/dmn.xsd", "http://www.omg.org/spec/DMN/20151101/dmn11.xsd"})
_DATES = (
    "http://www.omg.org/spec/DMN/20180521",
    "https://www.omg.org/spec/DMN/20191111",
    "https://www.omg.org/spec/DMN/20211108",
)
# What an older name is called in DMN 1.5.
NEWEST = {
    **dict.fromkeys(OLDEST, MODEL),
    "http://www.omg.org/spec/FEEL/20140401": FEEL,
    **{f"{date}/MODEL/": MODEL for date in _DATES},
    **{f"{date}/DMNDI/": DIAGRAM for date in _DATES},
    **{f"{date}/FEEL/": FEEL for date in _DATES},
}


def is_feel(language: str) -> bool:
    """Whether the URI of a language means FEEL, of whatever version."""
    return NEWEST.get(language, language) == FEEL or language.casefold() == "feel"
