"""There is one door to the screen: pieces of text that clean themselves, painted by one widget."""

import ast

from tests.hygiene.tree import ROOT, imports, modules

PAINTER = "painted.py"
WORKS_ON_FINISHED_SEGMENTS = "themes.py"
"""It takes colours away from what is painted already."""


def test_only_the_one_painting_widget_hands_text_to_the_terminal_library() -> None:
    doors = ("rich.segment", "rich.text", "rich.console", "rich.markup", "textual.strip", "textual.content")
    allowed = {PAINTER, WORKS_ON_FINISHED_SEGMENTS}

    found = [
        str(each)
        for file in modules("opsconsole")
        if file.name not in allowed
        for each in imports(file)
        if each.target.startswith(doors)
    ]

    assert found == []


def test_no_ready_made_widget_stands_on_the_screen() -> None:
    found = [
        str(each)
        for file in modules("opsconsole")
        for each in imports(file)
        if each.target.startswith("textual.widgets")
    ]

    assert found == []


def test_nothing_makes_a_toast_a_tooltip_or_a_title_which_show_text_as_it_came() -> None:
    shows = {"notify", "update", "mount", "tooltip", "border_title", "border_subtitle", "sub_title"}
    screen = [file for file in modules("opsconsole") if any(each.top == "textual" for each in imports(file))]

    found = [
        f"{file.relative_to(ROOT)}:{node.lineno} {node.attr}"
        for file in screen
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr in shows
        and isinstance(node.value, ast.Name)
        and node.value.id in {"self", "app", "screen"}
    ]

    assert screen
    assert found == []


def test_a_piece_of_text_is_made_by_its_constructor_alone_which_cleans() -> None:
    found = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for file in modules("opsconsole")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and (
            (node.func.attr == "_make" and ast.unparse(node.func.value) in {"Span", "Cell", "Piece"})
            or (node.func.attr == "_replace" and any(keyword.arg == "text" for keyword in node.keywords))
            or (node.func.attr == "__new__" and ast.unparse(node.func.value) == "tuple" and file.name != "lines.py")
        )
    ]

    assert found == []
