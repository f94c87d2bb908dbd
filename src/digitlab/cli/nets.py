"""`digitlab nets`: the networks that have names."""

import click


@click.command("nets")
def command() -> None:
    """List the networks of `digitlab train --net NAME`, with their default training settings."""
    from digitlab.cli.shared.console import say
    from digitlab.nn.zoo import ZOO

    width = max(map(len, ZOO))
    for name, recipe in ZOO.items():
        t = recipe.training
        l2 = f", λ {t.l2:g}" if t.l2 else ""
        say(f"{name:<{width}}  {recipe.about}")
        say(f"{'':<{width}}  {t.optimizer} η {t.learning_rate:g}{l2}, batches of {t.batch_size}, {t.epochs} epochs")
