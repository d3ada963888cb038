"""Values that several properties draw."""

from itertools import product

from hypothesis import strategies as st

from opsgate.hold import Hold
from opsgate.names import DIMENSIONS
from opsgate.selector import Selector

IDENTIFIERS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,20}", fullmatch=True)
"""Any identifier."""

SOME = [
    Selector.from_mapping(dict(pair for pair in (site, operation, env) if pair))
    for site, operation, env in product(
        (None, ("site", "s1"), ("site", "s2")),
        (None, ("operation", "ab_testing"), ("operation", "enableSiteCreation")),
        (None, ("env", "dev")),
    )
]


def selectors() -> st.SearchStrategy[Selector]:
    """A selector over so few dimensions and values that two of them often meet."""
    return st.sampled_from(SOME)


def any_selectors() -> st.SearchStrategy[Selector]:
    """Any selector there can be."""
    return st.dictionaries(st.sampled_from(DIMENSIONS), IDENTIFIERS, max_size=9).map(Selector.from_mapping)


def holds(number: int) -> st.SearchStrategy[Hold]:
    """A hold with any content and this number as its id."""
    return st.builds(
        Hold,
        hold_id=st.just(f"H-{number}"),
        selector=selectors(),
        source=st.sampled_from(["operator", "emergency", "flag", "breaker"]),
        owner=IDENTIFIERS,
        reason=st.text(max_size=20),
        mode=st.sampled_from(["drain", "halt"]),
        admit=st.floats(0, 1),
    )
