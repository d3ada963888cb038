"""The whole configuration as one document: applying it adds and changes, and never releases anything."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.capabilities.configuration import ApplyConfiguration, Configuration, export_configuration
from core.capabilities.names import AddName
from core.capabilities.rate_limits import AddLimit, SetLimit
from core.capabilities.switches import SetSwitch
from core.messages import Receipt
from tests.specs.engine import Engine, on, said


@pytest.fixture
def engine() -> Engine:
    return Engine()


def apply(engine: Engine, **document: Any) -> Receipt:
    read = Configuration.model_validate_json(json.dumps(document))
    return engine.do(ApplyConfiguration(configuration=read))


def exported(engine: Engine) -> str:
    return json.dumps(export_configuration(engine.state))


def test_what_is_named_is_registered_and_what_is_not_named_stays(engine: Engine) -> None:
    apply(
        engine,
        sites={"s3": {"title": "Third"}},
        services={"api": {}},
        dependencies={"stripe": {}},
        flags={"payout": {}, "enableABTesting": {"title": "A/B"}},
        workflows={"nightly": {}},
        limits={"payouts": {"limit": 5, "operation": "payout"}},
    )

    names = engine.state.names
    assert names["site", "s3"].title == "Third"
    assert names["operation", "ab_testing"].title == "A/B"
    assert {("service", "api"), ("dependency", "stripe"), ("workflow", "nightly"), ("site", "s1")} < set(names)
    assert engine.state.limits["payouts"].window_s == 3600.0


def test_applying_twice_changes_nothing_the_second_time(engine: Engine) -> None:
    document = {
        "sites": {"s3": {"title": "Third"}},
        "flags": {"payout": {"state": "off"}},
        "limits": {"x": {"limit": 1}},
    }

    assert apply(engine, **document).changed
    assert not apply(engine, **document).changed


def test_off_places_the_switchs_hold(engine: Engine) -> None:
    receipt = apply(engine, flags={"enableABTesting": {"state": "off"}}, workflows={"xml-import": {"state": "off"}})

    assert engine.holds() == {
        ("operation=ab_testing", "flag", "ab_testing", "drain"),
        ("workflow=xml-import", "workflow", "xml-import", "drain"),
    }
    assert set(receipt.hold_ids) == set(engine.state.holds)


def test_on_releases_nothing_and_what_stays_off_is_listed(engine: Engine) -> None:
    off = engine.do(SetSwitch(dimension="workflow", names=("xml-import",), on=False)).hold_ids[0]
    held = engine.pause(on(operation="ab_testing"), by="ben").hold_ids[0]

    receipt = apply(engine, flags={"ab_testing": {"state": "on"}}, workflows={"xml-import": {"state": "on"}})

    assert not receipt.changed
    assert f"operation=ab_testing stays off (held by {held})" in said(receipt)
    assert f"workflow=xml-import stays off (held by {off})" in said(receipt)
    assert not engine.runs(workflow="xml-import")


def test_a_switch_without_a_state_is_left_as_it_is(engine: Engine) -> None:
    engine.do(SetSwitch(dimension="operation", names=("ab_testing",), on=False))

    apply(engine, flags={"ab_testing": {}, "site_creation": {}})

    assert not engine.runs(operation="ab_testing")
    assert engine.runs(operation="site_creation")


def test_a_limit_keeps_what_the_document_leaves_out(engine: Engine) -> None:
    apply(engine, limits={"opportunity_scans": {"limit": 60}})

    limit = engine.state.limits["opportunity_scans"]
    assert (limit.limit, limit.window_s, limit.operation) == (60, 86_400.0, "opportunity_scan")


def test_a_limit_is_found_by_the_name_in_the_platforms_settings(engine: Engine) -> None:
    apply(engine, limits={"maxSitesPerHour": {"limit": 3, "window_s": 60}})

    assert engine.state.limits["sites"].limit == 3
    assert "maxSitesPerHour" not in engine.state.limits


def test_a_limit_may_be_lowered_to_zero_but_not_raised_from_it_nor_moved(engine: Engine) -> None:
    apply(engine, limits={"sites": {"limit": 0}})
    assert not engine.runs(operation="site_creation")

    assert "limit sites stays 0" in said(apply(engine, limits={"sites": {"limit": 10}}))
    moved = apply(engine, limits={"sites": {"limit": 0, "operation": "ab_testing"}})
    assert "limit sites stays 0" in said(moved)
    assert not engine.runs(operation="site_creation")
    assert apply(engine, limits={"sites": {"limit": 0, "window_s": 60}}).changed


def test_a_limit_charges_another_operation_when_the_document_says_so(engine: Engine) -> None:
    apply(engine, limits={"sites": {"limit": 10, "operation": "enableABTesting"}})

    assert engine.state.limits["sites"].operation == "ab_testing"


def test_a_limit_on_a_misspelt_operation_refuses_the_whole_document(engine: Engine) -> None:
    read = Configuration.model_validate({"sites": {"s9": {}}, "limits": {"x": {"limit": 1, "operation": "ab_tsting"}}})

    assert engine.refused(ApplyConfiguration(configuration=read)) == "unknown-name"
    assert ("site", "s9") not in engine.state.names


@pytest.mark.parametrize(
    "document",
    [
        {"format": 2},
        {"sites": {"no spaces": {}}},
        {"sites": ["s1"]},
        {"holds": {}},
        {"flags": {"x": {"state": "paused"}}},
        {"flags": {"x": {"state": False}}},
        {"limits": {"x": {}}},
        {"limits": {"x": {"limit": 1, "window_s": 0}}},
        {"sites": {"s1": {"title": "x" * 301}}},
        {"procedures": {"direct_recovery": {}}},
        {"procedures": {"careful": {"ramp": []}}},
    ],
)
def test_a_malformed_document_is_rejected(document: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Configuration.model_validate_json(json.dumps(document))


def test_a_new_fleet_exports_its_flags_limits_and_workflows(engine: Engine) -> None:
    document = export_configuration(engine.state)

    assert list(document) == [
        "format",
        "sites",
        "services",
        "dependencies",
        "flags",
        "workflows",
        "limits",
        "procedures",
    ]
    assert list(document["sites"]) == ["s1", "s2"]
    assert len(document["flags"]) == len(document["workflows"]) == 6
    assert document["limits"]["sites"] == {"limit": 10, "window_s": 3600.0, "operation": "site_creation"}


def test_equal_configurations_are_equal_text_whatever_happened_on_the_way(engine: Engine) -> None:
    other = Engine()
    other.workers("w1")
    other.wait(1000)
    other.do(AddName(dimension="site", name="s0"), by="ben")
    other.pause(on(site="s0"))
    other.stop("S-1", on(site="s0"))
    other.do(SetSwitch(dimension="operation", names=("ab_testing",), on=False))
    engine.do(AddName(dimension="site", name="s0"))

    assert exported(engine) == exported(other)


def test_a_fleets_own_procedures_go_with_its_configuration(engine: Engine) -> None:
    careful = {"gates": ["running"], "ramp": [{"admit": 1.0, "wait_s": 300}], "monitor_s": 900}

    assert apply(engine, procedures={"careful": careful}).changed
    document = export_configuration(engine.state)
    assert not apply(engine, **document).changed
    apply(other := Engine(), **document)

    assert other.state.procedures == engine.state.procedures
    assert other.state.procedures["careful"].monitor_s == 900
    assert list(document["procedures"]) == ["careful"], "built-in ones are no configuration"


NAMES = st.text("abcXYZ019._~-", min_size=1, max_size=8).filter(lambda name: name[0].isalnum())
TITLES = st.text(max_size=20)
ENTRIES = st.dictionaries(NAMES, st.fixed_dictionaries({"title": TITLES}), max_size=4)


@settings(max_examples=40)
@given(
    sites=ENTRIES,
    services=ENTRIES,
    flags=ENTRIES,
    workflows=ENTRIES,
    limits=st.dictionaries(NAMES, st.tuples(st.integers(0, 99), st.floats(1, 1e6)), max_size=4),
)
def test_what_one_fleet_exports_another_applies_and_exports_again_byte_for_byte(
    sites: dict[str, Any],
    services: dict[str, Any],
    flags: dict[str, Any],
    workflows: dict[str, Any],
    limits: dict[str, tuple[int, float]],
) -> None:
    one, other = Engine(), Engine()
    for dimension, entries in (("site", sites), ("service", services), ("operation", flags), ("workflow", workflows)):
        for name, entry in entries.items():
            one.do(AddName.model_validate({"dimension": dimension, "name": name, **entry}))
    for name, (limit, window_s) in limits.items():
        one.do(AddLimit(name=name, limit=limit, window_s=window_s, operation="ab_testing"))
    one.do(SetLimit(name="sites", limit=7))

    apply(other, **export_configuration(one.state))

    assert exported(other) == exported(one)
    assert not other.state.holds
