"""Trainings that a page starts over a WebSocket: one or two at once, with curves, weights and failures as they change.

The page sends JSON: {"do": "start", "trainings": [settings, …]}, then play, pause, step, epoch, stop, speed or rate.
It gets JSON (`type` says what), and the network as a byte with the number of the training and a safetensors file.
"""

import asyncio
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from digitlab.doctor.callback import Diagnose
from digitlab.errors import ConfigError, DigitlabError
from digitlab.functions.units import Units
from digitlab.nn.io.files import network_bytes
from digitlab.run_folders import run_folder
from digitlab.train.evaluation import class_shares
from digitlab.train.trainer import Trainer
from digitlab.web.control import Control, Gate, Slot
from digitlab.web.images import worst
from digitlab.web.plans import Plan
from digitlab.web.safety import MESSAGE_BURST, MESSAGE_RATE, Bucket, read_json

PATIENCE = 30.0  # seconds for a page to take a message, before the training ends
PAUSE = 0.1  # seconds between reports
SHARE = 0.2  # of the time, at most, for pictures of the weights and for the analysis
FAILURES = 24
MAX_PAGES = 8  # pages with a training, at most

Send = Callable[[Any], None]  # a table or bytes; from any thread


class Lane:
    """One training under way, and what the page has been told of it."""

    def __init__(self, number: int, plan: Plan, send: Send) -> None:
        self.number, self.plan, self.send_any = number, plan, send
        self.rows = 0  # that the page has
        self.sent = self.pictured = self.analysed = 0.0  # when, and the times before which none follows
        self.units: Units | None = None
        self.place: tuple[int, int, int, bool] | None = None  # as reported last

    def send(self, kind: str, **table: Any) -> None:
        """Send the page a message of this training, as JSON."""
        self.send_any({"type": kind, "training": self.number, **table})

    def report(self, trainer: Trainer, done: int, total: int, idle: bool) -> None:
        """Tell the page how far the training is; what costs time, rarely while it computes and always at a pause."""
        now = time.monotonic()
        place = (len(trainer.history), done, total, idle)
        if (not idle and now - self.sent < PAUSE) or (idle and place == self.place):
            return
        self.sent, self.place = now, place
        if self.units is None:
            self.units = self.plan.units(trainer.network)
        rows = trainer.history.rows[self.rows :]
        self.rows += len(rows)
        self.send(
            "progress", epoch=trainer.epoch, done=done, total=total, rows=scaled(rows, self.units), idle=idle,
            curve=self.plan.curve(trainer.network, self.units), monitor=trainer.monitor,
        )  # fmt: skip
        if idle or now >= self.pictured:
            self.send_any(bytes([self.number]) + network_bytes(trainer.network))
            self.pictured = time.monotonic() + max(0.15, (time.monotonic() - now) / SHARE)
        now = time.monotonic()
        if self.plan.data is not None and (idle or now >= self.analysed):
            self.send("analysis", epoch=trainer.epoch, **analysis(self.plan, trainer))
            self.analysed = time.monotonic() + max(0.5, (time.monotonic() - now) / SHARE)

    def run(self, control: Control, slot: Slot, runs: Path) -> None:
        """Train until the end and send the result to the page; an error becomes one line."""
        gate = Gate(control, self.number, slot, self.report, lambda ahead: self.send("queued", ahead=ahead))
        diagnose = Diagnose(exact=self.plan.function is not None)
        try:
            with run_folder(None, self.plan.title, runs) as folder:
                self.send("folder", folder=folder.name)
                try:
                    trainer = self.plan.train(folder, [gate, diagnose])
                except KeyboardInterrupt:  # of a fit to a function, which the page stopped
                    self.send("end", reason="stopped", run=folder.name, test=None, advice=None)
                else:
                    self.end(trainer, folder, diagnose)
        except DigitlabError as error:
            self.send("error", message=str(error))
        except Exception as error:  # a full disk, a mistake: the page must not wait for ever
            traceback.print_exc()
            self.send("error", message=f"{type(error).__name__}: {error}")
        finally:
            gate.leave()
            control.leave(self.number)

    def end(self, trainer: Trainer | None, folder: Path, diagnose: Diagnose) -> None:
        """The last report: the best network, its test accuracy, and what may have gone wrong."""
        test = None
        if trainer is not None and self.plan.data is not None and len(trainer.history):
            test = trainer.evaluate(self.plan.data.test).accuracy
        reason = trainer.stop_reason if trainer is not None else None
        interrupted = trainer is not None and trainer.interrupted
        self.send(
            "end",
            reason="stopped" if interrupted else reason or "all epochs are done",
            run=folder.name,
            test=test,
            best=trainer.best.epoch if trainer is not None and trainer.best and trainer.keep == "best" else None,
            engine=trainer.engine_reason if trainer is not None else None,
            advice=str(diagnose.found) if diagnose.found is not None else None,
        )


def scaled(rows: list[dict[str, Any]], units: Units | None) -> list[dict[str, Any]]:
    """Rows of a history as the page shows them: losses of a function in its own units squared."""
    factor = units.spread**2 if units is not None else 1.0
    keys = ("epoch", "train_loss", "valid_loss", "valid_accuracy", "learning_rate", "seconds")
    return [{k: row[k] * (factor if k.endswith("loss") else 1) for k in keys if row.get(k) is not None} for row in rows]


def analysis(plan: Plan, trainer: Trainer) -> dict[str, Any]:
    """Confusion matrix of the validation images, true classes in rows, and the surest errors."""
    assert plan.data is not None
    digits = plan.data.valid if plan.data.valid is not None else plan.data.test
    logits_of = trainer.logits_of(trainer.network)
    parts = [digits.images[first : first + 1000] for first in range(0, len(digits), 1000)]
    logits = np.concatenate([np.asarray(logits_of(trainer.network.prepare(part))) for part in parts])
    shares = class_shares(trainer.network.loss.activation(logits))
    classes = shares.shape[1]
    counts = np.bincount(digits.labels * classes + shares.argmax(axis=1), minlength=classes**2)
    failures = worst(shares, digits, FAILURES)
    return {"confusion": counts.reshape(classes, classes).tolist(), "failures": failures}


class Trainings:
    """The trainings of all pages of one server."""

    def __init__(self, runs: Path, plan: Callable[[Mapping[str, Any]], Plan]) -> None:
        self.runs, self.plan = runs, plan
        self.slot, self.pages = Slot(), 0
        self.controls: set[Control] = set()
        self.threads: set[threading.Thread] = set()

    async def page(self, socket: WebSocket) -> None:
        """One WebSocket, from its opening to its end. Closing it stops its trainings; what they did is saved."""
        if self.pages >= MAX_PAGES:
            await socket.close(1013)
            return
        await socket.accept("digitlab")
        self.pages += 1
        control: Control | None = None
        bucket = Bucket(MESSAGE_RATE, MESSAGE_BURST)
        try:
            while True:
                text = await socket.receive_text()
                if not bucket.take():
                    await socket.close(1008, "too many messages")
                    return
                try:
                    table = read_json(text)
                    if table.get("do") == "start":
                        if control is not None and control.alive:
                            raise ConfigError("a training is under way; stop it first")
                        control = await self.start(table, socket)
                    elif control is not None:
                        command(control, table)
                except DigitlabError as error:
                    await socket.send_json({"type": "error", "training": None, "message": str(error)})
        except (WebSocketDisconnect, KeyError, RuntimeError, asyncio.CancelledError):
            pass  # gone, or no text, or the server stops
        except Exception:
            traceback.print_exc()
        finally:
            self.pages -= 1
            if control is not None:
                control.tell("stop")

    async def start(self, table: Mapping[str, Any], socket: WebSocket) -> Control:
        """Begin the trainings that a page asks for, paused until it says play or step."""
        asked = table.get("trainings")
        if not isinstance(asked, list) or not 1 <= len(asked) <= 2 or not all(isinstance(a, dict) for a in asked):
            raise ConfigError("trainings: expected a list of one or two tables of settings")
        plans = [await run_in_threadpool(self.plan, settings) for settings in asked]
        control, loop = Control(len(plans)), asyncio.get_running_loop()

        def send(message: Any) -> None:
            async def sent() -> None:
                if socket.client_state is WebSocketState.CONNECTED:
                    await (socket.send_bytes(message) if isinstance(message, bytes) else socket.send_json(message))

            try:
                asyncio.run_coroutine_threadsafe(sent(), loop).result(PATIENCE)
            except Exception:
                control.tell("stop")  # what is done so far is saved, as after Ctrl-C

        for i, plan in enumerate(plans):
            description = {
                "network": plan.config.network,
                "title": plan.title,
                "epochs": plan.config.epochs,
                "target": plan.target,
            }
            rate = plan.config.optimizer.learning_rate
            await socket.send_json({"type": "started", "training": i, "learning_rate": rate, **description})
        self.controls = {c for c in self.controls if c.alive} | {control}
        for i, plan in enumerate(plans):
            lane = Lane(i, plan, send)
            thread = threading.Thread(target=lane.run, args=(control, self.slot, self.runs), daemon=True)
            self.threads = {t for t in self.threads if t.is_alive()} | {thread}
            thread.start()
        return control

    def end(self) -> None:
        """Stop all trainings and wait until they have saved what they did."""
        for control in self.controls:
            control.tell("stop")
        for thread in self.threads:
            thread.join(10)


def command(control: Control, table: Mapping[str, Any]) -> None:
    """Do what a page says to trainings under way. Raises ConfigError."""
    word, value = table.get("do"), table.get("value")
    if word in ("speed", "rate"):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ConfigError(f"{word}: got {value!r}, expected a number")
        training = table.get("training", 0)
        control.set(**({"speed": float(value)} if word == "speed" else {"rate": (training, float(value))}))
    else:
        control.tell(str(word))
