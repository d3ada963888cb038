"""YAML as configuration needs it, and the line that is wrong."""

import pytest

from opsconsole.cli.documents import DocumentError, load


def test_off_and_on_are_words_and_only_true_and_false_are_truth_values() -> None:
    assert load(b"a: off\nb: on\nc: yes\nd: true\ne: false") == {
        "a": "off",
        "b": "on",
        "c": "yes",
        "d": True,
        "e": False,
    }


def test_keys_are_text_as_written() -> None:
    assert load(b"007: {}\ntrue: 1\n2026-11-22: x") == {"007": {}, "true": 1, "2026-11-22": "x"}


def test_plain_values_are_numbers_nothing_or_text() -> None:
    assert load(b"[1, -2, 2.5, ~, null, '3', 0x10, 1e9, 12:30]") == [
        1,
        -2,
        2.5,
        None,
        None,
        "3",
        "0x10",
        "1e9",
        "12:30",
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"", "it is empty"),
        (b"# nothing", "it is empty"),
        (b"a: 1\na: 2", "line 2: 'a' stands twice"),
        (b"a: &x 1\nb: *x", "line 1: anchors, aliases and tags are not read"),
        (b"a: !!python/object:os.system x", "anchors, aliases and tags are not read"),
        (b"--- 1\n--- 2", "more than one document"),
        (b"? [a]\n: b", "line 1: a key is a name"),
        (b"x: [", "line 2"),
        (b"[" * 100_000, "nested deeper"),
        (b"a: \x00", "control characters"),
        (b"\xff\xfe\x00", "UTF-16"),
        (b"\x80", "UTF-8"),
    ],
)
def test_what_is_no_document_is_refused_in_one_sentence(text: bytes, sentence: str) -> None:
    with pytest.raises(DocumentError, match=sentence):
        load(text)


def test_a_document_larger_than_any_configuration_is_refused_unread() -> None:
    with pytest.raises(DocumentError, match="larger than 64 MB"):
        load(bytes(65 * 1024 * 1024))
