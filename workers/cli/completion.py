"""`renderline completion`: completion scripts for shells."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from workers.cli.errors import CommandError

_SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    \b
    bash: eval "$(renderline completion bash)"            in ~/.bashrc
    zsh:  eval "$(renderline completion zsh)"             in ~/.zshrc
    fish: renderline completion fish | source             in ~/.config/fish/config.fish
    """
    found = get_completion_class(shell)
    if found is None:
        raise CommandError(f"no completion for {shell}")
    root = context.find_root().command
    click.echo(found(root, {}, "renderline", "_RENDERLINE_COMPLETE").source())


COMMANDS = (completion,)
