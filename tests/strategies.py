"""Values that several properties draw."""

from hypothesis import strategies as st

from opsgate.hold import Hold
from opsgate.names import DIMENSIONS
from opsgate.selector import Selector

IDENTIFIERS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,20}", fullmatch=True)
"""Any identifier."""

FEW = st.sampled_from(["s1", "s2", "ab_testing", "enableABTesting"])
"""So few values that they meet."""


@st.composite
def selectors(draw: st.DrawFn, values: st.SearchStrategy[str] = FEW, dimensions: int = 3) -> Selector:
    """A selector over up to ``dimensions`` dimensions."""
    chosen = draw(st.dictionaries(st.sampled_from(DIMENSIONS), values, max_size=dimensions))
    return Selector.from_mapping(chosen)


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
