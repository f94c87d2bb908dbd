"""The server of `digitlab play`: its routes, its address, and its life from start to Ctrl-C."""

import asyncio
import secrets
import socket
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from digitlab.errors import ConfigError, DigitlabError
from digitlab.nn.io.files import network_bytes
from digitlab.nn.network import Network
from digitlab.run_folders import RUNS
from digitlab.web.images import Images
from digitlab.web.own_digits import OWN, OwnDigits
from digitlab.web.plans import plan_of
from digitlab.web.runs import Runs
from digitlab.web.safety import MAX_MESSAGE, Guard, int_or, read_body, read_json
from digitlab.web.training import Trainings

PAGE = Path(__file__).with_name("page")
PORT = 8378  # the first port to try
ANY = ("0.0.0.0", "::")  # every address of this computer
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass
class Play:
    """What one server shows: a network, the folders of runs and of own digits, and the token of this start."""

    network: Network
    name: str
    file: Path | None = None  # the network's, None for fresh weights
    runs: Path = RUNS
    own: Path = OWN
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    stop: Callable[[], None] = lambda: None  # ends the server

    def __post_init__(self) -> None:
        self.own_digits = OwnDigits(self.own)
        self.images = Images(self.network, self.own_digits)
        self.run_list = Runs(self.runs)
        self.trainings = Trainings(self.runs, lambda asked: plan_of(asked, self.images, self.file))

    def routes(self) -> list[BaseRoute]:
        """The addresses that the page asks, each with the method that answers."""
        return [
            Route("/api/about", answering(self.about)),
            Route("/api/network", answering(self.network_file)),
            Route("/api/images", answering(self.image)),
            Route("/api/sample", answering(self.sample)),
            Route("/api/failures", answering(lambda request: {"failures": self.images.failures})),
            Route("/api/photo", answering(lambda request: self.images.photo(request.state.body)), methods=["POST"]),
            Route("/api/own", answering(self.own_answer), methods=["GET", "POST"]),
            Route("/api/own.zip", answering(self.own_archive)),
            Route("/api/runs", answering(lambda request: self.run_list.table())),
            Route("/api/run", answering(self.run)),
            WebSocketRoute("/api/train", self.trainings.page),
            Route("/api/stop", answering(self.end), methods=["POST"]),
        ]

    def about(self, request: Request) -> dict[str, Any]:
        """The network's name, and the sets of images that there are."""
        return {"name": self.name, "sources": self.images.sources, "own": self.own_digits.sets()}

    def image(self, request: Request) -> dict[str, Any]:
        """?source=&part=&index=: one image with its label."""
        asked = request.query_params
        index = int_or(asked.get("index"), -1)
        return self.images.image(asked.get("source", "mnist"), asked.get("part", "test"), index)

    def network_file(self, request: Request) -> Response:
        """The network as the bytes of a safetensors file."""
        return Response(network_bytes(self.network), media_type="application/octet-stream")

    def sample(self, request: Request) -> dict[str, Any]:
        """?source=&part=&label=: a few images of one class."""
        asked = request.query_params
        label = int_or(asked.get("label"), -1)
        return {"images": self.images.sample(asked.get("source", "mnist"), asked.get("part", "train"), label)}

    def own_answer(self, request: Request) -> dict[str, Any]:
        """GET ?name=: the images of a set, or all sets; POST {"do": "add" or "remove", …}: what a click changes."""
        if request.method == "GET":
            name = request.query_params.get("name")
            return {"sets": self.own_digits.sets()} if name is None else {"images": self.own_digits.images(name)}
        table = read_json(request.state.body)
        name, do = table.get("name"), table.get("do")
        if do == "add":
            return self.own_digits.add(name, table.get("label"), table.get("pixels"))
        if do == "remove":
            self.own_digits.remove(name, table.get("file"))
            return {"removed": table.get("file")}
        raise ConfigError(f"got {do!r}, expected add or remove")

    def own_archive(self, request: Request) -> Response:
        """?name=: a set of the user's own digits as a ZIP file."""
        return Response(self.own_digits.archive(request.query_params.get("name")), media_type="application/zip")

    def run(self, request: Request) -> Any:
        """?name=: a run; with &what=network, confusion or cell (&true=3&answer=5) what its network is or does."""
        asked = request.query_params
        name, what = asked.get("name"), asked.get("what", "run")
        if what == "network":
            network = network_bytes(self.run_list.network(name))
            return Response(network, media_type="application/octet-stream")
        if what == "confusion":
            return self.run_list.confusion(name)
        if what == "cell":
            return self.run_list.cell(name, int_or(asked.get("true"), -1), int_or(asked.get("answer"), -1))
        return self.run_list.run(name)

    def end(self, request: Request) -> dict[str, Any]:
        """Stop the server."""
        self.stop()
        return {"stopped": True}


def answering(answer: Callable[[Request], Any]) -> Callable[[Request], Awaitable[Response]]:
    """A route that computes its answer, a table or a response, in a thread; errors of the user become one line."""

    async def route(request: Request) -> Response:
        request.state.body = await read_body(request)
        if request.state.body is None:
            return JSONResponse({"error": "the request is too large"}, 413, {"Connection": "close"})
        try:
            answered = await run_in_threadpool(answer, request)
        except DigitlabError as error:
            return JSONResponse({"error": str(error)}, 400)
        except asyncio.CancelledError:
            return JSONResponse({"error": "the server is stopping"}, 503)
        except Exception:
            traceback.print_exc()
            return JSONResponse({"error": "a mistake in digitlab; the terminal shows more"}, 500)
        return answered if isinstance(answered, Response) else JSONResponse(answered)

    return route


def create_app(play: Play, hosts: list[str]) -> Guard:
    """The application that answers requests for these hosts ("127.0.0.1:8378")."""
    page = Mount("/", StaticFiles(directory=PAGE, html=True))

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(play.trainings.end)

    return Guard(Starlette(routes=[*play.routes(), page], lifespan=lifespan), play.token, hosts)


def free_socket(host: str, port: int | None) -> socket.socket:
    """A listening socket on this port, or on the first free one from PORT on. Raises OSError if there is none."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    tries = [port] if port is not None else [*range(PORT, PORT + 50), 0]
    for number in tries:
        # With the protocol named, asyncio sets TCP_NODELAY; without it, answers can wait 40 ms for an acknowledgement.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            listener.bind((host, number))
            listener.listen(128)  # a second server must not get this port, as it may between bind and listen
        except OSError:
            listener.close()
            if number == tries[-1]:
                raise
        else:
            return listener
    raise AssertionError("unreachable")


def names_of(host: str, port: int) -> list[str]:
    """What a browser may call this server in its Host header, first the name for the printed address."""
    names = LOOPBACK if host in LOOPBACK else (*(own_names() if host in ANY else [host]), *LOOPBACK)
    return [f"[{name}]:{port}" if ":" in name else f"{name}:{port}" for name in names]


def own_names() -> list[str]:
    """The address by which other computers reach this one, and its name."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outward, suppress(OSError):
        outward.connect(("192.0.2.1", 9))  # sends nothing; it chooses the address for the way out
        return [outward.getsockname()[0], socket.gethostname()]
    return [socket.gethostname()]


def serve(play: Play, host: str, port: int | None, started: Callable[[str], None]) -> None:
    """Serve until Ctrl-C, SIGTERM or the page's own stop. `started` gets the address, with the token in its fragment.

    Raises OSError if the port is taken or the host is none of this machine's.
    """
    import uvicorn

    listener = free_socket(host, port)
    names = names_of(host, listener.getsockname()[1])
    config = uvicorn.Config(
        create_app(play, names),
        access_log=False,
        log_level="critical",  # what goes wrong in a route is printed there, without addresses of requests
        lifespan="on",
        ws_max_size=MAX_MESSAGE,
        ws_max_queue=16,
        limit_concurrency=64,
        timeout_graceful_shutdown=2,
        server_header=False,
    )
    server = uvicorn.Server(config)

    def end() -> None:
        server.should_exit = True

    play.stop = end
    started(f"http://{names[0]}/#token={play.token}")
    with listener, suppress(KeyboardInterrupt):  # Uvicorn raises Ctrl-C once more when it has stopped
        server.run(sockets=[listener])
