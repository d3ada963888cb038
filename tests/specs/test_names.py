"""Names: a typing error that answers "success" stops nothing, so a write to an unknown name is refused."""

import pytest

from core.capabilities.names import AddName, Dimension, RemoveName
from core.capabilities.rate_limits import AddLimit
from core.capabilities.switches import SetSwitch
from core.errors import UnknownName
from tests.specs.engine import Engine, on, said


@pytest.fixture
def engine() -> Engine:
    return Engine()


def add(engine: Engine, name: str, dimension: Dimension = "site", title: str = "") -> list[str]:
    return engine.kinds(engine.do(AddName(dimension=dimension, name=name, title=title)))


def hint(engine: Engine, name: str, dimension: Dimension = "site") -> str:
    with pytest.raises(UnknownName) as refusal:
        engine.do(RemoveName(dimension=dimension, name=name))
    return str(refusal.value)


def test_a_name_is_registered_once_and_naming_it_again_changes_nothing(engine: Engine) -> None:
    assert add(engine, "s3") == ["name.added"]
    receipt = engine.do(AddName(dimension="site", name="s3"))

    assert not receipt.changed
    assert said(receipt) == "site s3 is registered already"


def test_a_title_is_changed_by_naming_it_and_kept_by_leaving_it_out(engine: Engine) -> None:
    add(engine, "s3", title="Third")
    engine.wait(10)

    assert add(engine, "s3") == []
    assert add(engine, "s3", title="Der Dritte") == ["name.retitled"]
    entry = engine.state.names["site", "s3"]
    assert (entry.title, entry.changed_at, entry.changed_by) == ("Der Dritte", engine.now, "ana")
    assert entry.added_at < entry.changed_at


def test_the_same_name_in_two_dimensions_is_two_names(engine: Engine) -> None:
    add(engine, "stripe", "dependency")
    add(engine, "stripe", "service")

    assert {key for key in engine.state.names if key[1] == "stripe"} == {
        ("dependency", "stripe"),
        ("service", "stripe"),
    }
    assert [name.name for name in engine.state.names_of("dependency")] == ["stripe"]


def test_a_flag_is_registered_as_the_operation_it_switches(engine: Engine) -> None:
    assert add(engine, "enableSiteCreation", "operation") == []  # there from the beginning, as site_creation


def test_a_name_is_removed_when_nothing_points_at_it(engine: Engine) -> None:
    engine.do(RemoveName(dimension="site", name="s1"))

    assert ("site", "s1") not in engine.state.names
    assert hint(engine, "s1").startswith("no site is called s1")


def test_a_name_that_a_hold_points_at_stays(engine: Engine) -> None:
    hold_id = engine.pause(on(site="s1", operation="ab_testing")).hold_ids[0]

    with pytest.raises(Exception, match=f"site s1 is named by {hold_id}; release that first"):
        engine.do(RemoveName(dimension="site", name="s1"))
    assert engine.refused(RemoveName(dimension="operation", name="enableABTesting")) == "name-held"


def test_an_operation_that_a_limit_charges_stays(engine: Engine) -> None:
    assert engine.refused(RemoveName(dimension="operation", name="site_creation")) == "name-limited"

    add(engine, "site_creation", "site")
    engine.do(RemoveName(dimension="site", name="site_creation"))  # of that name, but another thing
    engine.do(AddLimit(name="twin", limit=1))  # charges nothing
    engine.do(RemoveName(dimension="operation", name="ab_testing"))


def test_a_misspelt_name_is_answered_with_what_was_meant(engine: Engine) -> None:
    add(engine, "berlin-north")

    assert "did you mean berlin-north?" in hint(engine, "berlin-nort")
    assert "did you mean enableSiteCreation" in hint(engine, "enableSiteCreatoin", "operation")


def test_a_name_like_none_is_answered_with_where_the_list_is(engine: Engine) -> None:
    assert "see the list with 'opsconsole sites list'" in hint(engine, "zzzzzz")
    assert "see the list with 'opsconsole flags list'" in hint(engine, "zzzzzz", "operation")
    assert "see the list with 'opsconsole workflows list'" in hint(engine, "zzzzzz", "workflow")
    assert "see the list with 'opsconsole export'" in hint(engine, "zzzzzz", "service")


def test_what_was_meant_is_found_among_many_names_without_comparing_them_all(engine: Engine) -> None:
    for number in range(3_000):
        add(engine, f"shop-{number}")

    assert "shop-2999" in hint(engine, "shop2999")
    assert "did you mean shop-123 " in hint(engine, "shop-123x")


def test_the_revision_of_names_moves_only_when_one_comes_or_goes(engine: Engine) -> None:
    before = engine.state.names_revision
    add(engine, "s1", title="First")
    engine.pause(on(site="s1"))
    assert engine.state.names_revision == before

    add(engine, "s3")
    assert engine.state.names_revision == engine.state.revision
    engine.do(RemoveName(dimension="site", name="s3"))
    assert engine.state.names_revision == engine.state.revision


def test_a_check_on_an_unknown_name_is_allowed_and_counted_and_refused_where_strict(engine: Engine) -> None:
    lenient = engine.verdict(site="s9", operation="enableABTesting", account="free")
    strict = engine.verdict(site="s9", strict=True)

    assert (lenient.outcome, lenient.unknown_names) == ("allowed", ("site=s9",))
    assert (strict.outcome, strict.unknown_names) == ("blocked", ("site=s9",))


def test_a_hold_on_everything_blocks_an_unknown_name_too_and_both_are_said(engine: Engine) -> None:
    engine.pause()

    verdict = engine.verdict(site="s9")
    assert (verdict.outcome, len(verdict.blockers), verdict.unknown_names) == ("blocked", 1, ("site=s9",))


def test_who_last_switched_a_name_is_known_by_the_name(engine: Engine) -> None:
    engine.wait(30)
    engine.do(SetSwitch(dimension="workflow", names=("xml-import",), on=False), by="ben")

    entry = engine.state.names["workflow", "xml-import"]
    assert (entry.changed_by, entry.changed_at) == ("ben", engine.now)


def test_a_hold_on_a_part_of_something_is_no_switch_of_it(engine: Engine) -> None:
    before = engine.state.names["site", "s1"]
    engine.wait(30)
    engine.pause(on(site="s1", operation="ab_testing"), by="ben")

    assert engine.state.names["site", "s1"] == before
