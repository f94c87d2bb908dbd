"""`digitlab play`: draw, watch, open up, train and break a network in the browser."""

import click


@click.command("play")
@click.argument("net", required=False)
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Port of the server. [default: the first free one from 8378]"
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on. With any other than the default, other computers that have the token can use the page.",
)
@click.option("--browser/--no-browser", default=True, help="Open the page in the browser, or only print its address.")
def command(net: str | None, port: int | None, host: str, browser: bool) -> None:
    """Explore a network in the browser: draw digits, look inside, train, break it.

    NET is a network file, a run folder, layer sizes such as 784-30-10, or a name such as lenet5 (with new weights).
    [default: the latest run in runs/, or else the shipped network] The server runs on this computer and answers only
    requests with the token in the printed address. Ctrl-C stops it.
    """
    import webbrowser
    from pathlib import Path

    from digitlab.cli.shared.console import say, tell
    from digitlab.cli.shared.networks import network_for, saved_file
    from digitlab.errors import ConfigError
    from digitlab.web.server import LOOPBACK, Play, serve

    file = saved_file(net)
    name, network = network_for(net)
    name = Path(name).parent.name if Path(name).name == "network.safetensors" else Path(name).stem

    def started(address: str) -> None:
        if host not in LOOPBACK:
            tell(
                f"warning: listening on {host}, without encryption: whoever can reach this computer and knows the "
                "address below can train here and read its runs"
            )
        say(f"digitlab play: {address}")
        say("Ctrl-C stops it")
        if browser:
            webbrowser.open(address)

    try:
        serve(Play(network, name, file), host, port, started)
    except OSError as error:
        raise ConfigError(f"cannot listen on {host}, port {port or 'any'}: {error.strerror}; choose --port") from None
    say("stopped")
