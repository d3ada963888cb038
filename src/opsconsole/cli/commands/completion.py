"""``completion``: the script that makes a shell complete commands, options and names."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from opsconsole.cli.exits import Exit
from opsconsole.cli.output import put

_HOW = {
    "bash": 'eval "$(opsconsole completion bash)"   # in ~/.bashrc',
    "zsh": 'eval "$(opsconsole completion zsh)"    # in ~/.zshrc, after compinit',
    "fish": "opsconsole completion fish | source    # in ~/.config/fish/config.fish",
}


@click.command(short_help="The completion script of a shell.")
@click.argument("shell", type=click.Choice(tuple(_HOW)))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> int:
    """Print the completion script of bash, zsh or fish.

    Names of sites, flags and workflows come from the database, given up after 200 ms.
    """
    found = get_completion_class(shell)
    assert found is not None, "click knows the three shells"
    put(f"# {_HOW[shell]}")
    put(found(ctx.find_root().command, {}, "opsconsole", "_OPSCONSOLE_COMPLETE").source())
    return Exit.OK
